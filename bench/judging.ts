/** Bound 8 in one process: the facts of 5,000 ServiceAccounts parsed from text, then 200 checks judged over them. */
import { type Check, defineCheck } from '../src/core/check.ts'
import { examine } from '../src/core/engine.ts'
import { absent, defineProbe, inquire, known, type Question, type Source } from '../src/core/fact.ts'
import { type Json, listAt, textAt } from '../src/core/json.ts'
import type { Subject } from '../src/core/subject.ts'
import { pod, type Size, serviceAccount } from './cluster.ts'

const size: Size = { serviceAccounts: 5000, pods: 10_000 }
const checkCount = 200
const probeCount = 20

const facts = (): string => {
  const serviceAccounts = Array.from({ length: size.serviceAccounts }, (_, index) => serviceAccount(index))
  const pods = Array.from({ length: size.pods }, (_, index) => pod(index, size))
  return JSON.stringify({ serviceAccounts, pods })
}

const cpu = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

const timed = async <T>(
  work: () => T | Promise<T>,
): Promise<{ readonly value: T; readonly wall: number; readonly cpu: number }> => {
  const before = cpu()
  const started = performance.now()
  const value = await work()
  return { value, wall: performance.now() - started, cpu: cpu() - before }
}

type Facts = { readonly serviceAccounts: readonly Json[]; readonly pods: readonly Json[] }

const nameOf = (object: Json): string =>
  `${textAt(object, 'metadata', 'namespace')}/${textAt(object, 'metadata', 'name')}`

const inMemory = ({ serviceAccounts, pods }: Facts): Source => {
  const byName = new Map(serviceAccounts.map((object) => [nameOf(object), object]))
  const podsOf = new Map<string, Json[]>()
  for (const one of pods) {
    const key = `${textAt(one, 'metadata', 'namespace')}/${textAt(one, 'spec', 'serviceAccountName')}`
    const shelf = podsOf.get(key)
    if (shelf === undefined) podsOf.set(key, [one])
    else shelf.push(one)
  }
  return {
    name: 'memory',
    ask: (question) => {
      const key = `${question.input.namespace}/${question.input.name}`
      if (question.call === 'list pods') return known({ items: podsOf.get(key) ?? [] }, question)
      const found = byName.get(key)
      return found === undefined ? absent(question) : known(found, question)
    },
  }
}

const questionAbout = ({ namespace = '', name }: Subject, call: string): Question => ({
  system: 'kubernetes',
  call,
  input: { namespace, name },
})

/** Walks every pod that runs as the account down to its variables. */
const roleOfPods = (answer: Json): string =>
  listAt(answer, 'items')
    .map((one) => {
      const variables = listAt(one, 'spec', 'containers').flatMap((container) => listAt(container, 'env'))
      const role = variables.find((variable) => textAt(variable, 'name') === 'AWS_ROLE_ARN')
      return textAt(role, 'value') ?? textAt(one, 'metadata', 'name') ?? ''
    })
    .join(', ')

// The shape of the real catalogue: probes over one account or over its pods, checks over a few probes, one in twenty failing,
// some waiting. Together they read all that the yardstick parses.
const probes = Array.from({ length: probeCount }, (_, index) =>
  defineProbe({
    id: `bench/probe-${index}`,
    about: `fact ${index}`,
    scope: 'service-account',
    needs: {},
    wants: {},
    ask: (_have, _want, inquiry) =>
      index % 4 === 3
        ? inquire(inquiry, questionAbout(inquiry.subject, 'list pods'), roleOfPods)
        : inquire(inquiry, questionAbout(inquiry.subject, 'get serviceaccounts'), (value) =>
            textAt(value, 'metadata', index % 2 === 0 ? 'name' : 'uid'),
          ),
  }),
)

const probeAt = (index: number) => {
  const probe = probes[index % probeCount]
  if (probe === undefined) throw new Error('no probe')
  return probe
}

const idOf = (index: number): `${string}/${string}` => `bench/check-${String(index).padStart(3, '0')}`

const checks: readonly Check[] = Array.from({ length: checkCount }, (_, index) =>
  defineCheck({
    meta: {
      id: idOf(index),
      title: `Fact ${index} is as it should be`,
      severity: 'error',
      scope: 'service-account',
      cloud: 'any',
      section: 'Bench',
      why: 'It is measured.',
      links: ['https://kubernetes.io/'],
    },
    needs: { one: probeAt(index), two: probeAt(index + 7) },
    wants: index % 4 === 0 ? { three: probeAt(index + 3) } : {},
    after: index % 5 === 0 && index > 0 ? [idOf(index - 1)] : [],
    messages: { 'ends-badly': ({ name }: { name: string }) => `${name} ends badly` },
    judge: ({ have }) => {
      const { one, two } = have
      if (one.state === 'absent' || two.state === 'absent') return { status: 'not-applicable', reason: 'there is none' }
      const evidence = [{ question: one.from, path: 'metadata.name', observed: one.value }]
      return index % 20 === 0 && one.value.endsWith('7')
        ? { status: 'fail', message: 'ends-badly', data: { name: one.value }, evidence }
        : { status: 'pass', evidence }
    },
  }),
)

const text = facts()
const parsing = await timed((): Facts => JSON.parse(text))
const subjects = parsing.value.serviceAccounts.map((object) => ({
  kind: 'ServiceAccount',
  namespace: textAt(object, 'metadata', 'namespace') ?? '',
  name: textAt(object, 'metadata', 'name') ?? '',
}))
const source = inMemory(parsing.value)
const judging = await timed(() => examine({ checks, subjects, source }))
if (judging.value.findings.length !== checkCount * size.serviceAccounts) throw new Error('some were not judged')
console.log(
  JSON.stringify({
    parse: { wall: parsing.wall, cpu: parsing.cpu },
    judge: { wall: judging.wall, cpu: judging.cpu },
    findings: judging.value.findings.length,
    bytes: text.length,
  }),
)
