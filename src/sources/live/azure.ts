/** The Azure source: the resource manager and Microsoft Graph as the person's own credentials see them, and the exchange that a workload would make. */
import { absent, type Fact, known, type Question, type Source, unknown } from '../../core/fact.ts'
import { isObject, type Json, type JsonObject, listAt, textAt } from '../../core/json.ts'
import { isGuid } from '../../domain/guid.ts'
import { azure } from '../../domain/questions.ts'
import { accountIn, assignmentOf, bindingOf, clusterIn, credentialOf, identityOf } from '../documents/azure-shapes.ts'
import { signInToAzure } from './azure-answers.ts'
import { directoryCalls, ofApplication } from './azure-directory.ts'
import { type AzureExchanger, exchangeAtEntra } from './azure-exchange.ts'
import type { AzureHint } from './azure-hint.ts'
import { listAll, listInEach, type Subscriptions, subscriptionsOf } from './azure-lists.ts'
import type { AzureRest } from './azure-rest.ts'
import { plain } from './trouble.ts'

export type AzureDeps = Omit<AzureExchanger, 'rest'> & {
  readonly rest: AzureRest
  readonly env: NodeJS.ProcessEnv
  readonly hint: AzureHint
  /** Stops what several questions share. */
  readonly signal?: AbortSignal | undefined
}
export type AzureSource = Source & { readonly close: () => void }

const same = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && a.toLowerCase() === b.toLowerCase()

/** Among so few the credentials of all are read, so that one on another identity is found. */
const fewIdentities = 10
const versions = {
  identity: '2023-01-31',
  cluster: '2024-09-01',
  assignment: '2022-04-01',
  storage: '2023-01-01',
  binding: '2025-06-02-preview',
} as const
const managed = 'providers/Microsoft.ManagedIdentity/userAssignedIdentities'

