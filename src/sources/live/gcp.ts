/** The Google Cloud source: the cluster, accounts, policies, pools and buckets as the person's own sign-in sees them. */
import { absent, type Fact, known, onward, type Question, type Source, unknown } from '../../core/fact.ts'
import { at, isList, isObject, type Json, type JsonObject, listAt, textAt } from '../../core/json.ts'
import { unseenBy } from './gcp-answers.ts'
import { type GoogleExchanger, googleProof } from './gcp-exchange.ts'
import { type GoogleOrder, googleRest } from './gcp-rest.ts'
import type { GkeHint } from './gke-hint.ts'
import type { Lab } from './lab-hook.ts'

export type GcpDeps = Omit<GoogleExchanger, 'rest'> & {
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly lab: Lab | undefined
  readonly timeoutMs?: number | undefined
  readonly version?: string | undefined
  /** The cluster that the kubeconfig names, where gcloud wrote it. */
  readonly hint: GkeHint | undefined
  /** Whether the API server's version is one of GKE. */
  readonly isGke: () => Promise<boolean>
  readonly signal?: AbortSignal | undefined
}
export type GcpSource = Source & { readonly close: () => void }

const pick = (value: Json, names: readonly string[]): JsonObject =>
  Object.fromEntries(
    names.flatMap((name) => {
      const member = at(value, name)
      return member === undefined ? [] : [[name, member] as const]
    }),
  )
const segment = (text: string): string => encodeURIComponent(text)
/** A resource's whole name: its slashes stay, whatever else could end the path goes. */
const named = (name: string): string => name.split('/').map(segment).join('/')

type Row = {
  readonly order: (name: string) => GoogleOrder | undefined
  readonly key: string
  readonly read: (value: Json) => JsonObject | undefined
}

const policy = (value: Json): JsonObject => ({ bindings: [], ...pick(value, ['bindings', 'etag', 'version']) })
const versionThree = { options: { requestedPolicyVersion: 3 } }
const email = /^[a-z0-9.:@-]{6,200}$/i
const ofPool = /^projects\/[^/]+\/locations\/global\/workloadIdentityPools\/[^/]+(?:\/providers\/[^/]+)?$/

/** How each question is asked; the reading leaves out whatever nobody looks at. */
const rows: { readonly [call: string]: Row } = {
  'iam.serviceAccounts.get': {
    key: 'email',
    order: (name) =>
      email.test(name) ? { service: 'iam', path: `/v1/projects/-/serviceAccounts/${segment(name)}` } : undefined,
    read: (value) =>
      textAt(value, 'email') === undefined ? undefined : pick(value, ['email', 'uniqueId', 'disabled']),
  },
  'iam.serviceAccounts.getIamPolicy': {
    key: 'email',
    order: (name) =>
      email.test(name)
        ? {
            service: 'iam',
            method: 'POST',
            path: `/v1/projects/-/serviceAccounts/${segment(name)}:getIamPolicy?options.requestedPolicyVersion=3`,
          }
        : undefined,
    read: policy,
  },
  'resourcemanager.projects.getIamPolicy': {
    key: 'project',
    order: (name) => ({
      service: 'cloudresourcemanager',
      method: 'POST',
      path: `/v1/projects/${segment(name)}:getIamPolicy`,
      body: versionThree,
    }),
    read: policy,
  },
  'resourcemanager.projects.get': {
    key: 'project',
    order: (name) => ({ service: 'cloudresourcemanager', path: `/v1/projects/${segment(name)}` }),
    read: (value) =>
      textAt(value, 'projectNumber') === undefined ? undefined : pick(value, ['projectId', 'projectNumber']),
  },
  'storage.buckets.getIamPolicy': {
    key: 'bucket',
    order: (name) => ({
      service: 'storage',
      path: `/storage/v1/b/${segment(name)}/iam?optionsRequestedPolicyVersion=3`,
    }),
    read: policy,
  },
  'storage.buckets.get': {
    key: 'bucket',
    order: (name) => ({ service: 'storage', path: `/storage/v1/b/${segment(name)}?projection=noAcl` }),
    read: (value) => {
      const uniform = at(value, 'iamConfiguration', 'uniformBucketLevelAccess', 'enabled')
      return {
        ...pick(value, ['name']),
        ...(typeof uniform === 'boolean' ? { uniformBucketLevelAccess: uniform } : {}),
      }
    },
  },
  'iam.roles.get': {
    key: 'role',
    order: (name) =>
      /^(?:projects|organizations)\/[^/]+\/roles\/[^/]+$/.test(name)
        ? { service: 'iam', path: `/v1/${named(name)}` }
        : undefined,
    read: (value) => pick(value, ['name', 'includedPermissions']),
  },
  'iam.workloadIdentityPools.get': {
    key: 'name',
    order: (name) => (ofPool.test(name) ? { service: 'iam', path: `/v1/${named(name)}` } : undefined),
    read: (value) => pick(value, ['name', 'state', 'disabled', 'expireTime']),
  },
  'iam.workloadIdentityPoolProviders.get': {
    key: 'name',
    order: (name) => (ofPool.test(name) ? { service: 'iam', path: `/v1/${named(name)}` } : undefined),
    read: (value) =>
      pick(value, ['name', 'state', 'disabled', 'expireTime', 'attributeMapping', 'attributeCondition', 'oidc']),
  },
}

