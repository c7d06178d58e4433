/** The laws of the house, each with the sentence that it defends. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checks } from '../src/checks/index.ts'
import type { Check } from '../src/core/check.ts'
import { examine } from '../src/core/engine.ts'
import { keyOf, onward, type Question, type Source, unknown } from '../src/core/fact.ts'
import { withBlockers } from '../src/core/order.ts'
import { related, type Subject, subjectKey } from '../src/core/subject.ts'
import { manifestOf } from '../src/examine/manifest.ts'
import { asked as table } from '../src/knowledge/asked.ts'
import { notAskedLive, permissionOf, withWay } from '../src/knowledge/permissions.ts'
import { subjectsFor } from '../src/probes/subjects.ts'
import { remembered } from '../src/sources/remembered.ts'
import { cases } from './case-files.ts'
import { type Examined, examineCase, sourceOf } from './examining.ts'
import { whoAsked } from './who-asked.ts'

const root = join(import.meta.dirname, '..')
const files = (folder: string): readonly string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? files(path) : [path]
  })

/** Ids that once were public and are no more; they never come back with another meaning. */
const retired: readonly string[] = []

describe('1. A check is where its id says, and an id once given keeps its meaning', () => {
  const folder = join(root, 'src/checks')
  const ids = files(folder)
    .map((file) => relative(folder, file).replace(/\.ts$/, ''))
    .filter((id) => id.includes('/'))
    .sort()
  test('every file is in the index, under its path', () => {
    expect(checks.map(({ meta }) => meta.id)).toEqual(ids)
  })
  test('no retired id is used', () => {
    expect(ids.filter((id) => retired.includes(id))).toEqual([])
  })
})

describe('A file says first what it holds', () => {
  test.each(['src', 'test', 'scripts', 'bench'])('in %s, in one line', (folder) => {
    const silent = files(join(root, folder))
      .filter((file) => /\.tsx?$/.test(file))
      .filter((file) => !/^\/\*\* \S[^\n]* \*\/\n/.test(readFileSync(file, 'utf8')))
    expect(silent.map((file) => relative(root, file))).toEqual([])
  })
})

/** Data of any message, every value of which tries to be a command of its own. */
const hostile: object = new Proxy(
  {},
  { get: (_, name) => (typeof name === 'symbol' ? undefined : `x\nrm -rf ~; $(rm -rf ~) 'rm'\u2028rm`) },
)

