/** What a case says about the world that it was taken from: the cluster's objects, the issuer, the accounts. */
import { at, isList, isObject, type JsonObject, listAt, textAt, textsAt } from '../core/json.ts'
import { azureClientAnnotation } from '../domain/audiences.ts'
import { type Accounts, accountsIn, arnParts } from './aws-accounts.ts'
import { type AzureWorld, azureIn } from './azure-world.ts'
import type { CaseDocuments } from './case-documents.ts'
import { type Machines, machinesIn } from './ec2.ts'
import { type Entering, enteringIn } from './entering.ts'
import { type GoogleState, googleIn } from './gcp-state.ts'
import { type Permissions, permissionsIn } from './s3.ts'

export type LabCase = {
  /** The objects of the cluster, lists opened, in the order of the documents. */
  readonly objects: readonly JsonObject[]
  /** The kinds of which the case holds a typed list: it shows all that there are. */
  readonly listed: ReadonlySet<string>
  /** Where tokens say that they come from. */
  readonly issuer: string
  /** The discovery document and the keys as the world was shown them. */
  readonly discovery?: JsonObject
  readonly jwks?: JsonObject
  /** The same as the API server itself answered. */
  readonly served: { readonly discovery?: JsonObject; readonly jwks?: JsonObject }
  /** The kid that the case's own tokens name. */
  readonly kid?: string
  /** `cluster` of aws eks describe-cluster. */
  readonly cluster?: JsonObject
  /** Pod Identity associations; left out where the case does not show them. */
  readonly associations?: readonly JsonObject[]
  /** Its access entries and node groups. */
  readonly entering: Entering
  /** Its machines, subnets and instance types. */
  readonly machines: Machines
  readonly accounts: Accounts
  /** The permission policies of its roles, and its buckets. */
  readonly permissions: Permissions
  readonly azure: AzureWorld
  /** What the case shows of Google Cloud. */
  readonly google: GoogleState
  readonly region: string
  /** `gitVersion` of the API server. */
  readonly version?: string
  /** Where the first ServiceAccount with a role or a Google service account lives. */
  readonly namespace?: string
}

const defaultIssuer = 'https://oidc.lab.example/id/LAB'
const googleAnnotation = 'iam.gke.io/gcp-service-account'
const roleAnnotation = 'eks.amazonaws.com/role-arn'

/** Reads the documents by their shape, as `doctor -f` does. */
export function caseOf({ documents, tokens }: CaseDocuments): LabCase {
  const values = documents.map(({ value }) => value)
  const objects = values.flatMap(objectsIn)
  const listed = new Set(values.flatMap((value) => /^(\w+)List$/.exec(textAt(value, 'kind') ?? '')?.[1] ?? []))
  const own = documents.filter(({ file }) => saysApiServer.test(file.split('/').at(-1) ?? '')).map(({ value }) => value)
  const open = values.filter((value) => !own.includes(value))
  const discovery = open.find(isDiscovery)
  const jwks = open.find(isKeySet)
  const [itsDiscovery, itsKeys] = [own.find(isDiscovery), own.find(isKeySet)]
  const served = { ...(itsDiscovery && { discovery: itsDiscovery }), ...(itsKeys && { jwks: itsKeys }) }
  const cluster = clusterIn(values)
  const lists = values.filter((value) => isList(value.associations) || isObject(value.association))
  const associations = associationsIn(lists)
  const seen = tokens.filter(({ claims }) => textAt(claims, 'sub')?.startsWith('system:serviceaccount:'))
  const kid = seen.map(({ header }) => textAt(header, 'kid')).find((one) => one !== undefined)
  const annotated = objects.flatMap((object) => textAt(object, 'metadata', 'annotations', roleAnnotation) ?? [])
  const accounts = accountsIn(documents, annotated)
  const azure = azureIn(documents, objects)
  const issuer =
    seen.map(({ claims }) => textAt(claims, 'iss')).find((iss) => iss?.startsWith('https://')) ??
    textAt(cluster, 'identity', 'oidc', 'issuer') ??
    azure.clusters.map((one) => textAt(one, 'oidcIssuerProfile', 'issuerUrl')).find((one) => Boolean(one)) ??
    textAt(discovery, 'issuer') ??
    textAt(itsDiscovery, 'issuer') ??
    objects.flatMap(issuerFlag)[0] ??
    trustedIssuer(accounts) ??
    defaultIssuer
  const region =
    arnParts(textAt(cluster, 'arn'))?.region ?? /^https:\/\/oidc\.eks\.([a-z0-9-]+)\./.exec(issuer)?.[1] ?? 'us-east-1'
  const version = values.map((value) => textAt(value, 'serverVersion', 'gitVersion')).find((one) => one !== undefined)
  const bound =
    objects.find((object) =>
      [roleAnnotation, azureClientAnnotation].some(
        (key) => textAt(object, 'metadata', 'annotations', key) !== undefined,
      ),
    ) ?? objects.find((object) => textAt(object, 'metadata', 'annotations', googleAnnotation) !== undefined)
  const namespace = textAt(bound, 'metadata', 'namespace')
  return {
    objects,
    listed,
    issuer,
    ...(discovery && { discovery }),
    ...(jwks && { jwks }),
    served,
    ...(kid === undefined ? {} : { kid }),
    ...(cluster && { cluster }),
    ...(lists.length > 0 && { associations }),
    entering: enteringIn(values),
    machines: machinesIn(values),
    accounts,
    azure,
    permissions: permissionsIn(documents),
    google: googleIn(documents),
    region,
    ...(version === undefined ? {} : { version }),
    ...(namespace === undefined ? {} : { namespace }),
  }
}

