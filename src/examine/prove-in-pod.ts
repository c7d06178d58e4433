/** `--in-pod NAME`: exchange-test itself, run beside a container of the pod with all that the container was given. */
import { randomBytes } from 'node:crypto'
import type { PodRuns, Seen, Unseen } from '../apply/in-pod.ts'
import { podRuns } from '../apply/in-pod.ts'
import { type JsonObject, textAt } from '../core/json.ts'
import type { Outcome, ProofReport } from '../core/proof.ts'
import { containerMeant, containerNames, ephemeralContainer, type Guest, jobLike } from '../domain/in-pod.ts'
import { toldProof } from '../domain/told-proof.ts'
import { clusterChoice, type KubeconfigValues } from '../flags/kubeconfig.ts'
import { prove, type Run } from './proving.ts'
import { asTrouble } from './trouble.ts'

export type InPodWishes = KubeconfigValues & {
  readonly pod: string
  readonly container?: string | undefined
  readonly image: string
  readonly job: boolean
  /** Milliseconds for the whole run. */
  readonly timeout: number
  /** What the run inside is told besides. */
  readonly args: readonly string[]
}
type Setting = {
  readonly version: string
  readonly run: Run
  /** One line for whoever waits; not part of the result. */
  readonly say: (line: string) => void
}

const secondsOf = (milliseconds: number): number => Math.max(1, Math.ceil(milliseconds / 1000))
const unseenAs = ({ detail, lift }: Unseen): Outcome => ({
  status: 'unknown',
  says: detail,
  ...(lift === undefined ? {} : { lift }),
})
const mostWords = 600

type Stay = {
  readonly runs: PodRuns
  readonly wishes: InPodWishes
  readonly namespace: string
  readonly pod: JsonObject
  readonly container: JsonObject
  readonly say: (line: string) => void
}

const details = ({ wishes, container }: Stay, where: string, { without }: Guest): NonNullable<Outcome['details']> => [
  ['container', textAt(container, 'name') ?? ''],
  ['beside it', where],
  ['image', wishes.image],
  ...without.map((one) => ['without', one] as const),
]

/** Why it cannot run beside this pod at all; undefined where it can. */
function hindrance(pod: JsonObject, wishes: InPodWishes): Unseen | undefined {
  const no = (detail: string, lift?: string): Unseen => ({
    state: 'unseen',
    detail,
    ...(lift === undefined ? {} : { lift }),
  })
  const phase = textAt(pod, 'status', 'phase') ?? 'Unknown'
  if (textAt(pod, 'metadata', 'deletionTimestamp') !== undefined) return no('the pod is being deleted')
  if (textAt(pod, 'spec', 'nodeName') === undefined) return no('the pod runs on no node yet')
  if (!wishes.job && phase !== 'Running')
    return no(`the pod does not run: its phase is ${phase}`, 'run it as a Job: --job')
  const system = textAt(pod, 'spec', 'os', 'name') ?? textAt(pod, 'spec', 'nodeSelector', 'kubernetes.io/os')
  if (system !== undefined && system !== 'linux') return no(`the pod is one of ${system}, and the image is of Linux`)
  return undefined
}

async function asEphemeral(stay: Stay, name: string): Promise<Seen<{ log: string; details: Outcome['details'] }>> {
  const { runs, wishes, pod, container, say } = stay
  const guest = ephemeralContainer(pod, container, { name, image: wishes.image, args: wishes.args })
  say(
    `Adding ephemeral container ${name} to pod ${wishes.pod}. It ends by itself, and stays in the pod's description until the pod is deleted; --job leaves nothing behind.`,
  )
  const added = await runs.addEphemeral(wishes.pod, guest.object)
  if (added.state === 'unseen') return added
  const ended = await runs.ended(wishes.pod, name)
  if (ended.state === 'unseen') return ended
  const told = details(stay, `ephemeral container ${name}, which stays in the pod's description`, guest)
  return { state: 'seen', value: { log: ended.value.log, details: told } }
}

