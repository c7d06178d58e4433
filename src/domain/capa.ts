/** Identities of Cluster API Provider AWS as its controllers read them: who may use one, and where its credentials come from. */
import { isList, isObject, type Json, type JsonObject, listAt, textAt, textsAt } from '../core/json.ts'
import { readSelector, unmet } from './webhooks.ts'
import type { Texts } from './workloads.ts'

export const controllerKind = 'AWSClusterControllerIdentity'
export const roleKind = 'AWSClusterRoleIdentity'
export const staticKind = 'AWSClusterStaticIdentity'
export const identityKinds = [controllerKind, roleKind, staticKind] as const
export const userKinds = ['AWSCluster', 'AWSManagedControlPlane', 'ROSARoleConfig'] as const
/** The role that clusterawsadm makes for the controllers, in every account. */
export const controllersRole = 'controllers.cluster-api-provider-aws.sigs.k8s.io'
/** The Deployment of the controllers and their ServiceAccount. */
export const controllersName = 'capa-controller-manager'

export type Ref = { readonly kind: string; readonly name: string }
export const refText = ({ kind, name }: Ref): string => `${kind}/${name}`

export type Identity = Ref & {
  readonly apiVersion: string
  /** The API server has returned it; otherwise it is a manifest. */
  readonly served: boolean
  readonly created?: string
  /** As written; an object where all is well. */
  readonly spec: Json
  /** Keys beside the spec that belong into it. */
  readonly beside: readonly string[]
}

export function readIdentity(json: Json): Identity | undefined {
  const kind = textAt(json, 'kind')
  const name = textAt(json, 'metadata', 'name')
  if (!isObject(json) || kind === undefined || name === undefined) return undefined
  const created = textAt(json, 'metadata', 'creationTimestamp')
  return {
    kind,
    name,
    apiVersion: textAt(json, 'apiVersion') ?? '',
    served: textAt(json, 'metadata', 'uid') !== undefined,
    ...(created === undefined ? {} : { created }),
    spec: json.spec ?? null,
    beside: Object.keys(json).filter((key) => /^sourceidentityref$/i.test(key)),
  }
}

/** The default of `identityRef` stands in the API, whatever a manifest leaves out. */
export function refOf(spec: Json | undefined, member: string): Ref | undefined {
  const ref = isObject(spec) ? spec[member] : undefined
  const kind = textAt(ref, 'kind')
  const name = textAt(ref, 'name')
  return kind === undefined || name === undefined ? undefined : { kind, name }
}
export const defaultIdentity: Ref = { kind: controllerKind, name: 'default' }

export const sourceOf = ({ kind, spec }: Identity): Ref | undefined =>
  kind === roleKind ? refOf(spec, 'sourceIdentityRef') : undefined

export const roleArnOf = ({ spec }: Identity): string | undefined =>
  isObject(spec) ? textAt(spec, 'roleARN') : undefined

/** Equal to the zero value of the type, which CAPA takes for everybody. https://github.com/kubernetes-sigs/cluster-api-provider-aws/blob/2cf09d7/pkg/cloud/scope/session.go */
function isZero(allowed: JsonObject): boolean {
  const { list, selector } = allowed
  const noList = list === undefined || list === null
  return noList && (selector === undefined || selector === null || (isObject(selector) && isBare(selector)))
}
const isBare = ({ matchLabels, matchExpressions }: JsonObject): boolean =>
  (matchLabels === undefined || matchLabels === null) && (matchExpressions === undefined || matchExpressions === null)

/** A selector that is written out and selects by nothing: what it matches has changed with v2.9.1. */
const isEmptied = (selector: Json | undefined): boolean =>
  isObject(selector) &&
  !isBare(selector) &&
  Object.keys(isObject(selector.matchLabels) ? selector.matchLabels : {}).length === 0 &&
  listAt(selector, 'matchExpressions').length === 0

/** Whether the answer depends on the version of the controllers. */
export const asksVersion = (spec: Json): boolean =>
  isObject(spec) && isObject(spec.allowedNamespaces) && isEmptied(spec.allowedNamespaces.selector)

