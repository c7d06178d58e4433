/** Google Cloud over REST: Container, IAM, IAM Credentials, Resource Manager, Storage and STS, told apart by their paths. */
import { edited } from '../core/edit.ts'
import type { Question } from '../core/fact.ts'
import { at, isObject, type Json, type JsonObject, listAt, textAt } from '../core/json.ts'
import { gcp } from '../domain/questions.ts'
import { denied, googleError, invalid, json, notFound, unauthenticated } from './gcp-answers.ts'
import { serviceEnabled, serviceRead } from './gcp-services.ts'
import { hidden, masked, takePolicy } from './gcp-state.ts'
import { exchangeToken, type StsDesk } from './gcp-sts.ts'
import { bodyOf, impersonate, introspect, list, permitted } from './gcp-use.ts'
import type { Handler, Reply, Request } from './listener.ts'

export type GoogleDesk = StsDesk & { readonly refused: (permission: string) => boolean }

type Route = {
  readonly method: string
  readonly path: RegExp
  /** What the person must be permitted; left out where a token of the workload is taken. */
  readonly permission?: string
  readonly answer: (parts: readonly string[], request: Request, desk: GoogleDesk) => Reply | Promise<Reply>
}

/** What the case does not show, Google may hold all the same: it says neither yes nor no. */
const shown = (question: Question, { state }: GoogleDesk, then: (value: JsonObject) => Reply): Reply => {
  const value = state.get(question)
  if (value !== undefined) return then(value)
  return denied(question.call)
}

const read =
  (question: (parts: readonly string[]) => Question, permission: string, wire = (value: JsonObject) => value) =>
  (method: string, path: RegExp): Route => ({
    method,
    path,
    permission,
    answer: (parts, _, desk) => shown(question(parts), desk, (value) => json(200, wire(value))),
  })

const policyRead = (
  method: string,
  path: RegExp,
  permission: string,
  question: (name: string) => Question,
  version: (request: Request) => number,
): Route => ({
  method,
  path,
  permission,
  answer: ([name = ''], request, desk) =>
    shown(question(name), desk, (policy) => {
      const conditional = listAt(policy, 'bindings').some((one) => at(one, 'condition') !== undefined)
      return json(200, conditional && version(request) < 3 ? hidden(policy) : policy)
    }),
})

const policyWrite = (
  method: string,
  path: RegExp,
  permission: string,
  question: (name: string) => Question,
  conflict: number,
): Route => ({
  method,
  path,
  permission,
  answer: ([name = ''], request, desk) =>
    shown(question(name), desk, (held) => {
      const body = bodyOf(request)
      const next = isObject(body.policy) ? body.policy : body
      const taken = takePolicy(held, next)
      if (taken.state === 'too-old') return invalid('Specifying a condition requires policy version 3.')
      if (taken.state === 'conflict')
        return googleError(
          conflict,
          conflict === 409 ? 'ABORTED' : 'FAILED_PRECONDITION',
          'There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.',
        )
      desk.state.put(question(name), taken.policy)
      return json(200, taken.policy)
    }),
})

const inBody = (request: Request): number => {
  const version = at(bodyOf(request), 'options', 'requestedPolicyVersion')
  return typeof version === 'number' ? version : 1
}
const inQuery =
  (name: string) =>
  ({ query }: Request): number =>
    Number(query.get(name) ?? '1')

const patch = (path: RegExp, permission: string, question: (name: string) => Question): Route => ({
  method: 'PATCH',
  path,
  permission,
  answer: ([name = ''], request, desk) =>
    shown(question(name), desk, (held) => {
      const mask = request.query.get('updateMask') ?? ''
      const next = masked(held, bodyOf(request), mask)
      desk.state.put(question(name), next)
      return json(200, { name: `${name}/operations/lab`, done: true, response: next })
    }),
})

const place = '/v1/projects/[^/]+/locations/[^/]+/clusters'
const provider = /^\/v1\/(projects\/[^/]+\/locations\/global\/workloadIdentityPools\/[^/]+\/providers\/[^/:]+)$/
const pool = /^\/v1\/(projects\/[^/]+\/locations\/global\/workloadIdentityPools\/[^/:]+)$/
const accountPath = (verb: string): RegExp => new RegExp(`^/v1/projects/-/serviceAccounts/([^/:]+)${verb}$`)

const servicePath = (verb: string): RegExp => new RegExp(`^/v1/projects/([^/]+)/services/([a-z0-9.-]+)${verb}$`)

const changeCluster = (desk: GoogleDesk, change: (cluster: JsonObject) => Json | undefined): Reply =>
  shown(gcp.cluster(), desk, (cluster) => {
    const next = change(cluster)
    if (!isObject(next)) return notFound('The node pool')
    desk.state.put(gcp.cluster(), next)
    return json(200, { name: 'operation-lab', status: 'RUNNING', operationType: 'UPDATE_CLUSTER' })
  })

const bucketWire = ({ name = '', uniformBucketLevelAccess }: JsonObject): JsonObject => ({
  kind: 'storage#bucket',
  name,
  iamConfiguration: { uniformBucketLevelAccess: { enabled: uniformBucketLevelAccess === true } },
})

