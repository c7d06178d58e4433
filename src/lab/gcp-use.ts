/** What a workload does with its tokens in the lab: acts as an account, reads a bucket, asks what it may. */
import { isObject, type Json, type JsonObject, textAt, textsAt } from '../core/json.ts'
import { admits } from '../domain/gcp-members.ts'
import { grantsOf, holdsAt, mayImpersonate, readPolicy } from '../domain/gcp-policies.ts'
import { gcp } from '../domain/questions.ts'
import { denied, googleError, invalid, json, unauthenticated } from './gcp-answers.ts'
import { stateOf } from './gcp-services.ts'
import type { Bearer, StsDesk, Tokens } from './gcp-sts.ts'
import type { Reply, Request } from './listener.ts'

export const bodyOf = (request: Request): JsonObject => {
  const value: Json = request.body === '' ? {} : JSON.parse(request.body)
  return isObject(value) ? value : {}
}

/** Whether the one who asks holds a role for which `fits` in this policy, at this time. */
function holdsIn(policy: JsonObject, bearer: Bearer, now: number, fits: (role: string) => boolean): boolean {
  return grantsOf(readPolicy('', policy) ?? { resource: '', bindings: [] }).some(({ role, member, condition }) => {
    const isThem =
      bearer.kind === 'account'
        ? member === `serviceAccount:${bearer.email}`
        : bearer.kind === 'workload' && admits(member, bearer.workload) === true
    return isThem && fits(role) && (condition === undefined || holdsAt(condition, now) === true)
  })
}

/** https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken */
export function impersonate(email: string, request: Request, desk: StsDesk): Reply {
  const bearer = desk.tokens.of(request)
  if (bearer === undefined) return unauthenticated()
  const project = /@([a-z0-9.-]+)\.iam\./.exec(email)?.[1]
  if ((stateOf(desk.state, project, 'iamcredentials.googleapis.com') ?? 'ENABLED') !== 'ENABLED')
    return googleError(
      403,
      'PERMISSION_DENIED',
      `IAM Service Account Credentials API has not been used in project ${project ?? ''} before or it is disabled.`,
    )
  const body = bodyOf(request)
  const seconds = Number(/^(\d+)(?:\.\d+)?s$/.exec(textAt(body, 'lifetime') ?? '3600s')?.[1] ?? Number.NaN)
  if (textsAt(body, 'scope').length === 0) return invalid('Scope required.')
  if (seconds === 0) return invalid('Lifetime of access token must be larger then zero.')
  if (!(seconds <= 3600))
    return invalid(
      'You are attempting to create access tokens that can not have lifetimes of more than 1 hour. Use the Org Policy Constraint constraints/iam.allowServiceAccountCredentialLifetimeExtension to allow up to 12 hours.',
    )
  const account = desk.state.get(gcp.serviceAccount(email))
  const policy = desk.state.get(gcp.serviceAccountPolicy(email))
  const may =
    policy !== undefined && holdsIn(policy, bearer, desk.now(), (role) => mayImpersonate(role, undefined) === true)
  if (!may || account?.disabled === true) return denied('iam.serviceAccounts.getAccessToken')
  return json(200, {
    accessToken: desk.tokens.give({ kind: 'account', email }),
    expireTime: new Date(desk.now() + seconds * 1000).toISOString().replace(/\.\d{3}Z$/, 'Z'),
  })
}

/** What the predefined roles hold of what workloads do with a bucket: https://cloud.google.com/storage/docs/access-control/iam-roles */
const holding: { readonly [permission: string]: RegExp } = {
  'storage.objects.get': /^roles\/storage\.(?:object(?:Viewer|User|Admin)|admin)$/,
  'storage.objects.list': /^roles\/storage\.(?:object(?:Viewer|User|Admin)|admin|legacyBucket(?:Reader|Writer|Owner))$/,
  'storage.objects.create': /^roles\/storage\.(?:object(?:Creator|User|Admin)|admin|legacyBucket(?:Writer|Owner))$/,
  'storage.objects.delete': /^roles\/storage\.(?:object(?:User|Admin)|admin|legacyBucket(?:Writer|Owner))$/,
  'storage.buckets.get': /^roles\/storage\.(?:bucketViewer|admin|legacyBucket(?:Reader|Writer|Owner))$/,
}

/** Grants of the bucket and of the projects of the case count alike. */
const may = (bucket: string, bearer: Bearer, desk: StsDesk, permission: string): boolean =>
  [desk.state.get(gcp.bucketPolicy(bucket)), desk.state.get(gcp.projectPolicy(projectOf(desk)))].some(
    (policy) =>
      policy !== undefined && holdsIn(policy, bearer, desk.now(), (role) => holding[permission]?.test(role) === true),
  )

const projectOf = ({ state }: StsDesk): string =>
  /\/projects\/([^/]+)\//.exec(textAt(state.cluster, 'selfLink') ?? '')?.[1] ?? ''

/** https://cloud.google.com/storage/docs/json_api/v1/buckets/testIamPermissions */
export function permitted(bucket: string, request: Request, desk: StsDesk): Reply {
  const bearer = desk.tokens.of(request)
  if (bearer === undefined) return unauthenticated()
  const permissions = request.query.getAll('permissions').filter((one) => may(bucket, bearer, desk, one))
  return json(200, { kind: 'storage#testIamPermissionsResponse', ...(permissions.length === 0 ? {} : { permissions }) })
}

/** Whose a federated token is; it knows no others. */
export function introspect(body: string, tokens: Tokens): Reply {
  const token = new URLSearchParams(body).get('token') ?? ''
  const bearer = tokens.of({ headers: { authorization: `Bearer ${token}` } })
  return json(200, bearer?.kind === 'workload' ? { active: true, username: bearer.principal } : { active: false })
}

export function list(bucket: string, request: Request, desk: StsDesk): Reply {
  const bearer = desk.tokens.of(request)
  if (bearer === undefined) return unauthenticated()
  const direct = bearer.kind === 'workload'
  if (direct && desk.state.get(gcp.bucket(bucket))?.uniformBucketLevelAccess === false)
    return googleError(
      412,
      'FAILED_PRECONDITION',
      'The type of authentication token used for this request requires that Uniform Bucket Level Access be enabled.',
    )
  if (may(bucket, bearer, desk, 'storage.objects.list')) return json(200, { kind: 'storage#objects', items: [] })
  const who = bearer.kind === 'account' ? bearer.email : bearer.kind === 'workload' ? bearer.principal : 'Caller'
  return denied(
    'storage.objects.list',
    `${who} does not have storage.objects.list access to the Google Cloud Storage bucket. Permission 'storage.objects.list' denied on resource (or it may not exist).`,
  )
}
