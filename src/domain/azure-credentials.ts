/** Federated identity credentials against a token: Entra compares issuer, subject and audience byte for byte. */
import { editDistance } from './edit-distance.ts'

export type Credential = {
  readonly name: string
  readonly issuer: string
  /** Left out where the credential has an expression in its place. */
  readonly subject?: string
  readonly audiences: readonly string[]
  /** Of a flexible credential: https://learn.microsoft.com/entra/workload-id/workload-identities-flexible-federated-identity-credentials */
  readonly expression?: string
  /** Resource id, appId or object id of what holds it. */
  readonly identity?: string
  readonly created?: string
}

/** https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations#general-federated-identity-credential-considerations */
export const mostCredentials = 20

/** `system:serviceaccount:NAMESPACE:NAME`, without anything around or in it. */
export const isSubject = (text: string): boolean =>
  /^system:serviceaccount:[a-z0-9-]{1,63}:[a-z0-9.-]{1,253}$/.test(text)

export const partsOf = (subject: string): { readonly namespace: string; readonly name: string } | undefined => {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):(.+)$/i.exec(subject.trim()) ?? []
  return namespace === undefined || name === undefined ? undefined : { namespace, name }
}

/** Differs in nothing but the last slash. */
export const onlySlash = (a: string, b: string): boolean => a !== b && a.replace(/\/$/, '') === b.replace(/\/$/, '')

/** `https://REGION.oic.prod-aks.azure.com/TENANT/CLUSTER/`: the same but for the last part, which is the cluster's own. */
export function isOtherCluster(a: string, b: string): boolean {
  const shape = /^(https:\/\/(?:[a-z0-9-]+\.)?oi(?:d)?c\.prod-aks\.azure\.[a-z]+\/(?:[0-9a-f-]{36}\/)?)([^/]+)\/?$/i
  const [, first, one] = shape.exec(a) ?? []
  const [, second, other] = shape.exec(b) ?? []
  return first !== undefined && first === second && one !== other
}

const longest = 300
const distance = (a: string, b: string): number => editDistance(a.slice(0, longest), b.slice(0, longest), longest)

/** The nearest of them to a text, by what `read` takes from each. */
export function nearestTo<T>(items: readonly T[], wanted: string, read: (item: T) => string): T | undefined {
  let best: T | undefined
  let least = Number.POSITIVE_INFINITY
  for (const item of items.slice(0, 200)) {
    const far = distance(read(item), wanted)
    if (far < least) {
      best = item
      least = far
    }
  }
  return best
}

/** The nearest subject: one that shares the namespace or the name comes before any that shares none. */
export function nearestSubject(items: readonly Credential[], wanted: string): Credential | undefined {
  const own = partsOf(wanted)
  const kin = items.filter(({ subject }) => {
    const parts = partsOf(subject ?? '')
    return parts !== undefined && own !== undefined && (parts.namespace === own.namespace || parts.name === own.name)
  })
  return nearestTo(kin.length > 0 ? kin : items, wanted, ({ subject, expression }) => subject ?? expression ?? '')
}

type Claims = { readonly [claim: string]: string | undefined }
const comparison = /^claims\['([A-Za-z0-9_.-]{1,100})'\] (eq|matches) '([^']{0,600})'$/

/** `*` is any run, `?` one character; in time that grows with the product of the lengths. */
export function matchesPattern(text: string, pattern: string): boolean {
  let at = 0
  let place = 0
  let star = -1
  let mark = 0
  while (at < text.length) {
    if (place < pattern.length && pattern[place] === '*') {
      star = place
      mark = at
      place += 1
    } else if (place < pattern.length && (pattern[place] === '?' || pattern[place] === text[at])) {
      at += 1
      place += 1
    } else if (star >= 0) {
      place = star + 1
      mark += 1
      at = mark
    } else return false
  }
  while (pattern[place] === '*') place += 1
  return place === pattern.length
}

/** Whether an expression admits these claims; undefined where it is of another form than is documented, or asks for a claim that is not known. */
export function admits(expression: string, claims: Claims): boolean | undefined {
  if (expression.length > 2000) return undefined
  let open = false
  for (const part of expression.trim().split(/ and /)) {
    const [, claim, operator, value] = comparison.exec(part.trim()) ?? []
    if (claim === undefined || value === undefined) return undefined
    const own = claims[claim]
    if (own === undefined) open = true
    else if (operator === 'eq' ? own !== value : !matchesPattern(own, value)) return false
  }
  return open ? undefined : true
}

/** Whether the credential takes this subject; undefined where its expression could not be evaluated. */
export const takesSubject = ({ subject, expression }: Credential, claims: Claims): boolean | undefined =>
  subject !== undefined ? subject === claims.sub : expression === undefined ? false : admits(expression, claims)

const suffix = /^(api:\/\/AzureADTokenExchange)(USGov|China|USNat|USSec)?$/
/** Differ in nothing but the suffix that sovereign clouds put behind the plain value. */
export function onlyCloudSuffix(a: string, b: string): boolean {
  const [, one] = suffix.exec(a) ?? []
  const [, other] = suffix.exec(b) ?? []
  return a !== b && one !== undefined && other !== undefined
}

/** Operators that exchange a token of their own for others' identities: https://keda.sh/docs/latest/authentication-providers/azure-ad-workload-identity/ */
export const operators: ReadonlySet<string> = new Set(
  [
    'keda:keda-operator',
    'kube-system:keda-operator',
    'external-secrets:external-secrets',
    'cert-manager:cert-manager',
    'external-dns:external-dns',
  ].map((one) => `system:serviceaccount:${one}`),
)

/** `…/userAssignedIdentities/cart` → `cart`; anything else as it is. */
export const shortName = (identity: string): string => identity.split('/').at(-1) || identity
