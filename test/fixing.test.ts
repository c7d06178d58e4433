/** Fixers: what they propose for every case, rehearsed; and that none of them widens trust. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checks } from '../src/checks/index.ts'
import { isObject, type Json, listAt, textAt, textsAt } from '../src/core/json.ts'
import type { Change, Plan } from '../src/core/plan.ts'
import { subjectKey } from '../src/core/subject.ts'
import { onPaper } from '../src/examine/on-paper.ts'
import { fixers } from '../src/fixers/index.ts'
import { overlaid } from '../src/sources/overlaid.ts'
import { cases } from './case-files.ts'
import { examineCase, sourceOf } from './examining.ts'
import { planCase } from './planning.ts'
import { withoutFixer } from './without-fixer.ts'

const root = join(import.meta.dirname, '..')

describe('a fixer stands under the name of its check', () => {
  const folder = join(root, 'src/fixers')
  const ids = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.includes('/') && name.endsWith('.ts'))
    .map((name) => name.replace(/\.ts$/, ''))
    .sort()
  test('every file is in the index, under the id of a check that there is', () => {
    expect(fixers.map(({ check }) => check).sort()).toEqual(ids)
    for (const id of ids) expect(existsSync(join(root, 'src/checks', `${id}.ts`)), id).toBe(true)
  })
  test('it proposes for messages that its check has', () => {
    const messages = new Map(checks.map(({ meta, messages }) => [meta.id, Object.keys(messages)]))
    for (const { check, proposals } of fixers)
      expect(Object.keys(proposals).filter((message) => !messages.get(check)?.includes(message))).toEqual([])
  })
  test('what can be put right safely, or after a review, has a fixer, but for a list that only shrinks', () => {
    const lacking = checks
      .filter(({ meta }) => meta.fix !== undefined && meta.fix.safety !== 'manual')
      .map(({ meta }) => meta.id)
      .filter((id) => !fixers.some(({ check }) => check === id))
    expect(lacking.sort()).toEqual([...withoutFixer].sort())
  })
})

/** Values of an audience or a subject in a trust policy that no name stands behind. */
const wild = /[*?]/

/** What a changed trust policy says that it did not say before, where that is more than one name. */
function widened(before: Json | undefined, after: Json | undefined): readonly string[] {
  const old = JSON.stringify(before ?? null)
  return listAt({ s: [statements(after)].flat() }, 's').flatMap((statement) => {
    if (old.includes(JSON.stringify(statement)) || textAt(statement, 'Effect') !== 'Allow') return []
    const blocks = isObject(statement) && isObject(statement.Condition) ? statement.Condition : {}
    const said = Object.values(blocks).flatMap((block) =>
      isObject(block) ? Object.keys(block).flatMap((key) => textsAt(block, key).map((value) => ({ key, value }))) : [],
    )
    const known = (value: string): boolean => old.includes(JSON.stringify(value))
    const faults = said
      .filter(({ value }) => wild.test(value) && !known(value))
      .map(({ value }) => `new wildcard ${value}`)
    for (const federated of textsAt(statement, 'Principal', 'Federated'))
      if (wild.test(federated)) faults.push(`provider ${federated}`)
    if (textsAt(statement, 'Principal').includes('*')) faults.push('anybody')
    const had = (claim: string): boolean => said.some(({ key }) => key.endsWith(`:${claim}`))
    const wasThere =
      listAt({ s: [statements(before)].flat() }, 's').length === listAt({ s: [statements(after)].flat() }, 's').length
    const isFederated = textsAt(statement, 'Principal', 'Federated').length > 0
    for (const service of textsAt(statement, 'Principal', 'Service'))
      if (service !== 'pods.eks.amazonaws.com' && !known(service)) faults.push(`service ${service}`)
    for (const principal of textsAt(statement, 'Principal', 'AWS'))
      if (!known(principal) && !/^arn:[a-z-]+:iam::\d{12}:role\/[^*?]+$/.test(principal))
        faults.push(`principal ${principal}`)
    if (!wasThere && isFederated)
      for (const claim of ['sub', 'aud']) if (!had(claim)) faults.push(`a statement without :${claim}`)
    return faults
  })
}
const statements = (policy: Json | undefined): readonly Json[] =>
  isObject(policy) ? [policy.Statement ?? []].flat() : []