describe('2. A check explains itself: title, why, what to do, and where that is written', () => {
  test.each(checks.map((check) => [check.meta.id, check] as const))('%s', (_id, { meta, messages, remedies }) => {
    expect(meta.title).toMatch(/^[A-Z].{10,}[^.]$/)
    expect(meta.title, 'a title states the good state').not.toMatch(/\b(not|no|missing|wrong|fails?)\b/i)
    expect(meta.why.length).toBeGreaterThan(20)
    expect(meta.kinds !== undefined, 'a check on objects names their kinds').toBe(meta.scope === 'object')
    expect(meta.links[0]).toMatch(/^https:\/\//)
    expect(Object.keys(messages).length).toBeGreaterThan(0)
    expect(meta.fix?.does, 'what to do, in the imperative').toMatch(/^[A-Z][a-z]+ .{10,}\.$/s)
    expect(Object.keys(remedies).sort(), 'every message says what puts it right').toEqual(Object.keys(messages).sort())
    for (const [message, remedy] of Object.entries(remedies))
      for (const line of remedy?.(hostile).split('\n') ?? [''])
        expect(line, `${message}: a value begins no line`).not.toMatch(/^rm\b|\u2028|\n/)
  })
})

describe('3. Every check is seen passing and failing, and every message is seen', () => {
  const said = new Set(cases.flatMap(({ finds }) => finds.map(({ check, message }) => `${check}: ${message}`)))
  const passed = new Set(cases.flatMap(({ passes }) => passes))
  test.each(checks.map((check) => [check.meta.id, check] as const))('%s', (id, { messages }) => {
    expect(passed, 'no case in which it passes').toContain(id)
    expect(Object.keys(messages).filter((message) => !said.has(`${id}: ${message}`))).toEqual([])
  })
})

describe('5. What comes before what has no circle', () => {
  const byId = new Map<string, Check>(checks.map((check) => [check.meta.id, check]))
  test('every check that is waited for, or covered, exists', () => {
    const named = checks.flatMap(({ meta, after, covers }) => [...after, ...covers].map((id) => `${meta.id} → ${id}`))
    expect(named.filter((edge) => !byId.has(edge.split(' → ')[1] ?? ''))).toEqual([])
  })
  test.each(checks.map((check) => check.meta.id))('%s does not wait for itself', (id) => {
    const walk = (from: string, path: readonly string[]): readonly string[] => {
      for (const next of byId.get(from)?.after ?? []) {
        if (next === id) return [...path, next]
        if (path.includes(next)) continue
        const circle = walk(next, [...path, next])
        if (circle.length > 0) return circle
      }
      return []
    }
    expect(walk(id, [id])).toEqual([])
  })
})

/** A source that writes down what it was asked. */
const recording = (source: Source, asked: Map<string, Question>): Source => ({
  name: source.name,
  ask: (question, signal) => {
    asked.set(keyOf(question), question)
    return source.ask(question, signal)
  },
})

/** The same of what it could answer; what it did not know cannot be taken away. */
const answering = (source: Source, answered: Map<string, Question>): Source => ({
  name: source.name,
  ask: (question, signal) =>
    onward(source.ask(question, signal), (fact) => {
      if (fact.state !== 'unknown') answered.set(keyOf(question), question)
      return fact
    }),
})

type Word = { readonly subject: Subject; readonly check: string; readonly status: string; readonly message: string }
const wordsOf = ({ findings }: Examined): readonly Word[] =>
  findings.map(({ subject, check, status, messageId }) => ({ subject, check, status, message: messageId ?? status }))

/**
 * Whether a verdict was there before. One that was held up by another may come out when that one is not seen any more; and it may be said of
 * the cluster, or of a ServiceAccount for its pods, when nobody finer is seen any more.
 */
const isNew = (word: Word, before: readonly Word[]): boolean =>
  (word.status === 'pass' || word.status === 'fail') &&
  !before.some(
    (was) =>
      was.check === word.check &&
      related(was.subject, word.subject) &&
      (was.status === word.status || (word.status === 'fail' && was.status === 'blocked')),
  )

/** A pass that was held up by a failing check comes out once that one is open. */
const ofTheBucketAlone =
  'the policy of the bucket admits the account; whether the workload may act as it is left open by another check'

/** What a case may claim when this call is not seen, each with the reason why that is no diagnosis from not seeing. */
const explained: { readonly [claim: string]: string } = {
  's3:GetBucketPolicy: aws/role-may-use-bucket fail':
    'the refusal itself names the policy of the bucket; only that policy can say that it has changed since',
  'serviceaccounts/token/create: aws/trust-policy-admits-service-account pass':
    'an API server signs no session tags: only a token that is seen can carry them',
  // What Entra or the storage account itself has refused is evidence; a document that contradicts it only weakens it.
  'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read: azure/federated-credential-matches-subject fail':
    'Entra said that no credential matches, which counts as long as none that does was seen',
  'entra oauth2/v2.0/token: azure/token-exchange-succeeds fail':
    'a refusal that was logged counts as long as Entra was not seen to take the token since',
  'cronjobs/list: azure/token-file-readable pass':
    'the file is one of the pod, which is seen; only the label that a CronJob lacks held the verdict up',
  'pods/list: azure/token-exchange-succeeds fail':
    'the same: what the pods ask with is seen in them, and without it nothing is exchanged',
  'Microsoft.Authorization/roleAssignments/read: azure/identity-has-role fail':
    'the data was refused, which counts as long as no role that opens it was seen',
  'discovery: azure/issuer-documents-public fail':
    'Entra said that it could not read the documents, which counts as long as they were not seen to answer',
  'jwks: azure/issuer-documents-public fail':
    'Entra said that it could not read the documents, which counts as long as they were not seen to answer',
  'iam.serviceAccounts.getIamPolicy: gcp/identity-may-read-bucket pass': ofTheBucketAlone,
  'resourcemanager.projects.getIamPolicy: gcp/identity-may-read-bucket pass': ofTheBucketAlone,
  'container.clusters.get: gcp/identity-may-read-bucket pass': ofTheBucketAlone,
  'pods/list: aws/oidc-provider-accepts-audience fail':
    'the text by itself says so; that the pods ask for another audience, where they are seen, makes it a finding of another check',
  'serviceaccounts/list: gcp/identity-may-call-target-api fail':
    'the text by itself says so; that the identity is a direct one, where that is seen, makes it a finding of another check',
}

/** What probes asked that is not in the table of what they ask. */
const unforeseen = new Set<string>()
const listening = (probe: { readonly id: string }, { system, call }: Question): void => {
  const kinds = table.probes[probe.id]
  const kind = `${system} ${call}`
  if (!kinds?.always.includes(kind) && !kinds?.whole.includes(kind)) unforeseen.add(`${probe.id}: ${kind}`)
}

/** What is no whole sentence in the words that put a finding right, with the case. */
const gaps: string[] = []
/** Kinds of questions that the cases ask. */
const heard = new Set<string>()

function lookForGaps(name: string, { findings }: Examined): void {
  for (const { check, status, messageId, remedy } of findings) {
    if (status !== 'fail') continue
    const [sentence = '', ...commands] = remedy?.words.split('\n') ?? []
    const whole =
      /^[A-Z].{10,}[.]$/.test(sentence) &&
      commands.every((command) => /^(kubectl|aws|az|gcloud|helm|curl|jq|openssl) /.test(command))
    const gap =
      /undefined|\[object|not collected|''|\( *\)| [,.;]| {2}|\b(?:serviceaccount|sa|pod|deployment)\/(?: |$)|= |=$/.exec(
        [sentence, ...commands].join(' \n'),
      )
    if (!whole || gap !== null) gaps.push(`${name}: ${check} ${messageId}: ${gap?.[0] ?? ''} in ${remedy?.words}`)
  }
}

describe('6. Not seeing is never a diagnosis: taking any one answer away decides nothing new', () => {
  test.each(cases.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    const source = await sourceOf(one)
    const asked = new Map<string, Question>()
    const all = new Map<string, Question>()
    // What says who is there to be judged concerns everybody.
    const roster = new Set<string>()
    const who = whoAsked()
    // What a list of documents answers, a live cluster is asked for one by one.
    const hearing: typeof who.heard = (probe, question) => {
      heard.add(`${question.system} ${question.call}`)
      who.heard(probe, question)
    }
    const base = await examineCase(one, recording(answering(source, asked), all), false, { asked: hearing }, () => {
      for (const key of all.keys()) roster.add(key)
      return checks
    })
    lookForGaps(one.name, base)
    for (const { system, call } of all.values()) for (const kind of withWay(`${system} ${call}`)) heard.add(kind)
    const before = wordsOf(base)
    const claims: string[] = []
    for (const [key, question] of asked) {
      // No log given means that nothing was observed; that question has no unknown answer.
      if (question.system === 'observed') continue
      const blind: Source = {
        name: source.name,
        ask: (other, signal): ReturnType<Source['ask']> =>
          keyOf(other) === key ? unknown('forbidden', 'taken away', other) : source.ask(other, signal),
      }
      const chosen = roster.has(key) ? checks : who.concernedBy(question)
      for (const word of wordsOf(await examineCase(one, blind, false, { asked: listening }, () => chosen)))
        if (isNew(word, before) && explained[`${question.call}: ${word.check} ${word.status}`] === undefined)
          claims.push(
            `without ${question.call} ${JSON.stringify(question.input)}: ${word.check} on ${subjectKey(word.subject)} says ${word.message}`,
          )
    }
    expect(claims).toEqual([])
  })
})

describe('2, over all cases: what puts a finding right says so without a gap', () => {
  test('in whole sentences and commands', () => {
    expect(gaps).toEqual([])
  })
})

describe('7. What a probe asks, answered or refused, is in the table that the permission manifest is derived from', () => {
  test('over all cases, each of their answers refused in its turn', () => {
    expect([...unforeseen], 'npm run generate').toEqual([])
  })
  // Documents seldom are whole lists; in a cluster they are, and hold the single objects of those who are judged.
  const { fromLists } = table
  test.each(checks.map((check) => [check.meta.id, check] as const))('%s asks for no more', async (id, check) => {
    const chosen = withBlockers([check], checks)
    const all = { checks: chosen, targets: [], allNamespaces: false, exchange: true, clouds: true }
    const granted = new Set((await manifestOf(all)).map(({ permission }) => JSON.stringify(permission)))
    for (const one of cases.filter(({ name }) => name.startsWith(`${id}/`))) {
      const asked = new Map<string, Question>()
      const source = remembered(recording(await sourceOf(one), asked))
      const { subjects } = await subjectsFor(source, { targets: [], documents: true })
      asked.clear()
      await examine({ checks: chosen, subjects, source })
      for (const { system, call } of asked.values()) {
        const permission = permissionOf({ system, call, input: {} })
        const kind = `${system} ${call}`
        if (permission.kind === 'none' || notAskedLive.has(kind) || fromLists.includes(kind)) continue
        expect(granted, `${one.name} asks ${call}`).toContain(JSON.stringify(permission))
      }
    }
  })
  test('and nothing is in the manifest that no case asks', async () => {
    const manifest = await manifestOf({ checks, targets: [], allNamespaces: false, exchange: true, clouds: true })
    const permitted = new Set(
      [...heard].map((kind) => {
        const cut = kind.indexOf(' ')
        return JSON.stringify(permissionOf({ system: kind.slice(0, cut), call: kind.slice(cut + 1), input: {} }))
      }),
    )
    expect(manifest.filter(({ permission }) => !permitted.has(JSON.stringify(permission)))).toEqual([])
  })
})

describe('10. What is generated is up to date', () => {
  test('a page stands for every check', () => {
    const missing = checks.map(({ meta }) => meta.id).filter((id) => !existsSync(join(root, 'docs/checks', `${id}.md`)))
    expect(missing).toEqual([])
  })
  test('the report schema names the fields that a report has', () => {
    const schema: unknown = JSON.parse(readFileSync(join(root, 'schemas/report-v1.schema.json'), 'utf8'))
    expect(JSON.stringify(schema)).toContain('kubectl-wi/report/v1')
  })
})
