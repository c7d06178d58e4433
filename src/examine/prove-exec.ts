/** The proof of a pod's identity from outside it: what a shell in its container tells, and the same exchange with a minted token. */
import { isObject, listAt, textAt } from '../core/json.ts'
import { foundNothing, type Outcome, type Proof } from '../core/proof.ts'
import { credentialOrder } from '../domain/credential-order.ts'
import { type Probed, podProbe, readProbe } from '../domain/pod-probe.ts'
import { kubernetes } from '../domain/questions.ts'
import type { KubeconfigValues } from '../flags/kubeconfig.ts'
import { clusterChoice } from '../flags/kubeconfig.ts'
import { identityOutcome, mechanismOf } from './identity.ts'
import { proveMounting } from './prove-mounting.ts'
import { type PodSeen, proveProbed, proveServed } from './prove-probed.ts'
import { prove, type Run, unseen } from './proving.ts'
import type { Opened } from './world.ts'

export type PodPlace = {
  readonly pod: string
  readonly container?: string | undefined
  readonly fuse: boolean
  readonly timeout: number
}

/** Who the pod runs as, by its own word to the API server; undefined where that was not seen. */
async function accountOf(run: Run, live: Opened, { pod }: PodPlace): Promise<string | undefined> {
  const fact = await live.source.ask(kubernetes.get('pods', live.namespace, pod), run.stop)
  return fact.state === 'known' ? (textAt(fact.value, 'spec', 'serviceAccountName') ?? 'default') : undefined
}

/** The first container where none is named, as kubectl exec has it. */
async function containerOf(run: Run, live: Opened, { pod, container }: PodPlace): Promise<string | Outcome> {
  if (container !== undefined) return container
  const fact = await live.source.ask(kubernetes.get('pods', live.namespace, pod), run.stop)
  if (fact.state === 'absent') return { status: 'fail', says: `pod ${live.namespace}/${pod} does not exist` }
  if (fact.state === 'unknown') return unseen(fact)
  const named = isObject(fact.value)
    ? textAt(fact.value, 'metadata', 'annotations', 'kubectl.kubernetes.io/default-container')
    : undefined
  return named ?? textAt(listAt(fact.value, 'spec', 'containers')[0], 'name') ?? ''
}

/** A proof for each identity that a shell in the container tells of, and one of what it may mount; of the look alone where that failed. Nothing is written into the pod. */
export async function provePodElsewhere(
  run: Run,
  live: Opened,
  flags: KubeconfigValues,
  place: PodPlace,
): Promise<readonly Proof[]> {
  const { execInPod } = await import('../sources/live/pod-exec.ts')
  const namespace = live.namespace ?? 'default'
  let probed: Probed | undefined
  const looked = await prove(run, 'look', 'A shell in the container tells what it has', async (): Promise<Outcome> => {
    const container = await containerOf(run, live, place)
    if (typeof container !== 'string') return container
    const how = { env: process.env, timeoutMs: Math.min(20_000, place.timeout), signal: run.stop }
    const ran = await execInPod(clusterChoice(flags), { namespace, pod: place.pod, container }, podProbe, how)
    if (ran.state === 'unseen') return { status: 'unknown', says: ran.detail, lift: ran.lift }
    probed = readProbe(ran.output)
    if (!probed.complete)
      return { status: 'unknown', says: `the shell in container ${container} ended early (${ran.code})` }
    return {
      status: 'pass',
      says: `container ${container} was looked at`,
      details: [['user', probed.user ?? 'unknown']],
    }
  })
  if (looked.status !== 'pass' || probed === undefined) return [{ cloud: 'pod', mechanism: 'none', steps: run.steps }]
  const pod: PodSeen = { ...probed, namespace, name: place.pod, account: await accountOf(run, live, place) }
  const proofs: Proof[] = []
  for (const order of credentialOrder(probed.glance)) {
    const own: Run = { stop: run.stop, steps: proofs.length === 0 ? run.steps : [] }
    const mechanism = mechanismOf(order)
    await prove(own, 'identity', 'The identity that the pod was given', () => identityOutcome(order, mechanism))
    if (order.given !== undefined) await proveProbed(own, live, pod, order.given.way)
    const expected = { aws: probed.values.AWS_ROLE_ARN, azure: probed.values.AZURE_CLIENT_ID, gcp: undefined }[
      order.cloud
    ]
    proofs.push({ cloud: order.cloud, mechanism, ...(expected ? { expected } : {}), steps: own.steps })
  }
  const served = foundNothing(proofs) ? await proveServed(run.stop, live, pod) : undefined
  if (served !== undefined)
    proofs.push(proofs.length === 0 ? { ...served, steps: [...run.steps, ...served.steps] } : served)
  if (proofs.length === 0) proofs.push({ cloud: 'pod', mechanism: 'none', steps: run.steps })
  const { mounting } = probed
  return [...proofs, await proveMounting(run.stop, () => mounting, place.fuse)]
}