async function asJob(stay: Stay, name: string): Promise<Seen<{ log: string; details: Outcome['details'] }>> {
  const { runs, wishes, namespace, pod, container, say } = stay
  const seconds = secondsOf(wishes.timeout) + 30
  const guest = jobLike(pod, container, { name, namespace, seconds, image: wishes.image, args: wishes.args })
  const created = await runs.createJob(guest.object)
  if (created.state === 'unseen') return created
  say(`Created Job ${name}; it is deleted when this ends.`)
  try {
    const made = await runs.podOfJob(name)
    if (made.state === 'unseen') return made
    const ended = await runs.ended(made.value, 'exchange-test')
    if (ended.state === 'unseen') return ended
    const told = details(stay, `pod ${made.value} of Job ${name}, on the same node`, guest)
    return { state: 'seen', value: { log: ended.value.log, details: told } }
  } finally {
    const gone = await runs.deleteJob(name)
    if (gone.state === 'seen') say(`Deleted Job ${name}.`)
    else
      say(
        `Job ${name} could not be deleted (${gone.detail}). It ends within ${seconds} s; delete it with: kubectl delete job ${name} -n ${namespace}`,
      )
  }
}

/** @throws usage errors where no cluster can be asked */
export async function proveInPod(wishes: InPodWishes, { version, run, say }: Setting): Promise<ProofReport> {
  const { connect } = await import('../sources/live/api-server.ts')
  const flags = clusterChoice(wishes)
  const api = await connect(flags, { version, timeoutMs: wishes.timeout }).catch((error: unknown) => {
    throw asTrouble(error)
  })
  const { namespace } = api
  const subject = `pod ${namespace}/${wishes.pod}`
  let log = ''
  let told: ProofReport | undefined
  try {
    await prove(run, 'beside', 'exchange-test runs beside the container', async (): Promise<Outcome> => {
      const runs = podRuns(api, namespace, run.stop)
      const seen = await runs.pod(wishes.pod)
      if (seen.state === 'unseen') return unseenAs(seen)
      const pod = seen.value
      const hindered = hindrance(pod, wishes)
      if (hindered !== undefined) return unseenAs(hindered)
      const container = containerMeant(pod, wishes.container)
      if (container === undefined)
        return unseenAs({
          state: 'unseen',
          detail: `the pod has no container ${wishes.container ?? ''}`,
          lift: `one of its own: -c ${containerNames(pod).join(', -c ')}`,
        })
      const name = `wi-exchange-test-${randomBytes(4).toString('hex')}`
      const stay: Stay = { runs, wishes, namespace, pod, container, say }
      const ran = await (wishes.job ? asJob(stay, name) : asEphemeral(stay, name))
      if (ran.state === 'unseen') return unseenAs(ran)
      log = ran.value.log
      told = toldProof(log)
      const shown = ran.value.details ?? []
      return told === undefined
        ? {
            status: 'unknown',
            says: `it has not written what exchange-test writes${log.trim() === '' ? ': nothing at all' : ''}`,
            details: [...shown, ...(log.trim() === '' ? [] : [['wrote', log.trim().slice(0, mostWords)] as const])],
            lift: 'an image of this version of kubectl wi, for the architecture of the node: --image',
          }
        : { status: 'pass', says: 'it has told what it found', details: shown }
    })
  } finally {
    api.close()
  }
  if (told === undefined)
    return {
      subject,
      proofs: [{ cloud: 'pod', mechanism: 'none', steps: run.steps }],
      lookedFor: [],
      verdict: 'inconclusive',
    }
  const [first, ...rest] = told.proofs
  const proofs =
    first === undefined
      ? [{ cloud: 'pod', mechanism: 'none', steps: run.steps }]
      : [{ ...first, steps: [...run.steps, ...first.steps] }, ...rest]
  return { ...told, subject, proofs }
}