export function azureSource(deps: AzureDeps): AzureSource {
  const { rest, env, hint, signal: until } = deps
  let subscriptions: Promise<Subscriptions> | undefined
  let identities: Promise<Fact<Json>> | undefined
  let cluster: Promise<Fact<Json>> | undefined
  const credentials = new Map<string, Promise<Fact<Json>>>()

  const seen = (question: Question): Promise<Subscriptions> => {
    subscriptions ??= subscriptionsOf(rest, env, question, until)
    return subscriptions
  }
  /** One kind of resource in every subscription, each in the form of `read`. */
  const inEach = async (
    kind: string,
    version: string,
    read: (value: JsonObject) => JsonObject | undefined,
    question: Question,
    more = '',
  ): Promise<{ readonly items: readonly JsonObject[]; readonly complete: boolean } | { readonly fact: Fact<Json> }> => {
    const all = await seen(question)
    if ('unseen' in all) return { fact: { ...all.unseen, from: question } }
    if (all.ids.length === 0)
      return {
        fact: unknown(
          'forbidden',
          'no subscription can be seen',
          question,
          'Azure: the role Reader on the subscription',
        ),
      }
    const list = await listInEach(
      rest,
      all,
      (subscription) => `${subscription}/${kind}?api-version=${version}${more}`,
      question,
      until,
    )
    if ('unseen' in list) return { fact: { ...list.unseen, from: question } }
    return {
      items: list.items.flatMap((one): readonly JsonObject[] => [read(one) ?? []].flat()),
      complete: list.complete,
    }
  }

  const managedIdentities = (question: Question): Promise<Fact<Json>> => {
    identities ??= (async (): Promise<Fact<Json>> => {
      const list = await inEach(managed, versions.identity, identityOf, question)
      if ('fact' in list) return list.fact
      // What another subscription or a role that is too narrow hides does not show.
      return known({ identities: list.items, complete: false }, question)
    })()
    return identities.then((fact) => ({ ...fact, from: question }))
  }
  const itemsOf = (fact: Fact<Json>): readonly JsonObject[] => {
    const all: readonly Json[] = fact.state === 'known' ? listAt(fact.value, 'identities') : []
    return all.filter((one) => isObject(one))
  }

  const theCluster = (question: Question): Promise<Fact<Json>> => {
    cluster ??= seekCluster(question)
    return cluster.then((fact) => ({ ...fact, from: question }))
  }
  const seekCluster = async (question: Question): Promise<Fact<Json>> => {
    if (hint.elsewhere) return absent(question)
    if (hint.host === undefined && hint.user === undefined)
      return unknown(
        'not-asked',
        'nothing in the kubeconfig names a cluster of AKS',
        question,
        'az aks show -g GROUP -n CLUSTER, or az connectedk8s show, as a document with -f',
      )
    const list = await inEach(
      'providers/Microsoft.ContainerService/managedClusters',
      versions.cluster,
      (one) => one,
      question,
    )
    if ('fact' in list) return list.fact
    const own = list.items.filter((one) => {
      const of = (name: string): string | undefined => textAt(one, 'properties', name)
      const group = /\/resourcegroups\/([^/]+)\//i.exec(textAt(one, 'id') ?? '')?.[1] ?? ''
      if (hint.host !== undefined)
        return [of('fqdn'), of('privateFQDN'), of('azurePortalFQDN')].some((host) => same(host, hint.host))
      return same(`${group}_${textAt(one, 'name')}`, hint.user)
    })
    const [only, second] = own
    const found = only === undefined || second !== undefined ? undefined : clusterIn(only)
    return found === undefined
      ? unknown(
          'forbidden',
          'none of the clusters that can be seen is the one of the kubeconfig',
          question,
          'Azure: Microsoft.ContainerService/managedClusters/read on its resource group',
        )
      : known(found, question)
  }

  /** The credentials that hang on one managed identity. */
  const ofIdentity = (id: string, question: Question): Promise<Fact<Json>> => {
    const held = credentials.get(id.toLowerCase())
    if (held !== undefined) return held
    const going = (async (): Promise<Fact<Json>> => {
      const path = `${id}/federatedIdentityCredentials?api-version=${versions.identity}`
      const list = await listAll(rest, 'arm', path, question, until)
      if ('unseen' in list) return list.unseen
      if ('missing' in list) return absent(question)
      const read = list.items.flatMap((one): readonly JsonObject[] => [credentialOf(one, '') ?? []].flat())
      return known({ credentials: read.map((one) => ({ ...one, identity: id })), complete: list.complete }, question)
    })()
    credentials.set(id.toLowerCase(), going)
    return going
  }
  const federated = async (question: Question): Promise<Fact<Json>> => {
    const clientId = textAt(question.input, 'clientId')
    const list = await managedIdentities(azure.managedIdentities())
    const items = itemsOf(list)
    const own = items.find((one) => same(textAt(one, 'clientId'), clientId))
    if (clientId !== undefined && own === undefined) {
      if (!isGuid(clientId)) return unknown('not-asked', 'what is named is no client id', question)
      const found = await ofApplication(rest, clientId, question, until)
      if (found.state !== 'absent') return { ...found, from: question }
      if (list.state === 'unknown') return { ...list, from: question }
      return unknown(
        'forbidden',
        `no identity with client id ${clientId} can be seen`,
        question,
        'Azure: Microsoft.ManagedIdentity/userAssignedIdentities/read on its resource group',
      )
    }
    if (list.state !== 'known') return { ...list, from: question }
    const others = items.length <= fewIdentities || clientId === undefined ? items.slice(0, 50) : []
    const chosen = [...new Set([own, ...others])].flatMap((one) => textAt(one ?? null, 'id') ?? [])
    const facts = await Promise.all(chosen.map(async (id) => [id, await ofIdentity(id, question)] as const))
    const first = facts[0]?.[1]
    if (own !== undefined && first !== undefined && first.state !== 'known')
      return first.state === 'unknown'
        ? { ...first, from: question }
        : unknown('forbidden', 'the identity is not there any more', question, 'ask again')
    const read = facts.flatMap(([id, fact]) => (fact.state === 'known' ? [{ id, value: fact.value }] : []))
    const all = read.flatMap(({ value }) => listAt(value, 'credentials'))
    return known({ credentials: all, complete: true, listed: read.map(({ id }) => id) }, question)
  }

  const roleAssignments = async (question: Question): Promise<Fact<Json>> => {
    const principal = textAt(question.input, 'principalId')
    if (principal === undefined || !isGuid(principal))
      return unknown('not-asked', 'whose roles are meant is not known', question)
    const filter = `&$filter=assignedTo('${principal}')`
    const kind = 'providers/Microsoft.Authorization/roleAssignments'
    const list = await inEach(kind, versions.assignment, assignmentOf, question, filter)
    return 'fact' in list ? list.fact : known({ assignments: list.items, complete: list.complete }, question)
  }
  const storageAccount = async (question: Question): Promise<Fact<Json>> => {
    const name = textAt(question.input, 'name')
    const list = await inEach('providers/Microsoft.Storage/storageAccounts', versions.storage, accountIn, question)
    if ('fact' in list) return list.fact
    const found = list.items.find((one) => same(textAt(one, 'name'), name))
    return found === undefined
      ? unknown(
          'forbidden',
          `no subscription that can be seen has storage account ${plain(name ?? '')}`,
          question,
          'Azure: Microsoft.Storage/storageAccounts/read on it',
        )
      : known(found, question)
  }
  const identityBindings = async (question: Question): Promise<Fact<Json>> => {
    const own = await theCluster(azure.cluster())
    const id = own.state === 'known' ? textAt(own.value, 'id') : undefined
    if (id === undefined)
      return own.state === 'unknown'
        ? { ...own, from: question }
        : unknown('not-asked', 'the cluster is not one of AKS', question)
    const list = await listAll(rest, 'arm', `${id}/identityBindings?api-version=${versions.binding}`, question, until)
    if ('unseen' in list) return list.unseen
    if ('missing' in list)
      return unknown(
        'forbidden',
        'the bindings of the cluster cannot be seen',
        question,
        'az aks identity-binding list',
      )
    const bindings = list.items.flatMap((one) => bindingOf(one) ?? [])
    return known({ bindings, complete: list.complete && bindings.length === list.items.length }, question)
  }
  const tenant = async (question: Question): Promise<Fact<Json>> => {
    const authority = textAt(question.input, 'authority') ?? ''
    const name = textAt(question.input, 'tenant') ?? ''
    const url = URL.parse(
      `${authority.replace(/\/+$/, '')}/${encodeURIComponent(name)}/v2.0/.well-known/openid-configuration`,
    )
    if (url?.protocol !== 'https:') return unknown('not-asked', 'no https address is known', question)
    const reply = await rest.anonymous(url, until)
    if ('trouble' in reply)
      return unknown(
        reply.trouble === 'timeout' || reply.trouble === 'cancelled' ? reply.trouble : 'unreachable',
        `${plain(url.host)}: ${reply.detail}`,
        question,
        `a way to ${plain(url.host)} (network, proxy)`,
      )
    if (reply.status >= 500 || reply.status === 429)
      return unknown('unreachable', `${plain(url.host)} answered ${reply.status}`, question, 'ask again later')
    return known({ status: reply.status }, question)
  }
  const signedIn = async (question: Question): Promise<Fact<Json>> => {
    const tenantId = await rest.tenant()
    return tenantId === undefined
      ? unknown('unauthenticated', 'there are no credentials for Azure', question, signInToAzure)
      : known({ tenantId }, question)
  }

  const calls: { readonly [call: string]: (question: Question, signal?: AbortSignal) => Promise<Fact<Json>> } = {
    [azure.cluster().call]: theCluster,
    [azure.managedIdentities().call]: managedIdentities,
    ...directoryCalls(rest, until),
    [azure.federatedIdentityCredentials().call]: federated,
    [azure.roleAssignments().call]: roleAssignments,
    [azure.storageAccount('').call]: storageAccount,
    [azure.identityBindings().call]: identityBindings,
    [azure.signedIn().call]: signedIn,
    [azure.tenant('', '').call]: tenant,
    'entra oauth2/v2.0/token': (question, signal) => exchangeAtEntra(deps, question, signal),
  }

  return {
    name: 'Azure',
    ask: (question, signal) => {
      const call = Object.hasOwn(calls, question.call) ? calls[question.call] : undefined
      return call === undefined
        ? unknown('not-asked', `${question.call} is not a question that the Azure source knows`, question)
        : call(question, signal)
    },
    close: () => rest.close(),
  }
}
