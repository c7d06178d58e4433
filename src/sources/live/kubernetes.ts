/** The Kubernetes source: answers from a live API server, in pages, from memory where a list has been read already. */
import { absent, type Fact, known, onward, type Question, type Soon, type Source, unknown } from '../../core/fact.ts'
import { isList, isObject, type Json, textAt } from '../../core/json.ts'
import { publicKeySet } from '../../domain/jwks.ts'
import { pickObject } from '../../domain/kubernetes-objects.ts'
import { kubernetes, type TokenName } from '../../domain/questions.ts'
import { readToken } from '../../domain/token-claims.ts'
import { resources } from '../../knowledge/permissions.ts'
import { type ApiServer, type ApiServerSettings, connect } from './api-server.ts'
import { clockBehind } from './date-header.ts'
import type { KubeFlags } from './kubeconfig.ts'
import { connection, factOf, isStatus, parse, silence } from './kubernetes-answers.ts'
import { fetchList, type Listing, listing, pathOf } from './kubernetes-lists.ts'
import type { TokenVault } from './token-vault.ts'
import { LiveTrouble, plain, wordsOf } from './trouble.ts'

export type KubernetesDeps = ApiServerSettings & {
  readonly vault: TokenVault
  /** Many subjects: list a kind once in all namespaces rather than get each object. */
  readonly wide?: boolean | undefined
  /** Stops what several questions share: a list, a minted token. One question's own end must not end it for the others. */
  readonly signal?: AbortSignal | undefined
}

export type KubernetesSource = Source & {
  readonly api: ApiServer
  /** Asks for /version. @throws LiveTrouble where there is no API server to talk to, or it refuses the user */
  readonly preflight: (signal?: AbortSignal) => Promise<void>
  readonly close: () => void
}

const tokenSeconds = 600

