/** Many ServiceAccounts at once: one token is minted for all of them, and nothing is said of tokens that were not looked at. */
import { describe, expect, test } from 'vitest'
import { checks } from '../src/checks/index.ts'
import { examine } from '../src/core/engine.ts'
import { absent, type Fact, known, type Question, type Source, unknown } from '../src/core/fact.ts'
import { type Json, textAt } from '../src/core/json.ts'
import { clusterSubject, type Subject } from '../src/core/subject.ts'
import { mintedToken } from '../src/probes/workload/minted-token.ts'
import { remembered } from '../src/sources/remembered.ts'

const issuer = 'https://oidc.eks.us-west-2.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE'
const nameOf = (index: number): string => `app-${String(index).padStart(3, '0')}`

const serviceAccount = (index: number): Json => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: {
    name: nameOf(index),
    namespace: 'shop',
    uid: `uid-${index}`,
    annotations: { 'eks.amazonaws.com/role-arn': `arn:aws:iam::111122223333:role/${nameOf(index)}` },
  },
})

const tokenOf = (name: string, audience: string): Json => ({
  header: { alg: 'RS256', kid: 'one' },
  claims: {
    iss: issuer,
    sub: `system:serviceaccount:shop:${name}`,
    aud: [audience],
    'kubernetes.io': { serviceaccount: { name } },
  },
})

type Cluster = {
  readonly many: number
  readonly refused?: boolean
  /** What lies among the documents. */
  readonly tokens?: readonly Json[]
}

/** Answers for a cluster of that many ServiceAccounts, and writes down for whom a token was minted. */
function sourceOf({ many, refused = false, tokens = [] }: Cluster, minted: string[]): Source {
  const items = Array.from({ length: many }, (_, index) => serviceAccount(index))
  const lists: { readonly [call: string]: readonly Json[] } = { 'serviceaccounts/list': items, 'pods/list': [] }
  return remembered({
    name: 'crowd',
    ask: async (question: Question): Promise<Fact<Json>> => {
      const { call, input } = question
      if (call === 'serviceaccounts/get') {
        const found = items.find((one) => textAt(one, 'metadata', 'name') === input.name)
        return found === undefined ? absent(question) : known(found, question)
      }
      if (call === 'serviceaccounts/token/create') {
        minted.push(String(input.name))
        return refused
          ? unknown('forbidden', 'it may not create tokens', question, 'create serviceaccounts/token')
          : known(tokenOf(String(input.name), String(input.audience)), question)
      }
      if (question.system === 'observed' && call === 'tokens') return known({ tokens }, question)
      if (question.system === 'observed') return known({ errors: [] }, question)
      const list = lists[call]
      return list === undefined
        ? unknown('not-collected', `${call} is not here`, question)
        : known({ items: list, complete: true }, question)
    },
  })
}

async function judge(cluster: Cluster) {
  const minted: string[] = []
  const accounts = Array.from(
    { length: cluster.many },
    (_, index): Subject => ({ kind: 'ServiceAccount', namespace: 'shop', name: nameOf(index) }),
  )
  const examination = await examine({
    checks,
    subjects: [clusterSubject, ...accounts],
    source: sourceOf(cluster, minted),
  })
  const words = (check: string) =>
    examination.findings
      .filter((one) => one.check === check)
      .map(({ status, subject, messageId }) => ({ status, name: subject.name, messageId }))
  return { minted, accounts, examination, words }
}

const own = 'workload/token-is-for-this-workload'
const statuses = (lines: readonly { readonly status: string }[]): readonly string[] => [
  ...new Set(lines.map(({ status }) => status)),
]

describe('many ServiceAccounts', () => {
  test('up to fifty, each has its own token minted and looked at', async () => {
    const { minted, words } = await judge({ many: 50 })
    expect(new Set(minted).size).toBe(50)
    expect(minted).toHaveLength(50)
    expect(statuses(words(own))).toEqual(['pass'])
  })

  test('beyond that, one token is minted, and nobody is told to have been looked at', async () => {
    const { minted, words, examination } = await judge({ many: 60 })
    expect(minted).toEqual([nameOf(0)])
    const said = examination.findings.filter(({ check }) => check === own)
    expect(said).toHaveLength(60)
    expect(statuses(said)).toEqual(['not-applicable'])
    expect(said[7]?.message).toMatch(/one token stands for all; name this one/u)
    // What all tokens share is known all the same.
    expect(words('cluster/issuer-is-public')).toEqual([{ status: 'pass', name: 'cluster', messageId: undefined }])
  })

  test('a borrowed token holds what all share and what Kubernetes writes, nothing of whom it was minted for', async () => {
    const { accounts, examination } = await judge({ many: 60 })
    const fact = await examination.fact(mintedToken, accounts[41] ?? clusterSubject)
    const subject = `system:serviceaccount:shop:${nameOf(41)}`
    expect(fact).toMatchObject({
      state: 'known',
      value: { borrowed: true, issuer, keyId: 'one', subject, audiences: ['sts.amazonaws.com'] },
    })
    expect(JSON.stringify(fact.state === 'known' ? fact.value : {})).not.toContain(nameOf(0))
  })

  test('whose own token is among the documents is still judged by it', async () => {
    const seen = [
      { file: 'right', ...Object(tokenOf(nameOf(3), 'sts.amazonaws.com')) },
      { file: 'wrong', ...Object(tokenOf(nameOf(5), 'sts.amazon.com')) },
    ]
    const { minted, words } = await judge({ many: 60, tokens: seen })
    const said = words(own)
    expect(said[3]).toMatchObject({ status: 'pass' })
    expect(said[5]).toMatchObject({ status: 'fail', messageId: 'audience-differs' })
    expect(statuses(said.filter((_, index) => index !== 3 && index !== 5))).toEqual(['not-applicable'])
    expect([...minted].sort()).toEqual([nameOf(0), nameOf(3), nameOf(5)])
  })

  test('a refusal is asked for once and leaves the tokens unseen', async () => {
    const { minted, examination } = await judge({ many: 60, refused: true })
    expect(minted).toEqual([nameOf(0)])
    const said = examination.findings.filter(({ check }) => check === own)
    expect(statuses(said)).toEqual(['unknown'])
    expect(said[0]?.lacks?.[0]).toMatchObject({ why: 'forbidden', lift: 'create serviceaccounts/token' })
  })
})
