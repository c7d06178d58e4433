/** Writes to Google Cloud: policies by read, change and write with the etag that was read; providers, pools, clusters and node pools by one field. */
import { edited } from '../core/edit.ts'
import { at, isList, isObject, type Json, type JsonObject, listAt, textAt, textsAt } from '../core/json.ts'
import type { Change } from '../core/plan.ts'
import type { GoogleOrder } from '../sources/live/gcp-rest.ts'

/** One kind of write. `read` is what is compared, out of the answer to `look`; `write` is made from that same answer. */
export type GcpCall = {
  readonly look: (input: JsonObject) => GoogleOrder
  readonly read: (answer: Json, input: JsonObject) => Json | undefined
  readonly before: (input: JsonObject) => Json | undefined
  readonly after: (input: JsonObject) => Json | undefined
  readonly write: (input: JsonObject, answer: Json) => GoogleOrder
  readonly undo: (input: JsonObject) => Change | null
}

const text = (input: JsonObject, name: string): string => textAt(input, name) ?? ''
const segment = (input: JsonObject, name: string): string => encodeURIComponent(text(input, name))
const named = (input: JsonObject): string => text(input, 'name').split('/').map(encodeURIComponent).join('/')
const back = (call: string, input: JsonObject): Change => ({ system: 'gcp', call, input })

/** Bindings with a condition are others than those without: a member joins the plain one only. */
const isPlain = (binding: Json, role: string): boolean =>
  textAt(binding, 'role') === role && at(binding, 'condition') === undefined

const object = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})

const holds = (policy: Json, input: JsonObject): boolean =>
  listAt(policy, 'bindings').some(
    (one) => isPlain(one, text(input, 'role')) && textsAt(one, 'members').includes(text(input, 'member')),
  )

/** The policy with the member in its place or out of it, and everything else byte for byte as it was read: conditions, audit configurations, etag. */
export function withMember(policy: Json, input: JsonObject): Json {
  const [role, member] = [text(input, 'role'), text(input, 'member')]
  const bindings = listAt(policy, 'bindings')
  const place = bindings.findIndex((one) => isPlain(one, role))
  const held = place === -1 ? [] : textsAt(bindings[place], 'members')
  const members = input.there === true ? [...new Set([...held, member])] : held.filter((one) => one !== member)
  const next =
    place === -1
      ? [...bindings, { role, members }]
      : members.length === 0
        ? bindings.toSpliced(place, 1)
        : bindings.with(place, { ...object(bindings[place]), members })
  // A policy with conditions that is written as version 1 loses them: https://cloud.google.com/iam/docs/policies#versions
  return { ...object(policy), version: 3, bindings: next }
}

const policyCall = (
  permission: string,
  look: (input: JsonObject) => GoogleOrder,
  write: (input: JsonObject, policy: Json) => GoogleOrder,
): GcpCall => ({
  look,
  read: holds,
  before: ({ there }) => there !== true,
  after: ({ there }) => there === true,
  write: (input, answer) => write(input, withMember(answer, input)),
  undo: (input) => back(permission, { ...input, there: input.there !== true }),
})

const fieldOf = (input: JsonObject): readonly string[] => textsAt(input, 'field')
/** What Google leaves out of an answer because it is the default. */
const plainField = (value: Json | undefined): Json | undefined =>
  value === false || (isList(value) && value.length === 0) ? undefined : value

const field = (permission: string): GcpCall => ({
  look: (input) => ({ service: 'iam', path: `/v1/${named(input)}` }),
  read: (answer, input) => plainField(at(answer, ...fieldOf(input))),
  before: ({ before }) => plainField(before),
  after: ({ after }) => plainField(after),
  write: (input) => ({
    service: 'iam',
    method: 'PATCH',
    path: `/v1/${named(input)}?updateMask=${encodeURIComponent(fieldOf(input).join('.'))}`,
    body: edited({}, fieldOf(input), input.after ?? null) ?? {},
  }),
  undo: ({ name = '', field: of = [], before, after }) =>
    back(permission, {
      name,
      field: of,
      ...(after === undefined ? {} : { before: after }),
      ...(before === undefined ? {} : { after: before }),
    }),
})

