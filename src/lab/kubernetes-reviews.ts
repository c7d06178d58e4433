/** Who is asking, who may, and what a token says: TokenRequest, TokenReview and the self reviews. */
import { at, isObject, type Json, type JsonObject, textAt, textsAt } from '../core/json.ts'
import type { Resource } from './kubernetes-resources.ts'
import { badRequest, conflict, invalid, notFound, StatusError } from './kubernetes-status.ts'
import { type Store, timestamp } from './kubernetes-store.ts'
import type { Bound, Signer } from './signer.ts'

export type User = { readonly username: string; readonly uid?: string; readonly groups: readonly string[] }

const tokenRequest = { group: 'authentication.k8s.io', kind: 'TokenRequest' }
const longest = 86_400
const mebi32 = 2 ** 32

type Kinds = {
  readonly accounts: Resource
  readonly pods: Resource
  readonly nodes: Resource
  readonly secrets: Resource
}

/** The kinds that a token can be made of and bound to. */
export function tokenKinds(resources: readonly Resource[]): Kinds {
  const named = (plural: string): Resource => {
    const found = resources.find((one) => one.group === '' && one.plural === plural)
    if (found === undefined) throw new Error(`the lab serves no ${plural}`)
    return found
  }
  return { accounts: named('serviceaccounts'), pods: named('pods'), nodes: named('nodes'), secrets: named('secrets') }
}

const boundOf = (object: JsonObject): Bound => ({
  name: textAt(object, 'metadata', 'name') ?? '',
  uid: textAt(object, 'metadata', 'uid') ?? '',
})

/** Grants a TokenRequest; `warning` tells of a lifetime that was shortened. Throws StatusError in the words of the API server. */
export async function grantToken(
  order: { readonly namespace: string; readonly name: string; readonly body: JsonObject },
  {
    store,
    signer,
    kinds,
    issuer,
  }: { readonly store: Store; readonly signer: Signer; readonly kinds: Kinds; readonly issuer: string },
): Promise<{ readonly granted: JsonObject; readonly warning?: string }> {
  const { namespace, name, body } = order
  const spec = isObject(body.spec) ? body.spec : {}
  const account = store.get(kinds.accounts, { namespace, name })
  const asked = spec.expirationSeconds ?? 3600
  if (typeof asked !== 'number' || !Number.isInteger(asked))
    throw badRequest('spec.expirationSeconds is not an integer')
  const field = 'spec.expirationSeconds'
  if (asked < 600)
    throw invalid(tokenRequest, '', field, `Invalid value: ${asked}: may not specify a duration less than 10 minutes`)
  if (asked > mebi32)
    throw invalid(
      tokenRequest,
      '',
      field,
      `Invalid value: ${asked}: may not specify a duration larger than 2^32 seconds`,
    )
  const audiences = textsAt(spec, 'audiences').length > 0 ? textsAt(spec, 'audiences') : [issuer]
  const bound = boundTo(spec.boundObjectRef, { namespace, account: name, store, kinds })
  const lifetime = Math.min(asked, longest)
  const { token, expires } = await signer.mint({ namespace, account: boundOf(account), audiences, lifetime, ...bound })
  const granted = {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, creationTimestamp: timestamp(Date.now()) },
    spec: { ...spec, audiences, expirationSeconds: lifetime },
    status: { token, expirationTimestamp: timestamp(expires.getTime()) },
  }
  if (lifetime === asked) return { granted }
  return { granted, warning: `requested expiration of ${asked} seconds shortened to ${lifetime} seconds` }
}

function boundTo(
  reference: Json | undefined,
  {
    namespace,
    account,
    store,
    kinds,
  }: { readonly namespace: string; readonly account: string; readonly store: Store; readonly kinds: Kinds },
): { readonly pod?: Bound; readonly node?: Bound; readonly secret?: Bound } {
  if (!isObject(reference)) return {}
  const [kind, name = '', uid] = [textAt(reference, 'kind'), textAt(reference, 'name'), textAt(reference, 'uid')]
  const resource =
    kind === 'Pod' ? kinds.pods : kind === 'Node' ? kinds.nodes : kind === 'Secret' ? kinds.secrets : undefined
  if (resource === undefined)
    throw badRequest(`cannot bind token to object of type ${textAt(reference, 'apiVersion') ?? ''}, Kind=${kind ?? ''}`)
  const object = store.find(resource, { namespace, name })
  if (object === undefined) throw notFound(resource, name)
  if (kind === 'Pod' && (textAt(object, 'spec', 'serviceAccountName') ?? 'default') !== account)
    throw badRequest(
      `cannot bind token for serviceaccount "${account}" to pod running with different serviceaccount name.`,
    )
  const own = boundOf(object)
  if (uid !== undefined && uid !== '' && uid !== own.uid)
    throw conflict(
      resource,
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    )
  if (kind !== 'Pod') return kind === 'Node' ? { node: own } : { secret: own }
  const nodeName = textAt(object, 'spec', 'nodeName')
  const node = nodeName === undefined ? undefined : store.find(kinds.nodes, { name: nodeName })
  return node === undefined ? { pod: own } : { pod: own, node: boundOf(node) }
}