const routes: readonly Route[] = [
  { method: 'POST', path: /^\/v1\/token$/, answer: (_, request, desk) => exchangeToken(request, desk) },
  { method: 'POST', path: /^\/v1\/introspect$/, answer: (_, { body }, { tokens }) => introspect(body, tokens) },
  {
    method: 'POST',
    path: accountPath(':generateAccessToken'),
    answer: ([email = ''], request, desk) => impersonate(decodeURIComponent(email), request, desk),
  },
  read(([email = '']) => gcp.serviceAccount(email), 'iam.serviceAccounts.get')('GET', accountPath('')),
  policyRead(
    'POST',
    accountPath(':getIamPolicy'),
    'iam.serviceAccounts.getIamPolicy',
    gcp.serviceAccountPolicy,
    inQuery('options.requestedPolicyVersion'),
  ),
  policyWrite('POST', accountPath(':setIamPolicy'), 'iam.serviceAccounts.setIamPolicy', gcp.serviceAccountPolicy, 409),
  read(([name = '']) => gcp.provider(name), 'iam.workloadIdentityPoolProviders.get')('GET', provider),
  patch(provider, 'iam.workloadIdentityPoolProviders.update', gcp.provider),
  read(([name = '']) => gcp.pool(name), 'iam.workloadIdentityPools.get')('GET', pool),
  patch(pool, 'iam.workloadIdentityPools.update', gcp.pool),
  read(([role = '']) => gcp.role(role), 'iam.roles.get')(
    'GET',
    /^\/v1\/((?:projects|organizations)\/[^/]+\/roles\/[^/]+)$/,
  ),
  read(([project = '']) => gcp.project(project), 'resourcemanager.projects.get')('GET', /^\/v1\/projects\/([^/:]+)$/),
  policyRead(
    'POST',
    /^\/v1\/projects\/([^/:]+):getIamPolicy$/,
    'resourcemanager.projects.getIamPolicy',
    gcp.projectPolicy,
    inBody,
  ),
  policyWrite(
    'POST',
    /^\/v1\/projects\/([^/:]+):setIamPolicy$/,
    'resourcemanager.projects.setIamPolicy',
    gcp.projectPolicy,
    409,
  ),
  {
    method: 'GET',
    path: servicePath(''),
    permission: 'serviceusage.services.get',
    answer: ([project = '', service = ''], _, { state }) => serviceRead(state, project, service),
  },
  {
    method: 'POST',
    path: servicePath(':enable'),
    permission: 'serviceusage.services.enable',
    answer: ([project = '', service = ''], _, { state }) => serviceEnabled(state, project, service),
  },
  read(() => gcp.clusters(), 'container.clusters.list')('GET', new RegExp(`^${place}$`)),
  read(() => gcp.cluster(), 'container.clusters.get')('GET', new RegExp(`^${place}/([^/]+)$`)),
  {
    method: 'PUT',
    path: new RegExp(`^${place}/([^/]+)$`),
    permission: 'container.clusters.update',
    answer: (_, request, desk) =>
      changeCluster(desk, (cluster) =>
        edited(
          cluster,
          ['workloadIdentityConfig'],
          at(bodyOf(request), 'update', 'desiredWorkloadIdentityConfig') ?? {},
        ),
      ),
  },
  {
    method: 'GET',
    path: new RegExp(`^${place}/[^/]+/nodePools/([^/]+)$`),
    permission: 'container.clusters.get',
    answer: ([name = ''], _, desk) =>
      shown(gcp.cluster(), desk, (cluster) => {
        const found = listAt(cluster, 'nodePools').find((one) => textAt(one, 'name') === name)
        return found === undefined ? notFound(`Node pool ${name}`) : json(200, found)
      }),
  },
  {
    method: 'PUT',
    path: new RegExp(`^${place}/[^/]+/nodePools/([^/]+)$`),
    permission: 'container.clusters.update',
    answer: ([name = ''], request, desk) =>
      changeCluster(desk, (cluster) => {
        const index = listAt(cluster, 'nodePools').findIndex((one) => textAt(one, 'name') === name)
        const config = at(bodyOf(request), 'workloadMetadataConfig')
        return index < 0 || config === undefined
          ? undefined
          : edited(cluster, ['nodePools', index, 'config', 'workloadMetadataConfig'], config)
      }),
  },
  read(([name = '']) => gcp.bucket(name), 'storage.buckets.get', bucketWire)('GET', /^\/storage\/v1\/b\/([^/]+)$/),
  policyRead(
    'GET',
    /^\/storage\/v1\/b\/([^/]+)\/iam$/,
    'storage.buckets.getIamPolicy',
    gcp.bucketPolicy,
    inQuery('optionsRequestedPolicyVersion'),
  ),
  policyWrite('PUT', /^\/storage\/v1\/b\/([^/]+)\/iam$/, 'storage.buckets.setIamPolicy', gcp.bucketPolicy, 412),
  {
    method: 'GET',
    path: /^\/storage\/v1\/b\/([^/]+)\/iam\/testPermissions$/,
    answer: ([bucket = ''], request, desk) => permitted(bucket, request, desk),
  },
  {
    method: 'GET',
    path: /^\/storage\/v1\/b\/([^/]+)\/o$/,
    answer: ([bucket = ''], request, desk) => list(bucket, request, desk),
  },
]

export const googleService =
  (desk: GoogleDesk): Handler =>
  (request) => {
    for (const { method, path, permission, answer } of routes) {
      const parts = path.exec(request.path)
      if (method !== request.method || parts === null) continue
      if (permission !== undefined && desk.tokens.of(request)?.kind !== 'person') return unauthenticated()
      if (permission !== undefined && desk.refused(permission)) return denied(permission)
      return answer(parts.slice(1).map(decodeURIComponent), request, desk)
    }
    return notFound('The requested URL')
  }