/** @throws LiveTrouble where the kubeconfig leads to no cluster */
export async function kubernetesSource(flags: KubeFlags, deps: KubernetesDeps): Promise<KubernetesSource> {
  const api = await connect(flags, deps)
  const lists = new Map<string, Soon<Fact<Listing>>>()
  const minted = new Map<string, Promise<Fact<Json>>>()

  const list = (resource: string, namespace: string | undefined): Soon<Fact<Listing>> => {
    const key = `${resource} ${namespace ?? ''}`
    const held = lists.get(key)
    if (held !== undefined) return held
    const question = kubernetes.list(resource, namespace)
    const coming = guarded(question, () => fetchList(api, resource, namespace, question, deps.signal)).then((fact) => {
      lists.set(key, fact)
      return fact
    })
    lists.set(key, coming)
    return coming
  }

  /** A kind's list in one namespace: out of the list of all where that may be read. */
  const inNamespace = (resource: string, namespace: string): Soon<Fact<Listing>> => {
    if (deps.wide !== true && !lists.has(`${resource} `)) return list(resource, namespace)
    return onward(list(resource, undefined), (all) => {
      if (all.state === 'unknown' && all.why === 'forbidden') return list(resource, namespace)
      return all.state === 'known' ? known(listing(all.value.of(namespace), all.value.complete), all.from) : all
    })
  }

  /** All namespaces one by one, for who may read those but not the list of all. */
  const piecewise = async (question: Question, resource: string, refused: Fact<Listing>): Promise<Fact<Json>> => {
    const namespaces = await list('namespaces', undefined)
    if (namespaces.state !== 'known') return answer(refused, question)
    const names = namespaces.value.items.map((item) => textAt(item, 'metadata', 'name') ?? '')
    const parts = await Promise.all(names.map((name) => list(resource, name)))
    const seen = parts.filter((part) => part.state === 'known')
    if (seen.length === 0) return answer(refused, question)
    const whole = seen.length === parts.length && seen.every((part) => part.value.complete)
    return known(
      { items: seen.flatMap((part) => part.value.items), complete: whole && namespaces.value.complete },
      question,
    )
  }

  const namespaceOf = (question: Question, resource: string): string | undefined => {
    const place = Object.hasOwn(resources, resource) ? resources[resource] : undefined
    return place?.namespaced === true ? textAt(question.input, 'namespace') : undefined
  }

  const askList = (question: Question, resource: string): Soon<Fact<Json>> => {
    const namespace = namespaceOf(question, resource)
    if (namespace !== undefined) return onward(inNamespace(resource, namespace), (fact) => answer(fact, question))
    return onward(list(resource, undefined), (all) =>
      all.state === 'unknown' && all.why === 'forbidden' && resources[resource]?.namespaced === true
        ? piecewise(question, resource, all)
        : answer(all, question),
    )
  }

  const askGet = (question: Question, resource: string, signal?: AbortSignal): Soon<Fact<Json>> => {
    const name = textAt(question.input, 'name') ?? ''
    const namespace = namespaceOf(question, resource)
    const path = pathOf(resource, namespace, name)
    if (path === undefined || name === '')
      return unknown('not-asked', `${resource} is not a kind that kubectl wi asks for`, question)
    const direct = () =>
      guarded(question, async () =>
        factOf(await api.send(path, { signal }), question, api, (body) =>
          isObject(body) && !isStatus(body) ? pickObject(body) : undefined,
        ),
      )
    const wide = deps.wide === true && resources[resource]?.wide === true
    const all = wide ? list(resource, undefined) : lists.get(`${resource} `)
    const near =
      namespace === undefined
        ? undefined
        : () => (wide ? list(resource, namespace) : lists.get(`${resource} ${namespace}`))
    const found = (fact: Fact<Listing>): Fact<Json> | undefined => {
      if (fact.state === 'known') {
        const item = fact.value.named(namespace, name)
        return item !== undefined ? known(item, question) : fact.value.complete ? absent(question) : undefined
      }
      // One list that fails stands for the thousands of objects in it; only a refusal may be narrower than it looks.
      return wide && fact.state === 'unknown' && fact.why !== 'forbidden' ? { ...fact, from: question } : undefined
    }
    const nearer = (): Soon<Fact<Json>> => {
      const some = near?.()
      return some === undefined ? direct() : onward(some, (fact) => found(fact) ?? direct())
    }
    return all === undefined ? nearer() : onward(all, (fact) => found(fact) ?? nearer())
  }

  const mint = (question: Question): Promise<Fact<Json>> => {
    const token: TokenName = {
      namespace: textAt(question.input, 'namespace') ?? '',
      name: textAt(question.input, 'name') ?? '',
      audience: textAt(question.input, 'audience') ?? '',
    }
    const key = JSON.stringify([token.namespace, token.name, token.audience])
    const held = minted.get(key)
    if (held !== undefined) return held
    const coming = guarded(question, () => tokenRequest(api, deps.vault, token, question, deps.signal))
    minted.set(key, coming)
    return coming
  }

  const ask = (question: Question, signal?: AbortSignal): Soon<Fact<Json>> => {
    const { call } = question
    if (call === 'config') {
      const { context, cluster, server, namespace } = api
      return known({ ...(context === undefined ? {} : { context }), cluster, server, namespace }, question)
    }
    if (call === 'serviceaccounts/token/create') return mint(question)
    if (call === 'clock')
      return guarded(question, async () => {
        const seen = await clockBehind(question, () => api.send('/version', { signal, maxBytes: 4 << 20 }))
        return 'trouble' in seen ? silence(seen, question, api) : seen
      })
    if (call.startsWith('nonresource ') && call.endsWith('/get')) {
      const path = call.slice('nonresource '.length, -'/get'.length)
      return guarded(question, async () =>
        factOf(await api.send(path, { signal, maxBytes: 4 << 20 }), question, api, publicOnly),
      )
    }
    const cut = call.lastIndexOf('/')
    const resource = call.slice(0, cut)
    if (call.slice(cut + 1) === 'list') return askList(question, resource)
    if (call.slice(cut + 1) === 'get') return askGet(question, resource, signal)
    return unknown('not-asked', `${call} is not a question that the Kubernetes source knows`, question)
  }

  return {
    name: `cluster ${plain(api.context ?? api.cluster)} at ${api.server}`,
    ask,
    api,
    preflight: (signal) => preflight(api, signal),
    close: () => {
      lists.clear()
      minted.clear()
      api.close()
    },
  }
}

