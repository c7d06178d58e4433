/** What a shell in a container has told of its identity, proven from outside with a token like the container's own. */
import { type Fact, known, type Question, type Soon, type Source } from '../core/fact.ts'
import { isObject, type Json, textAt } from '../core/json.ts'
import type { Outcome, Proof } from '../core/proof.ts'
import { awsAudience, azureAudience, bindingAudience, podIdentityAudience } from '../domain/audiences.ts'
import { usualAuthority } from '../domain/azure-clouds.ts'
import { isAzureAudience } from '../domain/azure-pods.ts'
import type { Way } from '../domain/credential-order.ts'
import type { Probed, ProbedFile } from '../domain/pod-probe.ts'
import { kubernetes } from '../domain/questions.ts'
import { audiencesOf, serviceAccountOf } from '../domain/token-claims.ts'
import { type Learned, learnerOf, type Who } from './learn.ts'
import { learnGoogle, ofGke } from './learn-google.ts'
import { proveLearned } from './prove-account.ts'
import { whomUnnamed } from './prove-azure.ts'
import { exchangeMinted } from './prove-minted-aws.ts'
import { exchangeAtEntra, keptFrom } from './prove-minted-azure.ts'
import { inside, judgeClaims, prove, type Run } from './proving.ts'
import type { Opened } from './world.ts'

/** What was seen in the container, and who the pod runs as by the API server's word. */
export type PodSeen = Probed & {
  readonly namespace: string
  readonly name: string
  readonly account: string | undefined
}

const notTried = (run: Run, says: string) =>
  prove(run, 'exchange', 'The exchange', () => ({ status: 'unknown', says, lift: inside }))

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

/** The steps after the identity that the pod was given. */
export async function proveProbed(run: Run, live: Opened, pod: PodSeen, way: Way): Promise<void> {
  if (way === 'web-identity' || way === 'container-credentials') await proveAws(run, live, pod, way)
  else if (way === 'federated-token') await proveAzure(run, live, pod)
  else if (way === 'external-account') await proveConfigured(run, live, pod)
  else await notTried(run, 'of this identity only that the pod has it is looked at from outside')
}

type OwnToken = { readonly owner: Who; readonly audience: string }

/** Why a token that is for somebody else is no token of this pod; undefined where it is its own, or who it runs as was not seen. */
function foreignTo({ namespace, account }: PodSeen, owner: Who | undefined): Outcome | undefined {
  if (owner === undefined || account === undefined || (owner.namespace === namespace && owner.name === account))
    return undefined
  const says = `the token is of ServiceAccount ${owner.namespace}/${owner.name}, and the pod runs as ${namespace}/${account}`
  return { status: 'fail', says, causes: [{ check: 'workload/token-is-for-this-workload', says }] }
}

/**
 * The token file of the container, what it claims, and so whose token is to be minted. A container may hold any file: nobody's token but that
 * of the pod's own ServiceAccount is made for what stands in one.
 */
async function ownToken(
  run: Run,
  pod: PodSeen,
  variable: string,
  wanted: { readonly audience?: string; readonly usual?: string },
): Promise<OwnToken | undefined> {
  const file = pod.files[variable]
  const token = await prove(run, 'token', 'The token file in the container', () =>
    tokenOutcome(file, pod.values[variable] ?? ''),
  )
  if (file?.state !== 'token') return undefined
  const { header, claims } = file
  const judged = { header, claims, unsigned: textAt(header, 'alg') === 'none' }
  const owner = serviceAccountOf(textAt(claims, 'sub'))
  const foreign = foreignTo(pod, owner)
  const judge = () => foreign ?? judgeClaims(judged, wanted, Date.now() / 1000)
  await prove(run, 'own-claims', 'What the token in the container claims', judge, token)
  const audience = audiencesOf(claims)[0]
  return owner === undefined || audience === undefined || foreign !== undefined ? undefined : { owner, audience }
}

async function proveAws(run: Run, live: Opened, pod: PodSeen, way: Way): Promise<void> {
  const agent = way === 'container-credentials'
  const variable = agent ? 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE' : 'AWS_WEB_IDENTITY_TOKEN_FILE'
  const own = await ownToken(run, pod, variable, agent ? { audience: podIdentityAudience } : { usual: awsAudience })
  if (pod.files[variable]?.state !== 'token') return
  const roleArn = pod.values.AWS_ROLE_ARN
  if (agent) await notTried(run, 'the agent answers only whoever asks from inside the pod')
  else if (own === undefined || roleArn === undefined)
    await notTried(run, 'the role or the ServiceAccount is not known')
  else {
    const { owner, audience } = own
    await exchangeMinted(run, live, { ...owner, audience }, { roleArn, by: 'AWS_ROLE_ARN of the pod' })
  }
}

