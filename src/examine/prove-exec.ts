/** The proof of a pod's identity from outside it: what a shell in its container tells, and the same exchange with a minted token. */
import { isObject, listAt, textAt } from '../core/json.ts'
import type { Outcome, Proof, Step } from '../core/proof.ts'
import { awsAudience, podIdentityAudience } from '../domain/audiences.ts'
import { credentialOrder } from '../domain/credential-order.ts'
import { type Probed, type ProbedFile, podProbe, readProbe } from '../domain/pod-probe.ts'
import { kubernetes } from '../domain/questions.ts'
import { audiencesOf, serviceAccountOf } from '../domain/token-claims.ts'
import type { KubeconfigValues } from '../flags/kubeconfig.ts'
import { clusterChoice } from '../flags/kubeconfig.ts'
import { identityOutcome, mechanismOf } from './identity.ts'
import { exchangeMinted } from './prove-account.ts'
import { proveMounting } from './prove-mounting.ts'
import { judgeClaims, prove, type Run } from './proving.ts'
import type { Opened } from './world.ts'

export type PodPlace = {
  readonly pod: string
  readonly container?: string | undefined
  readonly fuse: boolean
  readonly timeout: number
}

/** The first container where none is named, as kubectl exec has it. */
async function containerOf(run: Run, live: Opened, { pod, container }: PodPlace): Promise<string | Outcome> {
  if (container !== undefined) return container
  const fact = await live.source.ask(kubernetes.get('pods', live.namespace, pod), run.stop)
  if (fact.state === 'absent') return { status: 'fail', says: `pod ${live.namespace}/${pod} does not exist` }
  if (fact.state === 'unknown')
    return { status: 'unknown', says: fact.detail, ...(fact.lift === undefined ? {} : { lift: fact.lift }) }
  const named = isObject(fact.value)
    ? textAt(fact.value, 'metadata', 'annotations', 'kubectl.kubernetes.io/default-container')
    : undefined
  return named ?? textAt(listAt(fact.value, 'spec', 'containers')[0], 'name') ?? ''
}

function tokenOutcome(file: ProbedFile | undefined, path: string): Outcome {
  const details = [['file', path], ...(file?.mode === undefined ? [] : [['mode', file.mode] as const])] as const
  if (file?.state === 'token')
    return { status: 'pass', says: 'the file holds a token; its signature stays in the container', details }
  const says = {
    missing: 'there is no such file in the container',
    denied: "the container's user may not read it",
    broken: 'what the file holds is no token',
  }[file?.state ?? 'missing']
  return { status: 'fail', says, details, causes: [{ check: 'workload/token-file-is-readable', says }] }
}

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
  const proofs: Proof[] = []
  for (const order of credentialOrder(probed.glance)) {
    const own: Run = { stop: run.stop, steps: proofs.length === 0 ? run.steps : [] }
    const mechanism = mechanismOf(order)
    await prove(own, 'identity', 'The identity that the pod was given', () => identityOutcome(order, mechanism))
    if (order.cloud === 'aws' && order.given !== undefined)
      await proveProbed(own, live, probed, order.given.way === 'container-credentials')
    else if (order.given !== undefined)
      await prove(own, 'exchange', 'The exchange', () => ({
        status: 'unknown',
        says: 'of this cloud only what the pod has is looked at from outside',
        lift: 'run kubectl wi exchange-test inside the pod',
      }))
    const expected = probed.values.AWS_ROLE_ARN
    proofs.push({
      cloud: order.cloud,
      mechanism,
      ...(order.cloud === 'aws' && expected !== undefined ? { expected } : {}),
      steps: own.steps,
    })
  }
  if (proofs.length === 0) proofs.push({ cloud: 'pod', mechanism: 'none', steps: run.steps })
  const { mounting } = probed
  return [...proofs, await proveMounting(run.stop, () => mounting, place.fuse)]
}

async function proveProbed(run: Run, live: Opened, { files, values }: Probed, agent: boolean): Promise<void> {
  const variable = agent ? 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE' : 'AWS_WEB_IDENTITY_TOKEN_FILE'
  const file = files[variable]
  const token: Step = await prove(run, 'token', 'The token file in the container', () =>
    tokenOutcome(file, values[variable] ?? ''),
  )
  if (file?.state !== 'token') return
  const { header, claims } = file
  const wanted = agent ? { audience: podIdentityAudience } : { usual: awsAudience }
  const judged = { header, claims, unsigned: textAt(header, 'alg') === 'none' }
  await prove(
    run,
    'own-claims',
    'What the token in the container claims',
    () => judgeClaims(judged, wanted, Date.now() / 1000),
    token,
  )
  const owner = serviceAccountOf(textAt(claims, 'sub'))
  const roleArn = values.AWS_ROLE_ARN
  const audience = audiencesOf(claims)[0]
  if (agent || owner === undefined || roleArn === undefined || audience === undefined) {
    const says = agent
      ? 'the agent answers only whoever asks from inside the pod'
      : 'the role or the ServiceAccount is not known'
    await prove(run, 'exchange', 'The exchange', () => ({
      status: 'unknown',
      says,
      lift: 'run kubectl wi exchange-test inside the pod',
    }))
    return
  }
  await exchangeMinted(run, live, { ...owner, audience }, { roleArn, audience, by: 'AWS_ROLE_ARN of the pod' })
}