const answer = (fact: Fact<Listing>, question: Question): Fact<Json> =>
  fact.state === 'known'
    ? known({ items: fact.value.items, complete: fact.value.complete }, question)
    : { ...fact, from: question }

/** Credentials that fail in the middle of a run are a reason not to know, not an end of the run. */
async function guarded<T>(question: Question, go: () => Promise<Fact<T>>): Promise<Fact<T>> {
  try {
    return await go()
  } catch (error) {
    if (error instanceof LiveTrouble) return unknown('unauthenticated', error.happened, question, error.next)
    return unknown('malformed', `the request could not be made: ${wordsOf(error)}`, question)
  }
}

async function tokenRequest(
  api: ApiServer,
  vault: TokenVault,
  token: TokenName,
  question: Question,
  signal: AbortSignal | undefined,
): Promise<Fact<Json>> {
  const path = pathOf('serviceaccounts', token.namespace, token.name)
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences: token.audience === '' ? [] : [token.audience], expirationSeconds: tokenSeconds },
  }
  const reply = await api.send(`${path}/token`, { body, signal, maxBytes: 1 << 20 })
  if (
    !('trouble' in reply) &&
    reply.status === 404 &&
    /could not find the requested resource/.test(textAt(parse(reply.body), 'message') ?? '')
  )
    return unknown(
      'not-collected',
      'the API server does not offer TokenRequest',
      question,
      'start the API server with --service-account-issuer and --service-account-signing-key-file',
    )
  return factOf(reply, question, api, (granted) => {
    const raw = textAt(granted, 'status', 'token')
    const decoded = raw === undefined ? undefined : readToken(raw)
    if (raw === undefined || decoded?.state !== 'read') return undefined
    vault.keep(token, raw)
    const { header, claims } = decoded
    const expirationTimestamp = textAt(granted, 'status', 'expirationTimestamp')
    return { header, claims, ...(expirationTimestamp === undefined ? {} : { expirationTimestamp }) }
  })
}

/** Some publish the whole key pair by mistake; the private half goes nowhere. */
const publicOnly = (body: Json): Json => (isObject(body) && isList(body.keys) ? publicKeySet(body) : body)

async function preflight(api: ApiServer, signal: AbortSignal | undefined): Promise<void> {
  const reply = await api.send('/version', { signal, maxBytes: 1 << 20 })
  if ('trouble' in reply) {
    if (reply.trouble === 'cancelled') return
    const { happened, next } = connection(reply.trouble, reply.code, reply.detail, api.server)
    throw new LiveTrouble(
      reply.trouble === 'timeout' ? `${api.server} gave ${reply.detail}` : happened,
      'so nothing in the cluster could be examined',
      next,
    )
  }
  if (reply.status === 401)
    throw new LiveTrouble(
      api.refusal(),
      'so nothing in the cluster could be examined',
      'sign in to the cluster again; `kubectl get --raw /version` must work first',
    )
  // Who may not read /version may still read what matters; a page that is no API server's never will.
  if (reply.status < 500 && parse(reply.body) === undefined)
    throw new LiveTrouble(
      `${api.server} answered ${reply.status} with something else than JSON`,
      'so it is not an API server, or a proxy or sign-in page answers in its place',
      'correct the server in the kubeconfig or the proxy settings',
    )
}
