/** What a ServiceAccount is meant to be in Google Cloud: through the pool of its cluster, or at a provider that its pods name. */
import type { Fact } from '../core/fact.ts'
import type { Outcome } from '../core/proof.ts'
import { googleAnnotation } from '../domain/audiences.ts'
import type { GkeCluster } from '../domain/gcp-cluster.ts'
import { type Provider, partsOf } from '../domain/gcp-provider.ts'
import type { GoogleExchange } from '../domain/questions.ts'
import type { Pod } from '../domain/workloads.ts'
import { type GoogleAccount, googleAccount, isEmail } from '../probes/gcp/account.ts'
import { type Federation, googleFederation, webhookAccount } from '../probes/gcp/federation.ts'
import { orderOnGke } from '../probes/gcp/proof.ts'
import { googleWorld, type World } from '../probes/gcp/world.ts'
import type { Learned, Learner, Who } from './learn.ts'
import { inside, unseen } from './proving.ts'
import type { Opened } from './world.ts'

export type GoogleMeant = {
  readonly order: GoogleExchange
  /** What names the account, or the provider where none is. */
  readonly by: string
  /** Whom STS should say that this is, as far as it is known. */
  readonly principal: { readonly pool: string; readonly number?: string; readonly subject?: string }
  readonly provider?: Provider
}

const federation = 'workload identity federation'
export const ofGke = 'workload identity of GKE'

const told = (live: Opened, mechanism: string, meant: GoogleMeant): Learned => {
  const { order, by } = meant
  return {
    mechanism,
    ...(order.account === undefined ? {} : { expected: order.account }),
    outcome: {
      status: 'pass',
      says: `${mechanism}, by ${by}`,
      details: [
        ['provider', order.provider],
        ['audience', order.audience],
        ['account', order.account ?? 'none: the identity acts as itself'],
      ],
    },
    go: async (run) => {
      const { exchangeAtGoogle } = await import('./prove-minted-google.ts')
      await exchangeAtGoogle(run, live, meant)
    },
  }
}

function atProvider(live: Opened, { order, named, provider, configuration, google }: Federation): Learned {
  const parts = partsOf(named ?? '')
  if (order === undefined || parts === undefined || order.audience === '')
    return {
      mechanism: federation,
      outcome: {
        status: 'unknown',
        says: `the rules of ${named} read what only tokens of pods have, so that no other token would prove anything`,
        lift: inside,
      },
    }
  // Where a webhook makes the configuration, what it puts into it stands in annotations.
  const account = configuration === undefined ? google.account?.annotations[webhookAccount] : undefined
  const by =
    configuration !== undefined
      ? `the credential configuration ${configuration.name}`
      : account === undefined
        ? 'the provider that it names'
        : `the annotation ${webhookAccount}`
  return told(live, federation, {
    order: account === undefined || !isEmail(account) ? order : { ...order, account },
    by,
    principal: { pool: parts.pool, number: parts.number },
    ...(provider.state === 'known' ? { provider: provider.value } : {}),
  })
}

/** Why the pool of this cluster is nothing to exchange a token under. */
function withoutPool(
  cluster: Exclude<World['cluster'], { state: 'unknown' }>,
  annotation: string | undefined,
): Outcome {
  if (cluster.state === 'known') {
    const says = `cluster ${cluster.value.name} has no workload pool`
    return { status: 'fail', says, causes: [{ check: 'gcp/workload-pool-exists', says }] }
  }
  return {
    status: 'unknown',
    says:
      annotation === undefined
        ? 'something is meant for Google Cloud, but no provider that a pod of its uses was seen'
        : `the annotation ${googleAnnotation} is read by GKE alone, and that this cluster is one of GKE was not seen`,
    lift: `the ConfigMap with the credential configuration that its pods mount; otherwise ${inside}`,
  }
}

type Around = { readonly cluster: Fact<GkeCluster>; readonly number: Fact<string> }

function onGke(live: Opened, who: Who, { cluster, number }: Around, annotation: string | undefined): Learned {
  if (cluster.state === 'unknown') return { mechanism: ofGke, outcome: unseen(cluster) }
  const order = cluster.state === 'known' ? orderOnGke(who, cluster.value, annotation) : undefined
  if (order === undefined) return { mechanism: ofGke, outcome: withoutPool(cluster, annotation) }
  return told(live, ofGke, {
    order,
    by: annotation === undefined ? 'the pool of the cluster' : `the annotation ${googleAnnotation}`,
    principal: {
      pool: order.audience,
      subject: `ns/${who.namespace}/sa/${who.name}`,
      ...(number.state === 'known' ? { number: number.value } : {}),
    },
  })
}

const notAnAccount = (annotation: string): Outcome => {
  const says = `the annotation ${googleAnnotation} is ${JSON.stringify(annotation)}, which names no service account`
  return { status: 'fail', says, causes: [{ check: 'gcp/annotation-names-a-service-account', says }] }
}

const readsConfiguration = ({ containers }: Pod): boolean =>
  containers.some(({ env }) => 'GOOGLE_APPLICATION_CREDENTIALS' in env)
const unreadConfiguration: Outcome = {
  status: 'unknown',
  says: 'GOOGLE_APPLICATION_CREDENTIALS of its pods leads to no configuration in a ConfigMap that names a provider',
  lift: `get on the ConfigMaps of its namespace; otherwise ${inside}`,
}

function learnAccount(live: Opened, who: Who, google: GoogleAccount, federated: Fact<Federation>): Learned {
  const annotation = google.annotation === '' ? undefined : google.annotation
  if (federated.state === 'unknown') return { mechanism: federation, outcome: unseen(federated) }
  if (federated.state === 'known' && federated.value.named !== undefined) return atProvider(live, federated.value)
  if (annotation !== undefined && google.email === undefined)
    return { mechanism: ofGke, outcome: notAnAccount(annotation) }
  // What else it says, a fleet or a key, is not what the pool of this cluster would give.
  if (annotation === undefined && google.pods.some(readsConfiguration))
    return { mechanism: federation, outcome: unreadConfiguration }
  return onGke(live, who, google.world, annotation)
}

/**
 * Undefined where nothing is meant for Google Cloud. `alone`: it is for no other cloud either, and on GKE every ServiceAccount is an
 * identity by itself.
 */
export async function learnGoogle(live: Opened, who: Who, ask: Learner, alone: boolean): Promise<Learned | undefined> {
  const world = await ask(googleWorld)
  if (world.state !== 'known') return undefined
  const account = await ask(googleAccount)
  if (account.state === 'unknown') return { mechanism: ofGke, outcome: unseen(account) }
  if (account.state === 'known') return learnAccount(live, who, account.value, await ask(googleFederation))
  const { cluster } = world.value
  const hasPool = cluster.state === 'known' && cluster.value.pool !== undefined
  return alone && hasPool ? onGke(live, who, world.value, undefined) : undefined
}