export type Admission =
  | { readonly admits: 'yes' }
  | {
      readonly admits: 'no'
      readonly why: 'admits-nobody' | 'empty-selector' | 'empty-list' | 'cluster-scoped' | 'not-admitted'
    }
  | { readonly admits: 'unknown'; readonly lacks: string }

/** In words: `namespaces a, b`, `everybody`. */
export function allowedWords(spec: Json): string {
  const allowed = isObject(spec) ? spec.allowedNamespaces : undefined
  if (!isObject(allowed)) return 'no namespace'
  if (isZero(allowed)) return 'every namespace'
  const list = textsAt(allowed, 'list')
  const selector = isObject(allowed.selector) && !isBare(allowed.selector) ? allowed.selector : undefined
  const words = [
    ...(list.length > 0 ? [`${list.length === 1 ? 'namespace' : 'namespaces'} ${list.join(', ')}`] : []),
    ...(selector === undefined ? [] : [`namespaces that ${JSON.stringify(selector)} selects`]),
  ]
  return words.length === 0 ? 'no namespace' : words.join(' and ')
}

export const isOpen = (spec: Json): boolean =>
  isObject(spec) && isObject(spec.allowedNamespaces) && isZero(spec.allowedNamespaces)

/** Whether a namespace has to be looked at for its labels. */
export const asksLabels = (spec: Json, namespace: string): boolean => {
  const allowed = isObject(spec) ? spec.allowedNamespaces : undefined
  if (!isObject(allowed) || isZero(allowed) || namespace === '') return false
  if (textsAt(allowed, 'list').includes(namespace)) return false
  return isObject(allowed.selector) && !isBare(allowed.selector) && !isEmptied(allowed.selector)
}

/** `strict`: whether the controllers are of v2.9.1 or later; undefined where that was not seen. `labels`: undefined where they were not seen. */
export function admission(
  spec: Json,
  namespace: string,
  { labels, strict }: { readonly labels: Texts | undefined; readonly strict: boolean | undefined },
): Admission {
  const allowed = isObject(spec) ? spec.allowedNamespaces : undefined
  if (allowed === undefined || allowed === null) return { admits: 'no', why: 'admits-nobody' }
  if (!isObject(allowed)) return { admits: 'unknown', lacks: 'its allowedNamespaces is not an object' }
  if (isZero(allowed)) return { admits: 'yes' }
  if (namespace === '') return { admits: 'no', why: 'cluster-scoped' }
  if (textsAt(allowed, 'list').includes(namespace)) return { admits: 'yes' }
  const { list, selector } = allowed
  if (isEmptied(selector)) {
    if (strict === undefined)
      return {
        admits: 'unknown',
        lacks:
          'an empty selector admits nobody since CAPA v2.9.1 and everybody before, and the version of the controllers was not seen',
      }
    if (!strict) return { admits: 'yes' }
    return { admits: 'no', why: isList(list) && list.length > 0 ? 'not-admitted' : 'empty-selector' }
  }
  if (isObject(selector) && !isBare(selector)) {
    if (labels === undefined) return { admits: 'unknown', lacks: `the labels of namespace ${namespace} were not seen` }
    return unmet(readSelector(selector), labels) === undefined
      ? { admits: 'yes' }
      : { admits: 'no', why: 'not-admitted' }
  }
  return { admits: 'no', why: isList(list) && list.length === 0 ? 'empty-list' : 'not-admitted' }
}

/** Whether an image of the controllers is of v2.9.1 or later; undefined where its tag is no version. */
export function isStrict(image: string): boolean | undefined {
  const [, major, minor, patch] = /:v(\d+)\.(\d+)\.(\d+)/.exec(image) ?? []
  if (major === undefined) return undefined
  const [a, b, c] = [Number(major), Number(minor), Number(patch)]
  return a > 2 || (a === 2 && (b > 9 || (b === 9 && c >= 1)))
}
