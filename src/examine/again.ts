/** The live examination after a plan was carried out: repeated while what was changed is not seen everywhere, and the last word of the run. */
import { type Finding, verdictOf } from '../core/finding.ts'
import { textAt } from '../core/json.ts'
import type { Plan, PlannedAction } from '../core/plan.ts'
import type { Report } from '../core/report.ts'
import type { Applied } from './apply.ts'
import { type ExamineFlags, examined } from './examined.ts'
import type { FixFlags } from './fix.ts'
import { type Look, untilEnough } from './repeat.ts'
import type { Ends } from './stoppable.ts'
import { watch } from './watch.ts'

type Examination = {
  readonly targets: readonly string[]
  readonly flags: FixFlags
  readonly version: string
  readonly ends: () => Ends
  /** Tells a person why it takes longer. */
  readonly say: (sentence: string) => void
}

/** Names of the pods of one workload differ in what its controller appends: two parts for a Deployment, one for a DaemonSet, none for a StatefulSet. */
const stemOf = (pod: string): string => pod.replace(/-[a-z0-9]{1,10}-[a-z0-9]{5}$|-[a-z0-9]{5}$/, '')

/**
 * Pods that an action has made anew, and whose successors nobody has judged: between two pods of a workload there is nobody who could fail, and
 * that is not health. In words, without an end.
 */
export function notBackYet(
  actions: readonly Pick<PlannedAction, 'effects'>[],
  findings: readonly Pick<Finding, 'subject' | 'others'>[],
): readonly string[] {
  const stems = new Set(
    findings
      .flatMap(({ subject, others = [] }) => [subject, ...others])
      .flatMap(({ kind, namespace, name }) => (kind === 'Pod' ? [`${namespace}/${stemOf(name)}`] : [])),
  )
  const gone = actions
    .flatMap(({ effects }) => effects)
    .flatMap(({ question, path }) => {
      if (question.call !== 'pods/get' || path.length > 0) return []
      const [namespace, name] = [textAt(question.input, 'namespace'), textAt(question.input, 'name')]
      return namespace === undefined || name === undefined ? [] : [{ namespace, name }]
    })
  return [
    ...new Set(
      gone.flatMap(({ namespace, name }) =>
        stems.has(`${namespace}/${stemOf(name)}`)
          ? []
          : [`the pod that takes the place of ${name} in namespace ${namespace} was not there to be examined`],
      ),
    ),
  ]
}

/** A pod that was named and has been made anew is looked for at its workload. */
export function successors(targets: readonly string[], actions: readonly Pick<PlannedAction, 'change' | 'effects'>[]) {
  return targets.map((target) => {
    const pod = /^(?:pods?|po)\/(.+)$/.exec(target)?.[1]
    const action = actions.find(({ effects }) =>
      effects.some(
        ({ question, path }) =>
          question.call === 'pods/get' && path.length === 0 && textAt(question.input, 'name') === pod,
      ),
    )
    const kind = /^(deployment|statefulset|daemonset)s\//.exec(action?.change.call ?? '')?.[1]
    const name = textAt(action?.change.input, 'name')
    return pod === undefined || kind === undefined || name === undefined ? target : `${kind}/${name}`
  })
}

/** Examines until it is healthy, or fails only in what the rehearsal has foretold, or the time is up. Undefined where it was stopped. */
export async function again(
  { targets, flags, version, ends, say }: Examination,
  plan: Plan,
  applied: Applied,
): Promise<Report | undefined> {
  const foretold = new Set(plan.remains.map(({ check }) => check))
  const settled = ({ findings }: Report): boolean =>
    verdictOf(findings.filter(({ status, check }) => status !== 'fail' || !foretold.has(check))) !== 'unhealthy'
  const remade = applied.whole ? plan.actions : []
  const whom = successors(targets, remade)
  const doctorFlags: ExamineFlags = { ...flags, output: 'table', 'show-permissions': false }
  const look: Look = async () => {
    const now = ends()
    const seen = await examined(whom, doctorFlags, version, watch(), now, { again: true })
    return now.stop.aborted ? undefined : seen
  }
  const seen = await untilEnough(look, {
    wait: applied.done > 0 ? flags.wait : 0,
    isEnough: (report) => settled(report) && notBackYet(remade, report.findings).length === 0,
    stop: ends().stop,
    say: (sentence) => say(`${sentence}, for a change takes time to be seen everywhere`),
  })
  if (seen === undefined) return undefined
  const missing = notBackYet(remade, seen.report.findings)
  return missing.length === 0 ? seen.report : unseen(seen.report, missing)
}

/** What was acted upon and could not be looked at again is not known to be well. */
const unseen = (report: Report, missing: readonly string[]): Report => ({
  ...report,
  verdict: report.verdict === 'unhealthy' ? 'unhealthy' : 'inconclusive',
  notes: [...report.notes, ...missing.map((words) => `${words}; run kubectl wi doctor when it is`)],
})
