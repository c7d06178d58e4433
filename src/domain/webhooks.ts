/** Mutating webhooks as the checks see them, and which of them inject an identity. */
import { at, isObject, type Json, listAt, textAt } from '../core/json.ts'
import type { Texts } from './workloads.ts'

/** Whose identity a webhook injects; `other` where it is known to inject one and for whom it does so is not. */
export type Injects = 'AWS' | 'Azure' | 'other'

export type Client = { readonly namespace: string; readonly name: string; readonly port: number }
export type Expression = { readonly key: string; readonly operator: string; readonly values: readonly string[] }
export type Selector = { readonly labels: Texts; readonly expressions: readonly Expression[] }
export type Condition = { readonly name: string; readonly expression: string }

export type Webhook = {
  readonly name: string
  readonly index: number
  readonly injects?: Injects
  readonly service?: Client
  readonly url?: string
  /** As it stands: PEM in base64; empty where there is none. */
  readonly caBundle: string
  /** It has what the API server requires of a webhook, so that what it lacks is not there; an abridged document does not tell. */
  readonly whole: boolean
  readonly failsOpen: boolean
  readonly reinvoked: boolean
  /** As they are written, where they are. */
  readonly failurePolicy?: string
  readonly reinvocationPolicy?: string
  /** It is called when a v1 pod is created. */
  readonly onPods: boolean
  readonly namespaceSelector: Selector
  readonly objectSelector: Selector
  readonly conditions: readonly Condition[]
  readonly seconds: number
}

export type Configuration = {
  readonly name: string
  /** v1, v1beta1. */
  readonly version: string
  readonly created?: string
  /** A manifest: what was written into it later is not seen. */
  readonly manifest: boolean
  readonly annotations: Texts
  readonly labels: Texts
  readonly webhooks: readonly Webhook[]
}

/** Names differ between distributions, so the Service that is called says it as well: https://github.com/Azure/azure-workload-identity/blob/04d01a2/deploy/azure-wi-webhook.yaml */
const injectors: readonly (readonly [RegExp, Injects])[] = [
  [/azure-wi-webhook|azure-workload-identity/, 'Azure'],
  [/pod-identity-webhook|iam-for-pods|irsa/, 'AWS'],
  [/gtoken/, 'other'],
]

export const mechanismNames: { readonly [I in Injects]: string } = {
  AWS: 'an AWS role',
  Azure: 'an Azure identity',
  other: 'an identity',
}

const texts = (json: Json | undefined): Texts => {
  const found: { [key: string]: string } = {}
  if (isObject(json)) for (const [key, value] of Object.entries(json)) if (typeof value === 'string') found[key] = value
  return found
}

/** A label selector as the API writes it. */
export const readSelector = (json: Json | undefined): Selector => ({
  labels: texts(at(json ?? null, 'matchLabels')),
  expressions: listAt(json, 'matchExpressions').map((one) => ({
    key: textAt(one, 'key') ?? '',
    operator: textAt(one, 'operator') ?? '',
    values: listAt(one, 'values').filter((value) => typeof value === 'string'),
  })),
})

const holds = (list: readonly Json[], word: string): boolean => list.includes(word) || list.includes('*')

const onPodCreation = (rule: Json): boolean =>
  holds(listAt(rule, 'operations'), 'CREATE') &&
  holds(listAt(rule, 'apiGroups'), '') &&
  holds(listAt(rule, 'apiVersions'), 'v1') &&
  listAt(rule, 'resources').some((one) => one === 'pods' || one === '*' || one === '*/*')

