/** The proof of an Azure identity from outside: a minted token as a client assertion at Entra, and whose the access token is. */
import type { Fact } from '../core/fact.ts'
import type { Json } from '../core/json.ts'
import type { Outcome } from '../core/proof.ts'
import { azureAudience, azureClientAnnotation } from '../domain/audiences.ts'
import { cloudOfAuthority } from '../domain/azure-clouds.ts'
import { accountAsks, fileVariable, isAzureAudience, useLabel } from '../domain/azure-pods.ts'
import { azure } from '../domain/questions.ts'
import type { Pod } from '../domain/workloads.ts'
import { type ExchangeOrder, exchangeOrder } from '../probes/azure/order.ts'
import { podsAndTemplates } from '../probes/azure/pods.ts'
import { askedTenant, clientReference, isClientId, type Reference } from '../probes/azure/reference.ts'
import { readExchange } from '../probes/azure/refusals.ts'
import { serviceAccount } from '../probes/workload/service-account.ts'
import type { Learned, Learner } from './learn.ts'
import { comparedClient } from './prove-azure.ts'
import { nobody, proveMinted } from './prove-minted.ts'
import { inside, prove, type Run, refused, unseen } from './proving.ts'
import type { Opened } from './world.ts'

const mechanism = 'workload identity'

/** Why a token is not sent to this authority from outside; undefined where it may be. What a pod says of it is not to be taken on trust. */
export const keptFrom = (authority: string): Outcome | undefined =>
  cloudOfAuthority(authority) === undefined
    ? {
        status: 'unknown',
        says: `${authority} is no authority of Azure that is known, so no token is sent there from outside`,
        lift: inside,
      }
    : undefined

/** The minted token's own way: TokenRequest, claims, signature, Entra, and whose token came of it; `by` names what says the client. */
export async function exchangeAtEntra(
  run: Run,
  live: Opened,
  { token, ...entra }: ExchangeOrder,
  by: string,
): Promise<void> {
  const { clientId: client, tenant } = entra
  const { minted } = await proveMinted(run, live, token, { usual: azureAudience })
  let caller = { app: '', object: '', home: '' }
  const exchanged = await prove(
    run,
    'exchange',
    'Entra takes the token as a client assertion',
    async (): Promise<Outcome> => {
      const fact: Fact<Json> = await live.source.ask(azure.exchange(token, entra), run.stop)
      if (fact.state === 'absent') return nobody(token)
      if (fact.state === 'unknown') return unseen(fact)
      const read = readExchange(fact.value)
      if (read === undefined) return unseen({ detail: 'what Entra answered was not understood' })
      if (read.outcome === 'refused') {
        const { code, text, status } = read
        const answer = { code: code === undefined ? `HTTP ${status}` : `AADSTS${code}`, message: text, status }
        return refused(`Entra refuses the token for client ${client}`, { ...answer, endpoint: entra.authority })
      }
      caller = { app: read.clientId ?? '', object: read.objectId ?? '', home: read.tenantId ?? '' }
      return {
        status: 'pass',
        says: `Entra gives an access token to client ${client}`,
        details: [
          ['endpoint', entra.authority],
          ...(read.library === undefined ? [] : [['@azure/identity', `takes none: ${read.library}`] as const]),
        ],
      }
    },
    minted,
  )
  const title = 'Who the cloud says that this is'
  await prove(run, 'who-am-i', title, () => comparedClient(caller, { client, tenant }, by), exchanged)
}

/** Whether a pod is to get a federated token: by its label, or because it has one. A client id alone may go with a secret. */
const isFederated = (pod: Pod): boolean =>
  pod.labels[useLabel] === 'true' ||
  pod.containers.some(({ env }) => fileVariable in env) ||
  pod.volumes.some(({ tokens }) => tokens.some(({ audience }) => isAzureAudience(audience)))

async function isMeant(ask: Learner): Promise<boolean> {
  const account = await ask(serviceAccount)
  if (account.state === 'known' && accountAsks(account.value)) return true
  const users = await ask(podsAndTemplates)
  return users.state === 'known' && [...users.value.pods, ...users.value.templates].some(isFederated)
}

/** Undefined where nothing of the ServiceAccount, or of the pods that were seen, is meant for Azure. */
export async function learnAzure(live: Opened, ask: Learner): Promise<Learned | undefined> {
  if (!(await isMeant(ask))) return undefined
  const reference = await ask(clientReference)
  const order = await ask(exchangeOrder)
  if (order.state === 'unknown') return { mechanism, outcome: unseen(order) }
  if (reference.state !== 'known') {
    const says = 'something is meant for Azure, but neither the ServiceAccount nor a pod of its names a client id'
    const causes = [{ check: 'azure/service-account-names-identity', says: `no annotation ${azureClientAnnotation}` }]
    return { mechanism, outcome: { status: 'fail', says, causes } }
  }
  const { clientId: expected } = reference.value
  if (order.state === 'absent') return { mechanism, expected, outcome: await withoutOrder(reference.value, ask) }
  const { token, tenant, authority } = order.value
  const kept = keptFrom(authority)
  if (kept !== undefined) return { mechanism, expected, outcome: kept }
  return {
    mechanism,
    expected,
    outcome: {
      status: 'pass',
      says: `${mechanism}, by ${naming(reference.value)}`,
      details: [
        ['client', expected],
        ['tenant', tenant],
        ['authority', authority],
        ['audience', token.audience],
      ],
    },
    go: (run) => exchangeAtEntra(run, live, order.value, naming(reference.value)),
  }
}

const naming = ({ via }: Reference): string =>
  via === 'annotation' ? `the annotation ${azureClientAnnotation}` : 'AZURE_CLIENT_ID of its pods'

async function withoutOrder(reference: Reference, ask: Learner): Promise<Outcome> {
  const { clientId } = reference
  if (!isClientId(clientId)) {
    const says = `${naming(reference)} is ${JSON.stringify(clientId)}, which is no client id`
    return { status: 'fail', says, causes: [{ check: 'azure/service-account-names-identity', says }] }
  }
  const tenant = await ask(askedTenant)
  if (tenant.state === 'absent')
    return {
      status: 'unknown',
      says: 'which tenant to ask is said neither by the ServiceAccount, nor by a pod of its, nor by the webhook',
      lift: 'a pod of its that runs, or get on the ConfigMap azure-wi-webhook-config of the webhook',
    }
  return {
    status: 'unknown',
    says: 'its pods go by an identity binding, whose token Entra does not take from outside the cluster',
    lift: inside,
  }
}