/** One workload or one account at most, by no basic role; and a provider's condition is nobody's but its owner's. */
function widenedAtGoogle({ call, input }: Change): readonly string[] {
  if (call === 'iam.workloadIdentityPoolProviders.update')
    return textsAt(input, 'field').includes('attributeCondition') ? ['a condition'] : []
  if (!call.endsWith('.setIamPolicy') || input.there !== true) return []
  const [role = '', member = ''] = [textAt(input, 'role'), textAt(input, 'member')]
  const isOne = /^(?:serviceAccount:[^*]+|principal:\/\/[^*]+\/subject\/[^*]+)$/.test(member)
  const isWide = /^roles\/(?:owner|editor|viewer|iam\.securityAdmin|[\w.]*[aA]dmin)$/.test(role)
  const place = call.startsWith('resourcemanager.') && role.startsWith('roles/iam.') ? ['the whole project'] : []
  return [...(isOne ? [] : [member]), ...(isWide ? [role] : []), ...place]
}

const widening = (plan: Plan): readonly string[] =>
  plan.actions.flatMap(({ change, effects }) =>
    change.call === 'iam:UpdateAssumeRolePolicy'
      ? widened(effects[0].before, effects[0].after)
      : change.system === 'gcp'
        ? widenedAtGoogle(change)
        : [],
  )

describe('7. A plan, rehearsed, puts right what it is for, breaks nothing else, and widens no trust', () => {
  const fixable = cases.filter(({ finds }) => finds.some(({ check }) => fixers.some((fixer) => fixer.check === check)))
  test.each([true, false].flatMap((named) => fixable.map((one) => [one.name, named, one] as const)))(
    '%s (its subject named: %s)',
    async (_name, named, one) => {
      const source = await sourceOf(one)
      const plan = await planCase(one, source, named)
      const before = await examineCase(one, source, named)
      const effects = plan.actions.flatMap((action) => action.effects)
      const world = onPaper(overlaid(source, effects))
      const after = effects.length === 0 ? before : await examineCase(one, world, named)
      const failing = ({ findings }: Pick<typeof before, 'findings'>) =>
        findings
          .filter(({ status }) => status === 'fail')
          .map(({ check, subject }) => `${check} ${subjectKey(subject)}`)
      const wasWrong = before.findings.filter(({ status }) => status === 'fail' || status === 'blocked')
      const isNew = failing(after).filter(
        (key) => !wasWrong.some(({ check, subject }) => `${check} ${subjectKey(subject)}` === key),
      )
      expect(isNew, 'fails only now').toEqual([])
      const acted = plan.actions.flatMap((action) => action.for)
      for (const { check, subject } of acted)
        expect(failing(after), `${check} still fails`).not.toContain(`${check} ${subjectKey(subject)}`)
      expect(widening(plan)).toEqual([])
      for (const { summary, safety, change } of plan.actions) {
        expect(summary).toMatch(/^[A-Z].*[^.]$/)
        expect(['safe', 'review']).toContain(safety)
        expect(JSON.parse(JSON.stringify(change)), 'a change is plain data').toEqual(change)
      }
    },
  )
  test('proposing twice proposes the same', async () => {
    for (const one of fixable.slice(0, 10))
      expect(await planCase(one, await sourceOf(one))).toEqual(await planCase(one, await sourceOf(one)))
  })
})

describe('a case that says what puts it right', () => {
  const told = cases.filter(({ plan, rehearsed }) => plan !== undefined || rehearsed !== undefined)
  test.each(told.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    const plan = await planCase(one, await sourceOf(one))
    if (one.plan !== undefined)
      expect(
        plan.actions.map(({ summary, change }, index) => (one.plan?.[index] === change.call ? change.call : summary)),
      ).toEqual(one.plan)
    if (one.rehearsed !== undefined) expect(plan.rehearsed, JSON.stringify(plan.remains)).toBe(one.rehearsed)
  })
  const owned = cases.filter(({ owner }) => owner !== undefined)
  test.each(owned.map((one) => [one.name, one] as const))('and who would put it back: %s', async (_name, one) => {
    const { actions } = await planCase(one, await sourceOf(one))
    expect(actions[0]?.owner?.tool).toBe(one.owner)
  })
  test('every owner is seen in one', () => {
    expect(owned.map(({ owner }) => owner).sort()).toEqual([
      'Argo CD',
      'CloudFormation',
      'Flux',
      'Helm',
      'Terraform',
      'eksctl',
    ])
  })
  test('every fixer is seen in one', () => {
    const seen = new Set(
      told.filter(({ plan }) => (plan?.length ?? 0) > 0).flatMap(({ finds }) => finds.map(({ check }) => check)),
    )
    expect(fixers.map(({ check }) => check).filter((check) => !seen.has(check))).toEqual([])
  })
})