async function proveAzure(run: Run, live: Opened, pod: PodSeen): Promise<void> {
  const variable = 'AZURE_FEDERATED_TOKEN_FILE'
  const own = await ownToken(run, pod, variable, { usual: azureAudience })
  if (pod.files[variable]?.state !== 'token') return
  const { AZURE_CLIENT_ID: clientId = '', AZURE_TENANT_ID: tenant = '' } = pod.values
  const authority = pod.values.AZURE_AUTHORITY_HOST ?? usualAuthority
  const unnamed = whomUnnamed(clientId, tenant)
  if (unnamed !== undefined) {
    await prove(run, 'exchange', 'The exchange', () => unnamed)
    return
  }
  if (own === undefined || pod.account === undefined) {
    await notTried(run, 'whose token it is was not seen')
    return
  }
  const { owner, audience } = own
  const kept = keptFrom(authority)
  if (kept !== undefined) await prove(run, 'exchange', 'The exchange', () => kept)
  else if (!isAzureAudience(audience) || audience === bindingAudience)
    await notTried(run, `the token in the container is for ${audience}, and none such is sent to Entra from outside`)
  else {
    const order = { token: { ...owner, audience }, clientId, tenant, authority }
    await exchangeAtEntra(run, live, order, 'AZURE_CLIENT_ID of the pod')
  }
}

/** What Google's probes make of this pod alone: another one of the same ServiceAccount may read another configuration. */
async function learnPod(live: Opened, pod: PodSeen, stop: AbortSignal): Promise<Learned | undefined> {
  const { namespace, name, account } = pod
  if (account === undefined)
    return {
      mechanism: 'none',
      outcome: { status: 'unknown', says: 'who the pod runs as was not seen', lift: 'get pods' },
    }
  const who = { namespace, name: account }
  return learnGoogle(live, who, learnerOf(withOnly(live.source, namespace, name), who, stop), true)
}

/** The same world with one pod in this namespace. */
const withOnly = (source: Source, namespace: string, name: string): Source => {
  const { call } = kubernetes.list('pods', namespace)
  const alone = async (question: Question, signal?: AbortSignal): Promise<Fact<Json>> => {
    const fact = await source.ask(kubernetes.get('pods', namespace, name), signal)
    if (fact.state === 'unknown') return { ...fact, from: question }
    const items = fact.state === 'known' && isObject(fact.value) ? [fact.value] : []
    return known({ items, complete: true }, question)
  }
  return {
    name: source.name,
    ask: (question, signal): Soon<Fact<Json>> =>
      question.system === 'kubernetes' && question.call === call
        ? alone(question, signal)
        : source.ask(question, signal),
  }
}

async function proveConfigured(run: Run, live: Opened, pod: PodSeen): Promise<void> {
  let learned: Learned | undefined
  const found = await prove(run, 'configuration', 'What the configuration asks for', async (): Promise<Outcome> => {
    learned = await learnPod(live, pod, run.stop)
    return learned?.outcome ?? { status: 'unknown', says: 'the configuration was not seen from outside', lift: inside }
  })
  if (found.status === 'pass') await learned?.go?.(run)
}

/** Nothing in a pod of GKE shows that it has an identity; whether the metadata server serves it is seen only from inside. */
export async function proveServed(stop: AbortSignal, live: Opened, pod: PodSeen): Promise<Proof | undefined> {
  if (pod.account === undefined) return undefined
  const learn = async (): Promise<Learned | undefined> => {
    const learned = await learnPod(live, pod, stop)
    return learned?.mechanism === ofGke ? learned : undefined
  }
  const proof = await proveLearned(stop, 'gcp', learn, 'The identity that the pod has on GKE')
  if (proof === undefined) return undefined
  const run: Run = { stop, steps: [...proof.steps] }
  await prove(run, 'metadata-server', 'The metadata server serves this pod', () => ({
    status: 'unknown',
    says: 'whether it does is seen only from inside the pod',
    lift: 'kubectl wi exchange-test --in-pod NAME, or inside the pod',
  }))
  return { ...proof, steps: run.steps }
}