/** Said by the file's name: what the API server itself answered, not what the world can fetch. */
const saysApiServer = /apiserver|api-server|live/i
const isDiscovery = (value: JsonObject): boolean =>
  value.apiVersion === undefined && textAt(value, 'issuer') !== undefined && textAt(value, 'jwks_uri') !== undefined
const isKeySet = (value: JsonObject): boolean =>
  listAt(value, 'keys').length > 0 && listAt(value, 'keys').every((key) => textAt(key, 'kty') !== undefined)

/** What a kube-apiserver that runs as a pod was told; of several issuers the first signs. */
const issuerFlag = (object: JsonObject): readonly string[] =>
  listAt(object, 'spec', 'containers')
    .flatMap((container) => [...textsAt(container, 'command'), ...textsAt(container, 'args')])
    .flatMap((word) => /^--service-account-issuer=(.+)$/.exec(word)?.[1] ?? [])

/** Kinds that a cluster never holds: configuration for tools, and answers about the asker. */
const notStored = new Set([
  'Config',
  'Bundle',
  'SelfSubjectReview',
  'AWSIAMConfiguration',
  'TokenRequest',
  'TokenReview',
])

function objectsIn(value: JsonObject): readonly JsonObject[] {
  const kind = textAt(value, 'kind')
  const apiVersion = textAt(value, 'apiVersion')
  if (kind === undefined || apiVersion === undefined || notStored.has(kind)) return []
  if (!kind.endsWith('List')) return textAt(value, 'metadata', 'name') === undefined ? [] : [value]
  return (
    listAt(value, 'items')
      .filter(isObject)
      // A typed list leaves kind and apiVersion to itself.
      .map((item): JsonObject => (kind === 'List' ? item : { apiVersion, kind: kind.slice(0, -4), ...item }))
      .flatMap(objectsIn)
  )
}

/** A list has no roles, a description has: both are of one association. */
function associationsIn(lists: readonly JsonObject[]): readonly JsonObject[] {
  const merged = new Map<string, JsonObject>()
  for (const one of lists.flatMap((value) => [...listAt(value, 'associations'), at(value, 'association') ?? null])) {
    if (!isObject(one)) continue
    const key = textAt(one, 'associationArn') ?? `${textAt(one, 'namespace')}/${textAt(one, 'serviceAccount')}`
    merged.set(key, { ...merged.get(key), ...one })
  }
  return [...merged.values()]
}

const clusterIn = (values: readonly JsonObject[]): JsonObject | undefined => {
  const found = values
    .map((value) => at(value, 'cluster'))
    .find((cluster) => arnParts(textAt(cluster, 'arn'))?.service === 'eks')
  return isObject(found) ? found : undefined
}

function trustedIssuer(accounts: Accounts): string | undefined {
  for (const account of accounts.all.values()) {
    for (const role of account.roles.values())
      for (const statement of [at(role.policy, 'Statement')].flat())
        for (const principal of textsAt(statement, 'Principal', 'Federated')) {
          const url = /^(?:arn:[^:]*:iam::\d*:oidc-provider\/)?([^:\s]+\.[^:\s]+)$/.exec(principal)?.[1]
          if (url !== undefined && !principal.includes(':saml-provider/')) return `https://${url}`
        }
    for (const arn of account.providers.keys()) {
      const url = arn.split(':oidc-provider/')[1]
      if (url !== undefined) return `https://${url}`
    }
  }
  return undefined
}