const clusterPath = (input: JsonObject): string =>
  `/v1/projects/${segment(input, 'project')}/locations/${segment(input, 'location')}/clusters/${segment(input, 'cluster')}`
const nodePoolPath = (input: JsonObject): string => `${clusterPath(input)}/nodePools/${segment(input, 'nodePool')}`

const account = (input: JsonObject): string => `/v1/projects/-/serviceAccounts/${segment(input, 'email')}`
const bucket = (input: JsonObject): string => `/storage/v1/b/${segment(input, 'bucket')}/iam`
const project = (input: JsonObject): string => `/v1/projects/${segment(input, 'project')}`

const servicePath = (input: JsonObject): string =>
  `/v1/projects/${segment(input, 'project')}/services/${segment(input, 'service')}`

export const gcpCalls: { readonly [call: string]: GcpCall } = {
  'iam.serviceAccounts.setIamPolicy': policyCall(
    'iam.serviceAccounts.setIamPolicy',
    (input) => ({
      service: 'iam',
      method: 'POST',
      path: `${account(input)}:getIamPolicy?options.requestedPolicyVersion=3`,
    }),
    (input, policy) => ({ service: 'iam', method: 'POST', path: `${account(input)}:setIamPolicy`, body: { policy } }),
  ),
  'resourcemanager.projects.setIamPolicy': policyCall(
    'resourcemanager.projects.setIamPolicy',
    (input) => ({
      service: 'cloudresourcemanager',
      method: 'POST',
      path: `${project(input)}:getIamPolicy`,
      body: { options: { requestedPolicyVersion: 3 } },
    }),
    (input, policy) => ({
      service: 'cloudresourcemanager',
      method: 'POST',
      path: `${project(input)}:setIamPolicy`,
      body: { policy },
    }),
  ),
  'storage.buckets.setIamPolicy': policyCall(
    'storage.buckets.setIamPolicy',
    (input) => ({ service: 'storage', path: `${bucket(input)}?optionsRequestedPolicyVersion=3` }),
    (input, policy) => ({ service: 'storage', method: 'PUT', path: bucket(input), body: policy }),
  ),
  'iam.workloadIdentityPoolProviders.update': field('iam.workloadIdentityPoolProviders.update'),
  'iam.workloadIdentityPools.update': field('iam.workloadIdentityPools.update'),
  // https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters/update
  'container.clusters.update': {
    look: (input) => ({ service: 'container', path: clusterPath(input) }),
    read: (answer) => textAt(answer, 'workloadIdentityConfig', 'workloadPool'),
    before: () => undefined,
    after: ({ workloadPool }) => workloadPool,
    write: (input) => ({
      service: 'container',
      method: 'PUT',
      path: clusterPath(input),
      body: { update: { desiredWorkloadIdentityConfig: { workloadPool: text(input, 'workloadPool') } } },
    }),
    undo: () => null,
  },
  // https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters.nodePools/update
  'container.nodePools.update': {
    look: (input) => ({ service: 'container', path: nodePoolPath(input) }),
    read: (answer) => textAt(answer, 'config', 'workloadMetadataConfig', 'mode'),
    before: ({ before }) => before,
    after: ({ mode }) => mode,
    write: (input) => ({
      service: 'container',
      method: 'PUT',
      path: nodePoolPath(input),
      body: { workloadMetadataConfig: { mode: text(input, 'mode') } },
    }),
    undo: ({ before, mode = '', ...place }) =>
      before === 'GCE_METADATA' ? back('container.nodePools.update', { ...place, before: mode, mode: before }) : null,
  },
  // https://cloud.google.com/service-usage/docs/reference/rest/v1/services/enable
  'serviceusage.services.enable': {
    look: (input) => ({ service: 'serviceusage', path: servicePath(input) }),
    read: (answer) => textAt(answer, 'state') === 'ENABLED',
    before: () => false,
    after: () => true,
    write: (input) => ({ service: 'serviceusage', method: 'POST', path: `${servicePath(input)}:enable`, body: {} }),
    undo: () => null,
  },
}
