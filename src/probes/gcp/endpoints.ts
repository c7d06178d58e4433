/** What was heard and seen of STS and the IAM Credentials API. */
import { absent, defineProbe, type Fact, type Inquiry, known, reading } from '../../core/fact.ts'
import { listAt, textAt } from '../../core/json.ts'
import { googleAnnotation } from '../../domain/audiences.ts'
import { audienceOfConfiguration, providerIn, tokenFileOf } from '../../domain/gcp-credentials.ts'
import { readProvider } from '../../domain/gcp-provider.ts'
import { type GoogleExchange, gcp, kubernetes } from '../../domain/questions.ts'
import type { Pod, ServiceAccount } from '../../domain/workloads.ts'
import { pods, type Shelves } from '../cluster/pods.ts'
import { readServiceAccount } from '../read-once.ts'
import { isEmail } from './account.ts'
import { mappedConfiguration, projectedFor } from './federation.ts'
import { type Heard, heardFor, isOpen } from './heard.ts'
import { heardOf, orderAtProvider, orderOnGke, type Proof, proofOf } from './proof.ts'
import { asksGoogle, googleWorld, type World } from './world.ts'

export type Endpoints = {
  readonly heard: readonly Heard[]
  readonly services: Fact<readonly { readonly name: string; readonly project: string; readonly state: string }[]>
  readonly reached: readonly { readonly pod: string; readonly host: string; readonly error?: string }[]
  /** A look inside a pod that was wanted and could not be had. */
  readonly looked: Fact<true>
  /** What Google said to tokens that were minted for this, each with whose it was. */
  readonly proofs: readonly { readonly of: string; readonly proof: Fact<Proof> }[]
}

/** The exchanges of ServiceAccounts that are judged: by their annotation, or as the pods that run as them are configured. */
async function ordersIn(
  { cluster }: World,
  pods: Fact<Shelves>,
  { subjects, ask }: Inquiry,
): Promise<readonly GoogleExchange[]> {
  const orders: GoogleExchange[] = []
  for (const { kind, namespace, name } of subjects) {
    if (kind !== 'ServiceAccount' || namespace === undefined || orders.length >= mostPods) continue
    const soon = ask(kubernetes.get('serviceaccounts', namespace, name))
    const fact = soon instanceof Promise ? await soon : soon
    const account = fact.state === 'known' ? readServiceAccount(fact.value) : undefined
    if (account === undefined) continue
    const email = account.annotations[googleAnnotation]
    const own = pods.state === 'known' ? (pods.value.get(namespace)?.by.get(name) ?? []) : []
    const order =
      email !== undefined
        ? cluster.state === 'known' && isEmail(email)
          ? orderOnGke(account, cluster.value, email)
          : undefined
        : asksGoogle(own)
          ? await orderOf(account, own, ask)
          : undefined
    if (order !== undefined) orders.push(order)
  }
  return orders
}

async function orderOf(
  account: ServiceAccount,
  pods: readonly Pod[],
  ask: Inquiry['ask'],
): Promise<GoogleExchange | undefined> {
  const configuration = await mappedConfiguration(pods, ask)
  const named = providerIn(configuration === undefined ? undefined : audienceOfConfiguration(configuration))
  if (configuration === undefined || named === undefined) return undefined
  const provider = reading(await ask(gcp.provider(named)), readProvider)
  const audience = projectedFor(pods, tokenFileOf(configuration))?.token.audience
  return orderAtProvider(account, named, { provider, audience, configuration })
}

/** A few pods tell as much as all of them. */
const mostPods = 5

export const googleEndpoints = defineProbe({
  id: 'gcp/endpoints',
  about: 'the token endpoints of Google',
  scope: 'cluster',
  needs: { googleWorld },
  wants: { pods },
  only: 'googleWorld',
  ask: async ({ googleWorld }, { pods }, inquiry): Promise<Fact<Endpoints>> => {
    const { ask, subjects } = inquiry
    const { heard } = googleWorld.value
    const services = reading(await ask(gcp.services()), (json) =>
      listAt(json, 'services').flatMap((one) => {
        const name = textAt(one, 'name')
        const project = textAt(one, 'project')
        const state = textAt(one, 'state')
        return name === undefined || project === undefined || state === undefined ? [] : [{ name, project, state }]
      }),
    )
    const reached: { pod: string; host: string; error?: string }[] = []
    let looked: Fact<true> = absent(gcp.services())
    for (const { namespace, name } of subjects.filter(({ kind }) => kind === 'Pod').slice(0, mostPods)) {
      const fact = await ask(gcp.podProbe(namespace ?? 'default', name))
      if (fact.state === 'unknown' && isOpen(fact)) looked = fact
      for (const one of fact.state === 'known' ? listAt(fact.value, 'reached') : []) {
        const host = textAt(one, 'host')
        const error = textAt(one, 'error')
        if (host !== undefined) reached.push({ pod: name, host, ...(error === undefined ? {} : { error }) })
      }
    }
    const orders = await ordersIn(googleWorld.value, pods, inquiry)
    const proofs: Endpoints['proofs'][number][] = []
    for (const order of orders) {
      const proof = await proofOf(order, ask)
      if (proof.state === 'known') proofs.push({ of: `${order.namespace}/${order.name}`, proof })
    }
    const said = heardFor(heard, 'gcp/token-endpoints-answer')
    if (
      said.length + reached.length + proofs.length === 0 &&
      services.state !== 'known' &&
      !isOpen(services) &&
      looked.state === 'absent'
    )
      return absent(gcp.services())
    const all = [...proofs.flatMap(({ proof }) => heardOf(proof)), ...heard]
    return known({ heard: all, services, reached, looked, proofs }, services.from)
  },
})