const clusterMembers = [
  'name',
  'location',
  'selfLink',
  'workloadIdentityConfig',
  'autopilot',
  'currentMasterVersion',
  'networkConfig',
  'privateClusterConfig',
] as const

/** Of a node pool's configuration only what decides over identities: the rest holds metadata that may be secret. */
const nodePool = (value: Json): Json => ({
  ...pick(value, ['name', 'maxPodsConstraint', 'version']),
  config: pick(at(value, 'config') ?? {}, ['workloadMetadataConfig', 'nodeMetadata', 'serviceAccount']),
})

export function gcpSource(deps: GcpDeps): GcpSource {
  const { hint } = deps
  const rest = googleRest({ ...deps, env: deps.env ?? process.env })
  const proof = googleProof({ rest, vault: deps.vault, mint: deps.mint })
  let cluster: Promise<Fact<Json>> | undefined

  const ask = async (question: Question, order: GoogleOrder, read: Row['read'], signal?: AbortSignal) => {
    const reply = await rest.send(order, signal)
    if (reply.state !== 'answer') return unseenBy(reply, question)
    const value = isObject(reply.value) ? read(reply.value) : undefined
    return value === undefined
      ? unknown('malformed', 'the answer of Google Cloud was not understood', question)
      : known(value, question)
  }

  const unnamed = async (question: Question): Promise<Fact<Json>> =>
    (await deps.isGke())
      ? unknown(
          'not-asked',
          'which cluster of GKE it is, the kubeconfig does not say',
          question,
          'gcloud container clusters get-credentials NAME --location=LOCATION --project=PROJECT',
        )
      : absent(question)

  const theCluster = (question: Question): Promise<Fact<Json>> => {
    cluster ??=
      hint === undefined
        ? unnamed(question)
        : ask(
            question,
            {
              service: 'container',
              path: `/v1/projects/${segment(hint.project)}/locations/${segment(hint.location)}/clusters/${segment(hint.name)}`,
            },
            (value) => {
              const pools = at(value, 'nodePools')
              return textAt(value, 'name') === undefined
                ? undefined
                : {
                    ...pick(value, clusterMembers),
                    ...(isList(pools) ? { nodePools: pools.map(nodePool) } : {}),
                  }
            },
            deps.signal,
          )
    return cluster.then((fact) => ({ ...fact, from: question }))
  }

  const clusters = (question: Question, signal?: AbortSignal): Promise<Fact<Json>> =>
    hint === undefined
      ? unnamed(question)
      : ask(
          question,
          { service: 'container', path: `/v1/projects/${segment(hint.project)}/locations/-/clusters` },
          (value) => ({
            clusters: listAt(value, 'clusters').map((one) => {
              const pool = textAt(one, 'workloadIdentityConfig', 'workloadPool')
              return { ...pick(one, ['name', 'location']), ...(pool === undefined ? {} : { workloadPool: pool }) }
            }),
            complete: listAt(value, 'missingZones').length === 0,
          }),
          signal,
        )

  return {
    name: 'Google Cloud',
    ask: (question, signal) => {
      const { call, input } = question
      if (call === 'collected') return absent(question)
      if (call === 'container.clusters.get')
        return onward(
          theCluster(question),
          (fact): Fact<Json> =>
            textAt(input, 'part') === undefined || fact.state !== 'known'
              ? fact
              : known({ nodePools: listAt(fact.value, 'nodePools'), complete: true }, question),
        )
      if (call === 'container.clusters.list') return clusters(question, signal)
      if (call === 'sts exchange') return proof.exchange(question, signal)
      if (call === 'sts exchange, storage.testIamPermissions') return proof.bucketAccess(question, signal)
      const row = Object.hasOwn(rows, call) ? rows[call] : undefined
      if (row !== undefined) {
        const order = row.order(textAt(input, row.key) ?? '')
        return order === undefined ? absent(question) : ask(question, order, row.read, signal)
      }
      return unknown(
        'not-asked',
        `${call} is not asked of Google Cloud`,
        question,
        'give what it says as documents with -f',
      )
    },
    close: () => rest.close(),
  }
}