/** The user behind a ServiceAccount's token, or why the API server does not take it. */
export async function userOf(
  token: string,
  audiences: readonly string[],
  { signer, issuer }: { readonly signer: Signer; readonly issuer: string },
): Promise<{ readonly user: User; readonly audiences: readonly string[] } | { readonly error: string }> {
  const claims = await signer.verify(token)
  if (claims === undefined) return { error: 'invalid signature, no keys found' }
  if (claims.iss !== issuer) return { error: `token issuer "${String(claims.iss)}" is invalid` }
  const expires = claims.exp
  if (typeof expires !== 'number' || expires * 1000 <= Date.now()) return { error: 'service account token has expired' }
  const held = textsAt(claims, 'aud')
  const common = held.filter((one) => audiences.includes(one))
  const quoted = (list: readonly string[]): string => `[${list.map((one) => JSON.stringify(one)).join(' ')}]`
  if (common.length === 0)
    return { error: `token audiences ${quoted(held)} is invalid for the target audiences ${quoted(audiences)}` }
  const username = textAt(claims, 'sub') ?? ''
  const namespace = textAt(claims, 'kubernetes.io', 'namespace') ?? username.split(':')[2] ?? ''
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated']
  const uid = textAt(claims, 'kubernetes.io', 'serviceaccount', 'uid')
  return { user: { username, groups, ...(uid === undefined ? {} : { uid }) }, audiences: common }
}

/** Answers a review; it is not kept. `may` tells whether the asker is refused a verb on a resource. */
export async function review(
  kind: string,
  body: JsonObject,
  asker: {
    readonly user: User
    readonly may: (verb: string, resource: string) => boolean
    readonly signer: Signer
    readonly issuer: string
  },
): Promise<JsonObject> {
  const answer = (group: string, status: JsonObject): JsonObject => ({
    metadata: {},
    ...body,
    kind,
    apiVersion: `${group}/v1`,
    status,
  })
  if (kind === 'SelfSubjectReview') return answer('authentication.k8s.io', { userInfo: { ...asker.user } })
  if (kind === 'SelfSubjectAccessReview') {
    const path = at(body, 'spec', 'nonResourceAttributes')
    const attributes = at(body, 'spec', 'resourceAttributes')
    if (!isObject(path) && !isObject(attributes))
      throw new StatusError(
        422,
        'Invalid',
        'exactly one of nonResourceAttributes or resourceAttributes must be specified',
      )
    const sub = textAt(attributes, 'subresource')
    const resource =
      textAt(path, 'path') ??
      `${textAt(attributes, 'resource') ?? ''}${sub === undefined || sub === '' ? '' : `/${sub}`}`
    const allowed = asker.may(textAt(path, 'verb') ?? textAt(attributes, 'verb') ?? '', resource)
    return answer('authorization.k8s.io', { allowed })
  }
  // Who RBAC refuses what is told to the lab by verb; there are no rules to list.
  if (kind === 'SelfSubjectRulesReview') {
    const resourceRules = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]
    return answer('authorization.k8s.io', { resourceRules, nonResourceRules: [], incomplete: false })
  }
  const wanted = textsAt(body, 'spec', 'audiences')
  const seen = await userOf(textAt(body, 'spec', 'token') ?? '', wanted.length > 0 ? wanted : [asker.issuer], asker)
  const { spec: _, ...rest } = body
  const status =
    'error' in seen
      ? { user: {}, error: seen.error }
      : { authenticated: true, user: { ...seen.user }, audiences: seen.audiences }
  return { ...answer('authentication.k8s.io', status), ...rest, spec: { audiences: wanted } }
}
