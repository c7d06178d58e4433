/** What a case says about Azure: the tenant, the subscriptions, identities, applications, credentials, roles and clusters; all of it may be written to. */
import { isObject, type JsonObject, listAt, textAt, textsAt } from '../core/json.ts'
import {
  accountIn,
  applicationOf,
  assignmentOf,
  bindingOf,
  clusterIn,
  credentialOf,
  flat,
  identityOf,
  isApplication,
  isPrincipal,
  principalOf,
} from '../sources/documents/azure-shapes.ts'
import type { CaseDocument } from './case-documents.ts'

/** As ARM and Graph hold it. */
export type HeldCredential = {
  readonly id: string
  readonly name: string
  readonly issuer: string
  readonly subject?: string
  readonly expression?: string
  readonly audiences: readonly string[]
}
export type AzureWorld = {
  readonly tenantId: string
  /** All that the case speaks of. */
  readonly tenants: ReadonlySet<string>
  readonly subscriptions: readonly string[]
  /** In the flat form of the command line. */
  readonly clusters: readonly JsonObject[]
  readonly identities: readonly JsonObject[]
  readonly applications: readonly JsonObject[]
  readonly principals: readonly JsonObject[]
  readonly accounts: readonly JsonObject[]
  readonly bindings: readonly JsonObject[]
  /** By resource id or appId, in small letters; an identity that is not here shows none of its own. */
  readonly credentials: Map<string, HeldCredential[]>
  readonly assignments: JsonObject[]
  /** The case says anything about Azure at all. */
  readonly isTold: boolean
}

const anyTenant = '00000000-1111-4222-8333-444444444444'
const anySubscription = '00000000-5555-4666-8777-888888888888'
const subscriptionIn = (one: JsonObject): string | undefined =>
  /^\/subscriptions\/([0-9a-f-]{36})\//i.exec(textAt(one, 'id') ?? textAt(one, 'scope') ?? '')?.[1]

/** `objects`: those of the cluster, whose webhook and annotations name the tenant too. */
export function azureIn(documents: readonly CaseDocument[], objects: readonly JsonObject[]): AzureWorld {
  const values: { readonly value: JsonObject; readonly stem: string; readonly owner?: string }[] = []
  for (const { value, stem } of documents) {
    if (value.apiVersion !== undefined) continue
    const owner = /applications\((?:appId=)?'?([0-9a-f-]{36})'?\)/i.exec(textAt(value, '@odata.context') ?? '')?.[1]
    const members = listAt(value, 'value').filter((one) => isObject(one))
    if (members.length > 0)
      for (const one of members) values.push({ value: one, stem, ...(owner === undefined ? {} : { owner }) })
    else values.push({ value, stem })
  }
  const pick = (read: (value: JsonObject) => JsonObject | undefined): JsonObject[] =>
    values.flatMap(({ value }) => {
      const one = read(value)
      return one === undefined ? [] : [one]
    })
  const identities = pick(identityOf)
  const clusters = pick((value) => {
    const own = clusterIn(value)
    return own === undefined ? undefined : { ...own, ...fqdnOf(value) }
  })
  const accounts = pick(accountIn)
  const assignments = pick((value) => (credentialOf(value, '') === undefined ? assignmentOf(value) : undefined))
  const applications = pick((value) => (isApplication(value) ? applicationOf(value) : undefined))
  const principals = pick((value) => (isPrincipal(value) ? principalOf(value) : undefined))
  const bindings = pick(bindingOf)
  const credentials = new Map<string, HeldCredential[]>()
  const only = identities.length === 1 ? textAt(identities[0] ?? null, 'id') : undefined
  for (const { value, stem, owner } of values) {
    const read = credentialOf(value, owner ?? stem)
    const holder = owner ?? textAt(read ?? null, 'identity') ?? only
    if (read === undefined || holder === undefined) continue
    const key = holder.toLowerCase()
    const name = textAt(read, 'name') ?? 'credential'
    const held = credentials.get(key) ?? []
    const subject = textAt(read, 'subject')
    const expression = textAt(read, 'expression')
    held.push({
      id: `${holder}/federatedIdentityCredentials/${name}`,
      name,
      issuer: textAt(read, 'issuer') ?? '',
      audiences: textsAt(read, 'audiences'),
      ...(subject === undefined ? {} : { subject }),
      ...(expression === undefined ? {} : { expression }),
    })
    credentials.set(key, held)
  }
  const own = [...identities, ...clusters, ...accounts, ...assignments].flatMap((one) => subscriptionIn(one) ?? [])
  const tenantId =
    identities.map((one) => textAt(one, 'tenantId')).find((one) => one !== undefined) ??
    objects.map((one) => textAt(one, 'data', 'AZURE_TENANT_ID')).find((one) => one !== undefined) ??
    clusters
      .map(
        (one) => /\/([0-9a-f-]{36})\/[0-9a-f-]{36}\/?$/.exec(textAt(one, 'oidcIssuerProfile', 'issuerUrl') ?? '')?.[1],
      )
      .find((one) => one !== undefined) ??
    anyTenant
  const told = identities.length + clusters.length + applications.length + principals.length + credentials.size
  const tenants = [
    tenantId,
    ...identities.flatMap((one) => textAt(one, 'tenantId') ?? []),
    ...principals.flatMap((one) => textAt(one, 'tenantId') ?? []),
  ]
  return {
    tenantId,
    tenants: new Set(tenants.map((one) => one.toLowerCase())),
    subscriptions: own.length === 0 ? [anySubscription] : [...new Set(own)],
    clusters,
    identities,
    applications,
    principals,
    accounts,
    bindings,
    credentials,
    assignments,
    isTold: told > 0,
  }
}

/** Where the API server of a cluster is, which the command line prints and no check looks at. */
function fqdnOf(value: JsonObject): JsonObject {
  const body = flat(value)
  const fqdn = textAt(body, 'fqdn')
  return fqdn === undefined ? {} : { fqdn }
}
