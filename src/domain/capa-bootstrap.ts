/** An AWSIAMConfiguration as clusterawsadm reads it: the trust policy of the controllers' role to be. */
import { isList, isObject, type Json, type JsonObject, textAt, textsAt } from '../core/json.ts'

export type Bootstrap = {
  readonly name: string
  /** Where it was read. */
  readonly file?: string
  readonly apiVersion: string
  readonly spec: JsonObject
  /** Of which account it is, where its file says so. */
  readonly account?: string
  /** Statements of the trust policy to be, in the form of IAM. */
  readonly statements: readonly JsonObject[]
  /** Those that admit web identities. */
  readonly web: readonly JsonObject[]
  readonly roleName: string
}

const isWeb = (statement: JsonObject): boolean =>
  textsAt(statement, 'Action').some((action) => /^sts:(?:AssumeRoleWithWebIdentity|\*)$/i.test(action)) ||
  (isObject(statement.Principal) && statement.Principal.Federated !== undefined)

export function readBootstrap(json: Json): Bootstrap | undefined {
  const name = textAt(json, 'metadata', 'name')
  if (!isObject(json) || name === undefined) return undefined
  const spec = isObject(json.spec) ? json.spec : {}
  const account = textAt(json, 'account')
  const file = textAt(json, 'file')
  const written = isObject(spec.clusterAPIControllers) ? spec.clusterAPIControllers.trustStatements : undefined
  const statements = (isList(written) ? written : written === undefined ? [] : [written]).filter(isObject)
  const prefix = textAt(spec, 'namePrefix') ?? ''
  const suffix = textAt(spec, 'nameSuffix') ?? '.cluster-api-provider-aws.sigs.k8s.io'
  return {
    name,
    ...(file === undefined ? {} : { file }),
    apiVersion: textAt(json, 'apiVersion') ?? '',
    spec,
    ...(account === undefined ? {} : { account }),
    statements,
    web: statements.filter(isWeb),
    roleName: `${prefix}controllers${suffix}`,
  }
}

const deepest = 30

/** All texts with their paths, keys among them. */
function* texts(value: Json, path: string, depth = 0): Generator<{ readonly path: string; readonly text: string }> {
  if (typeof value === 'string') yield { path, text: value }
  else if (depth > deepest) return
  else if (isList(value)) for (const [index, one] of value.entries()) yield* texts(one, `${path}[${index}]`, depth + 1)
  else if (isObject(value))
    for (const [key, one] of Object.entries(value)) {
      const place = /^[A-Za-z]+$/.test(key) ? `${path}.${key}` : `${path}["${key}"]`
      yield { path: place, text: key }
      yield* texts(one, place, depth + 1)
    }
}

/** IAM's own variables are no placeholders: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html */
const stand = /\$\{(?!aws:|\*|\?|\$|[a-z0-9.-]+:)[^}]{0,80}\}|<[A-Za-z][^<>]{0,80}>/

/** A stand-in that was never replaced. */
export function placeholderIn(spec: JsonObject): { readonly path: string; readonly value: string } | undefined {
  for (const { path, text } of texts(spec, 'spec')) {
    const left = stand.exec(text)?.[0]
    if (left !== undefined) return { path, value: left }
    const id = /oidc\.eks\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?\/id\/([^:/\s]{1,100})/.exec(text)?.[1]
    if (id !== undefined && !/^[A-Za-z0-9]{32}$/.test(id)) return { path, value: id }
  }
  return undefined
}

/** Values of conditions on the claim `sub`, as written. */
export const subjectsOf = (statements: readonly JsonObject[]): readonly string[] =>
  statements.flatMap(({ Condition }) =>
    isObject(Condition)
      ? Object.values(Condition).flatMap((block) =>
          isObject(block) ? Object.keys(block).flatMap((key) => (/:sub$/i.test(key) ? textsAt(block, key) : [])) : [],
        )
      : [],
  )

/** Claims that a statement tests, and of which issuer. */
export const claimsOf = ({ Condition }: JsonObject): readonly { readonly issuer: string; readonly claim: string }[] =>
  isObject(Condition)
    ? Object.values(Condition).flatMap((block) =>
        isObject(block)
          ? Object.keys(block).flatMap((key) => {
              const cut = key.lastIndexOf(':')
              return cut < 1 ? [] : [{ issuer: key.slice(0, cut), claim: key.slice(cut + 1).toLowerCase() }]
            })
          : [],
      )
    : []

/** Issuers that statements admit, without scheme. */
export const issuersOf = (statements: readonly JsonObject[]): readonly string[] =>
  statements.flatMap((one) =>
    textsAt(isObject(one.Principal) ? one.Principal : null, 'Federated').flatMap(
      (arn) => /:oidc-provider\/(.+)$/.exec(arn)?.[1] ?? [],
    ),
  )

/** Fields of each part: https://github.com/kubernetes-sigs/cluster-api-provider-aws/blob/2cf09d7/cmd/clusterawsadm/api/bootstrap/v1beta1/types.go */
const fields: { readonly [part: string]: readonly string[] } = {
  spec: [
    'namePrefix',
    'nameSuffix',
    'controlPlane',
    'clusterAPIControllers',
    'nodes',
    'bootstrapUser',
    'eks',
    'eventBridge',
    'partition',
    'secureSecretBackends',
    's3Buckets',
    'stackName',
    'region',
    'allowAssumeRole',
  ],
  clusterAPIControllers: [
    'disable',
    'extraPolicyAttachments',
    'extraStatements',
    'trustStatements',
    'permissionsBoundary',
    'path',
    'tags',
    'allowedEC2InstanceProfiles',
  ],
  eks: ['disable', 'iamRoleCreation', 'managedMachinePool', 'fargate', 'defaultControlPlaneRole', 'kmsAliasPrefix'],
}
/** Parts of which not all fields are listed: only a field that is nearly one of these is unknown. */
const open = ['managedMachinePool', 'fargate', 'defaultControlPlaneRole', 'controlPlane', 'nodes'] as const

/** A field that does not exist, and those that do. */
export function unknownField(
  spec: JsonObject,
): { readonly path: string; readonly known: readonly string[] } | undefined {
  const parts: readonly (readonly [string, Json | undefined, readonly string[]])[] = [
    ['spec', spec, fields.spec ?? []],
    ['spec.clusterAPIControllers', spec.clusterAPIControllers, fields.clusterAPIControllers ?? []],
    ['spec.eks', spec.eks, fields.eks ?? []],
  ]
  for (const [path, part, known] of parts)
    for (const key of isObject(part) ? Object.keys(part) : [])
      if (!known.includes(key)) return { path: `${path}.${key}`, known }
  for (const name of open) {
    const inEks = isObject(spec.eks) && isObject(spec.eks[name])
    const part = inEks && isObject(spec.eks) ? spec.eks[name] : spec[name]
    if (isObject(part) && part.disabled !== undefined)
      return { path: `spec.${inEks ? 'eks.' : ''}${name}.disabled`, known: ['disable'] }
  }
  return undefined
}
