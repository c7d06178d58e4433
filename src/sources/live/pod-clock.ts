/** The clock inside a pod, as `date` in its first container tells it. */
import { type Fact, known, type Question, type Soon, unknown } from '../../core/fact.ts'
import { type Json, listAt, textAt } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import { clockOf } from './date-header.ts'
import type { KubeFlags } from './kubeconfig.ts'
import { execInPod } from './pod-exec.ts'
import { LiveTrouble } from './trouble.ts'

type Setting = {
  readonly flags: KubeFlags
  readonly env: NodeJS.ProcessEnv
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly ask: (question: Question) => Soon<Fact<Json>>
}

/** → `{date, at, within, node?}`; unknown where no shell could be started there, or it knows no `date`. */
export async function podClock(question: Question, setting: Setting): Promise<Fact<Json>> {
  const [namespace, name] = [textAt(question.input, 'namespace'), textAt(question.input, 'name')]
  if (namespace === undefined || name === undefined)
    return unknown('not-asked', 'no pod was named to look into', question, '--exec')
  const pod = await setting.ask(kubernetes.get('pods', namespace, name))
  if (pod.state !== 'known') return { ...pod, from: question }
  const container = textAt(listAt(pod.value, 'spec', 'containers')[0], 'name')
  if (container === undefined || textAt(pod.value, 'status', 'phase') !== 'Running')
    return unknown('unreachable', `pod ${namespace}/${name} does not run, so nobody can look into it`, question)
  const sent = Date.now()
  const place = { namespace, pod: name, container }
  const ran = await execInPod(setting.flags, place, 'date -u +%Y-%m-%dT%H:%M:%SZ', setting).catch((error: unknown) => {
    if (error instanceof LiveTrouble) return { state: 'unseen', detail: error.happened, lift: error.next } as const
    throw error
  })
  const received = Date.now()
  if (ran.state === 'unseen')
    return unknown(
      'unreachable',
      `pod ${namespace}/${name} could not be looked into: ${ran.detail}`,
      question,
      ran.lift,
    )
  const clock = clockOf(Date.parse(ran.output.trim()), sent, received)
  if (clock === undefined)
    return unknown('malformed', `pod ${namespace}/${name} has no \`date\` that tells the time`, question)
  const node = textAt(pod.value, 'spec', 'nodeName')
  return known({ ...clock, ...(node === undefined ? {} : { node }) }, question)
}
