/** The proof of everything that this pod was given: a proof for each cloud of which it has credentials. */
import { foundNothing, type Proof, type ProofReport, type Step, verdictOf } from '../core/proof.ts'
import { type CloudOrder, credentialOrder, lookedFor } from '../domain/credential-order.ts'
import { kubernetes } from '../domain/questions.ts'
import type { PodWeb } from '../sources/live/pod-web.ts'
import { identityOutcome, mechanismOf } from './identity.ts'
import { type AwsPlace, proveAws } from './prove-aws.ts'
import { placeOf } from './prove-store.ts'
import { prove, type Run } from './proving.ts'

export type PodWishes = {
  readonly s3?: string | undefined
  readonly gcs?: string | undefined
  readonly blob?: string | undefined
  readonly write: boolean
  /** Not to be able to mount by FUSE is a failure. */
  readonly fuse: boolean
  readonly timeout: number
}

const stores = [
  ['aws', 's3'],
  ['gcp', 'gcs'],
  ['azure', 'blob'],
] as const

const longestRequest = 10_000

/** `stop` ends it early; what is not seen by then is said to be so. @throws LiveTrouble */
export async function provePod(wishes: PodWishes, env: NodeJS.ProcessEnv, stop: AbortSignal): Promise<ProofReport> {
  const [{ lookAtPod, readConfiguration, readTokenFile }, { tokenVault }, { oidcSource }, { podWeb }] =
    await Promise.all([
      import('../sources/live/pod.ts'),
      import('../sources/live/token-vault.ts'),
      import('../sources/live/oidc.ts'),
      import('../sources/live/pod-web.ts'),
    ])
  const vault = tokenVault()
  const timeoutMs = Math.min(longestRequest, wishes.timeout)
  const settings = { env, vault, timeoutMs, signal: stop }
  const begun = performance.now()
  const glance = await lookAtPod(env)
  const web = podWeb(settings)
  const oidc = oidcSource({
    ...settings,
    mint: async (name) => ({ state: 'known', value: {}, from: kubernetes.token(name) }),
  })
  const closers: (() => void)[] = [() => vault.empty(), web.close, oidc.close]
  const readToken: AwsPlace['readToken'] = (file) => readTokenFile(file, vault)
  const google = async () => (await import('../sources/live/pod-google.ts')).podGoogle(web, vault, env)

  const proveGiven = async (run: Run, { cloud, given }: CloudOrder): Promise<void> => {
    if (given === undefined) return
    if (cloud === 'aws') {
      const { podAws } = await import('../sources/live/pod-aws.ts')
      const aws = podAws(settings)
      closers.push(aws.close)
      await proveAws(run, given.way === 'container-credentials', { ...wishes, env, aws, oidc, readToken })
    } else if (given.way === 'external-account') {
      const { proveExternalAccount } = await import('./prove-google.ts')
      const read = await readConfiguration(glance.google?.path ?? '')
      const configuration = read.state === 'json' ? read.value : {}
      await proveExternalAccount(run, { ...wishes, google: await google(), oidc, readToken, configuration })
    } else if (given.way === 'metadata-server') {
      const { proveMetadataServer } = await import('./prove-google.ts')
      await proveMetadataServer(run, { ...wishes, google: await google() })
    } else if (given.way === 'federated-token') {
      const [{ proveAzure }, { podAzure }] = await Promise.all([
        import('./prove-azure.ts'),
        import('../sources/live/pod-azure.ts'),
      ])
      await proveAzure(run, { ...wishes, env, oidc, readToken, azure: podAzure(web, vault, env) })
    } else
      await prove(run, 'exchange', 'The exchange', () => ({
        status: 'unknown',
        says: `${mechanismOf({ cloud, given, families: [], shadows: [] })} is not tried here`,
      }))
  }

  try {
    let orders = credentialOrder(glance)
    // Nothing in a pod of GKE shows that it has an identity but the server itself.
    if (orders.every(({ given }) => given === undefined) && (await hasMetadata(web, env, google)))
      orders = credentialOrder({ ...glance, metadata: true })
    const milliseconds = Math.round(performance.now() - begun)
    const proofs: Proof[] = []
    for (const order of orders) {
      const mechanism = mechanismOf(order)
      const run: Run = { stop, steps: [] }
      const title = 'The identity that the pod was given'
      const found = await prove(run, 'identity', title, () => identityOutcome(order, mechanism))
      run.steps[0] = { ...found, milliseconds: found.milliseconds + milliseconds }
      await proveGiven(run, order)
      const expected =
        order.cloud === 'aws' ? env.AWS_ROLE_ARN : order.cloud === 'azure' ? env.AZURE_CLIENT_ID : undefined
      proofs.push({ cloud: order.cloud, mechanism, ...(expected ? { expected } : {}), steps: run.steps })
    }
    const looked = foundNothing(proofs) ? Object.entries(lookedFor) : []
    proofs.push(...unlooked(orders, wishes))
    const [{ lookAtMounting }, { proveMounting }] = await Promise.all([
      import('../sources/live/pod-mounts.ts'),
      import('./prove-mounting.ts'),
    ])
    proofs.push(await proveMounting(stop, () => lookAtMounting(env, stop), wishes.fuse))
    return { subject: 'this pod', proofs, lookedFor: looked, verdict: verdictOf(proofs) }
  } finally {
    for (const close of closers) close()
  }
}

/** The stores that nobody could be asked about: the pod has no identity of their cloud. */
const unlooked = (orders: readonly CloudOrder[], wishes: PodWishes): readonly Proof[] =>
  stores.flatMap(([cloud, kind]) => {
    const name = wishes[kind]
    if (name === undefined || orders.some((one) => one.cloud === cloud && one.given !== undefined)) return []
    const step: Step = {
      id: `${kind}-list`,
      title: `Listing ${placeOf(kind, name)}`,
      milliseconds: 0,
      status: 'unknown',
      says: 'the pod was given no identity of this cloud to look with',
    }
    return [{ cloud, mechanism: 'no identity', steps: [step] }]
  })

/** In the lab only where it is said where: the address belongs to the machine that the lab runs on. */
async function hasMetadata(
  web: PodWeb,
  env: NodeJS.ProcessEnv,
  google: () => Promise<{ readonly metadataAccount: () => Promise<{ readonly state: string }> }>,
): Promise<boolean> {
  if (env.GCE_METADATA_HOST || env.GCE_METADATA_IP) return true
  if (web.inLab) return false
  const seen = await (await google()).metadataAccount()
  return seen.state === 'done' || seen.state === 'refused'
}