function readWebhook(json: Json, index: number, configuration: string): Webhook {
  const name = textAt(json, 'name') ?? ''
  const service = at(json, 'clientConfig', 'service')
  const serviceName = textAt(service, 'name')
  const url = textAt(json, 'clientConfig', 'url')
  const port = at(service ?? null, 'port')
  const seconds = at(json, 'timeoutSeconds')
  const words = [name, configuration, serviceName ?? ''].join(' ')
  const injects = injectors.find(([pattern]) => pattern.test(words))?.[1]
  const failurePolicy = textAt(json, 'failurePolicy')
  const reinvocationPolicy = textAt(json, 'reinvocationPolicy')
  return {
    name,
    index,
    ...(injects === undefined ? {} : { injects }),
    ...(serviceName === undefined
      ? {}
      : {
          service: {
            namespace: textAt(service, 'namespace') ?? 'default',
            name: serviceName,
            port: typeof port === 'number' ? port : 443,
          },
        }),
    ...(url === undefined ? {} : { url }),
    caBundle: textAt(json, 'clientConfig', 'caBundle') ?? '',
    whole: textAt(json, 'sideEffects') !== undefined && listAt(json, 'admissionReviewVersions').length > 0,
    // The defaults of v1: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
    failsOpen: textAt(json, 'failurePolicy') === 'Ignore',
    reinvoked: textAt(json, 'reinvocationPolicy') === 'IfNeeded',
    ...(failurePolicy === undefined ? {} : { failurePolicy }),
    ...(reinvocationPolicy === undefined ? {} : { reinvocationPolicy }),
    onPods: listAt(json, 'rules').some(onPodCreation),
    namespaceSelector: readSelector(at(json, 'namespaceSelector')),
    objectSelector: readSelector(at(json, 'objectSelector')),
    conditions: listAt(json, 'matchConditions').map((one) => ({
      name: textAt(one, 'name') ?? '',
      expression: textAt(one, 'expression') ?? '',
    })),
    seconds: typeof seconds === 'number' ? seconds : 10,
  }
}

/** A mutating or validating webhook configuration; undefined where it has no name. */
export function readConfiguration(json: Json): Configuration | undefined {
  const name = textAt(json, 'metadata', 'name')
  if (name === undefined) return undefined
  const created = textAt(json, 'metadata', 'creationTimestamp')
  return {
    name,
    manifest: textAt(json, 'metadata', 'uid') === undefined,
    version: textAt(json, 'apiVersion')?.split('/').at(-1) ?? 'v1',
    annotations: texts(at(json, 'metadata', 'annotations')),
    labels: texts(at(json, 'metadata', 'labels')),
    ...(created === undefined ? {} : { created }),
    webhooks: listAt(json, 'webhooks').map((one, index) => readWebhook(one, index, name)),
  }
}

/** The webhooks of a configuration that inject an identity. */
export const injectorsOf = ({ webhooks }: Configuration): readonly Webhook[] =>
  webhooks.filter(({ injects }) => injects !== undefined)

/** EKS runs it on the control plane, and nobody else can change it for long. */
export const isManaged = ({ name, url }: Pick<Webhook, 'name' | 'url'>): boolean =>
  name === 'iam-for-pods.amazonaws.com' || url?.startsWith('https://127.0.0.1') === true

/** As kubectl prints it: `app=cart,tier in (web,api),!old`. */
export const wordsOf = ({ labels, expressions }: Selector): string =>
  [
    ...Object.entries(labels).map(([key, value]) => `${key}=${value}`),
    ...expressions.map(({ key, operator, values }) =>
      operator === 'Exists'
        ? key
        : operator === 'DoesNotExist'
          ? `!${key}`
          : `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`,
    ),
  ].join(',') || 'everything'

/** The first requirement that the labels do not meet; undefined where all are met. Operators as in the API, another one is never met. */
export function unmet({ labels, expressions }: Selector, of: Texts): Expression | undefined {
  const pair = Object.entries(labels).find(([key, value]) => of[key] !== value)
  if (pair !== undefined) return { key: pair[0], operator: 'In', values: [pair[1]] }
  return expressions.find(({ key, operator, values }) => {
    const value = Object.hasOwn(of, key) ? of[key] : undefined
    if (operator === 'Exists') return value === undefined
    if (operator === 'DoesNotExist') return value !== undefined
    if (operator === 'In') return value === undefined || !values.includes(value)
    return operator !== 'NotIn' || (value !== undefined && values.includes(value))
  })
}
