/** Records, over all cases, which kinds of questions each probe asks: what `--show-permissions` is derived from. */
import { checks } from '../src/checks/index.ts'
import { examine } from '../src/core/engine.ts'
import { known, type Question, type Source, unknown } from '../src/core/fact.ts'
import { listAt } from '../src/core/json.ts'
import type { Subject } from '../src/core/subject.ts'
import type { Asked } from '../src/knowledge/asked.ts'
import { notAskedLive } from '../src/knowledge/permissions.ts'
import { subjectsFor } from '../src/probes/subjects.ts'
import { remembered } from '../src/sources/remembered.ts'
import { type Case, cases, targetOf } from '../test/case-files.ts'
import { sourceOf } from '../test/examining.ts'

export const kindOf = ({ system, call }: Question): string => `${system} ${call}`

/** What probes ask only after a refusal, which no document shows; the laws refuse every call of every case in turn and compare. */
const whenRefused: { readonly [probe: string]: readonly string[] } = {
  'aws/audience': ['kubernetes configmaps/get'],
  'cluster/private-nodes': ['kubernetes nonresource /version/get'],
  'workload/accepted-audiences': ['aws iam:GetOpenIDConnectProvider'],
}

type Hear = (probe: string, kind: string) => void

/** A case's examination as a live cluster's: nobody is judged because a document merely lies there. */
async function examined(source: Source, targets: readonly string[], hear: Hear) {
  const { subjects } = await subjectsFor(source, { targets, documents: targets.length === 0 })
  await examine({
    checks,
    subjects,
    source,
    observer: { asked: (probe, question) => hear(probe.id, kindOf(question)) },
  })
  return subjects
}

const targetsAmong = (subjects: readonly Subject[]): readonly string[] => [
  ...new Set(subjects.flatMap((subject) => targetOf(subject) ?? [])),
]

/** What the probes ask in this case: about everybody, and again about everybody by name. */
async function hearCase(one: Pick<Case, 'path'>, whole: Hear, named: Hear): Promise<void> {
  const source = remembered(await sourceOf(one))
  const subjects = await examined(source, [], whole)
  const targets = targetsAmong(subjects)
  if (targets.length > 0) await examined(source, targets, named)
}

/** What leaves a run that looks into one namespace of a cluster whose lists are whole: the rest is answered from them. */
async function sentIn(one: Pick<Case, 'path' | 'subject'>, sent: (kind: string) => void): Promise<void> {
  const documents = await sourceOf(one)
  const source = remembered({
    name: documents.name,
    ask: async (question, signal) => {
      sent(kindOf(question))
      const fact = await documents.ask(question, signal)
      if (question.system !== 'kubernetes' || !question.call.endsWith('/list')) return fact
      // A list that only documents are asked for answers for no single object of a cluster.
      if (notAskedLive.has(kindOf(question))) return unknown('not-asked', 'only documents are asked', question)
      return known({ items: fact.state === 'known' ? listAt(fact.value, 'items') : [], complete: true }, question)
    },
  })
  const { namespace = 'default' } = one.subject
  const target = targetOf(one.subject)
  for (const targets of target === undefined ? [[]] : [[], [target]]) {
    const { subjects } = await subjectsFor(source, { targets, namespace })
    await examine({ checks, subjects, source })
  }
}

/** By probe: what it may ask about anybody, and what it asks only where nobody is named. */
export async function asked(): Promise<Asked> {
  const all = new Map<string, Set<string>>()
  const byName = new Set<string>()
  const sent = new Set<string>()
  const hear: Hear = (probe, kind) => {
    const kinds = all.get(probe) ?? new Set()
    all.set(probe, kinds.add(kind))
  }
  for (const [probe, kinds] of Object.entries(whenRefused))
    for (const kind of kinds) {
      hear(probe, kind)
      byName.add(`${probe} ${kind}`)
    }
  for (const one of cases) {
    await hearCase(one, hear, (probe, kind) => {
      hear(probe, kind)
      byName.add(`${probe} ${kind}`)
    })
    await sentIn(one, (kind) => sent.add(kind))
  }
  const probes = Object.fromEntries(
    [...all]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([probe, kinds]) => {
        const sorted = [...kinds].sort()
        const isNamed = (kind: string): boolean => byName.has(`${probe} ${kind}`)
        return [probe, { always: sorted.filter(isNamed), whole: sorted.filter((kind) => !isNamed(kind)) }]
      }),
  )
  const heard = new Set([...all.values()].flatMap((kinds) => [...kinds]))
  const fromLists = [...heard].filter((kind) => /^kubernetes .*\/get$/.test(kind) && !sent.has(kind)).sort()
  return { fromLists, probes }
}
