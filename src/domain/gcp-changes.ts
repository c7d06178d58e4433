/** Changes to Google Cloud as a fixer proposes them: one member of a policy, one field of a provider, one setting of a cluster. */
import type { Json, JsonObject } from '../core/json.ts'
import type { Change, Effect } from '../core/plan.ts'
import type { GkeCluster, NodePool } from './gcp-cluster.ts'
import { faultOfMember } from './gcp-members.ts'
import type { Policy } from './gcp-policies.ts'
import type { Changed } from './kubernetes-changes.ts'
import { gcp } from './questions.ts'

const call = (name: string, input: JsonObject): Change => ({ system: 'gcp', call: name, input })

/** Where each kind of policy is asked for and written; the kinds are those of `Policy.resource`. */
const homes: {
  readonly [kind: string]: {
    readonly question: typeof gcp.projectPolicy
    readonly permission: string
    readonly key: string
  }
} = {
  serviceAccounts: {
    question: gcp.serviceAccountPolicy,
    permission: 'iam.serviceAccounts.setIamPolicy',
    key: 'email',
  },
  projects: { question: gcp.projectPolicy, permission: 'resourcemanager.projects.setIamPolicy', key: 'project' },
  buckets: { question: gcp.bucketPolicy, permission: 'storage.buckets.setIamPolicy', key: 'bucket' },
}

/**
 * Grants a role on one resource to one member; other members, bindings and conditions stay as they are. `collected`: the places of the same
 * policy in `gcp.collected()`, which tells it a second time. Undefined for a member that is none, a set, or everybody, and for a resource without a name.
 */
export function grantMember(
  { resource, bindings }: Policy,
  role: string,
  member: string,
  collected?: number,
): Changed | undefined {
  const cut = resource.indexOf('/')
  const home = homes[resource.slice(0, cut)]
  const name = resource.slice(cut + 1)
  const isOne = /^(?:serviceAccount:[^*]+|principal:\/\/iam\.googleapis\.com\/[^*]+)$/.test(member)
  if (home === undefined || cut < 0 || name === '' || !isOne || faultOfMember(member) !== undefined) return undefined
  const place = bindings.findIndex((one) => one.role === role && one.condition === undefined)
  const joins = (question: Effect['question'], path: readonly (string | number)[]): Effect =>
    place === -1
      ? { question, path: [...path, 'bindings', '-'], after: { role, members: [member] } }
      : { question, path: [...path, 'bindings', place, 'members', '-'], after: member }
  const put = (there: boolean): Change => call(home.permission, { [home.key]: name, role, member, there })
  const also =
    collected === undefined || collected < 0 ? [] : [joins(gcp.collected(), ['policies', collected, 'policy'])]
  return { change: put(true), effects: [joins(home.question(name), []), ...also], undo: put(false) }
}

/** One field of a provider (`oidc.issuerUri`, `oidc.allowedAudiences`, `disabled`), from what was seen to what should be there. */
export function changeProvider(
  name: string,
  field: readonly string[],
  before: Json | undefined,
  after: Json | undefined,
): Changed {
  const put = (from: Json | undefined, to: Json | undefined): Change =>
    call('iam.workloadIdentityPoolProviders.update', {
      name,
      field,
      ...(from === undefined ? {} : { before: from }),
      ...(to === undefined ? {} : { after: to }),
    })
  return {
    change: put(before, after),
    effects: [
      {
        question: gcp.provider(name),
        path: field,
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
      },
    ],
    undo: put(after, before),
  }
}

/** Enables a pool that was disabled. */
export function enablePool(name: string): Changed {
  const put = (before: boolean, after: boolean): Change =>
    call('iam.workloadIdentityPools.update', { name, field: ['disabled'], before, after })
  return {
    change: put(true, false),
    effects: [{ question: gcp.pool(name), path: ['disabled'], before: true, after: false }],
    undo: put(false, true),
  }
}

type Located = Pick<GkeCluster, 'name'> & { readonly project: string; readonly location: string }

/** The cluster with all that a write has to name; undefined where its project or place was not seen. */
export const located = ({ name, project, location }: GkeCluster): Located | undefined =>
  project === undefined || location === undefined ? undefined : { name, project, location }

/** Gives a cluster its workload pool; its node pools keep their mode. Nothing switches it off again: what uses it by then would break. */
export function enableWorkloadPool({ name, project, location }: Located): Changed {
  const workloadPool = `${project}.svc.id.goog`
  return {
    change: call('container.clusters.update', { project, location, cluster: name, workloadPool }),
    effects: [{ question: gcp.cluster(), path: ['workloadIdentityConfig', 'workloadPool'], after: workloadPool }],
    undo: null,
  }
}

/** Switches one node pool to the metadata server. `index`: its place among the node pools. */
export function serveMetadata({ name, project, location }: Located, pool: NodePool, index: number): Changed {
  const put = (before: string | undefined, after: string): Change =>
    call('container.nodePools.update', {
      project,
      location,
      cluster: name,
      nodePool: pool.name,
      ...(before === undefined ? {} : { before }),
      mode: after,
    })
  const mode = 'GKE_METADATA'
  const path = ['nodePools', index, 'config', 'workloadMetadataConfig']
  return {
    change: put(pool.mode, mode),
    effects: [{ question: gcp.nodePools(), path, after: { mode } }],
    undo: pool.mode === 'GCE_METADATA' ? put(mode, pool.mode) : null,
  }
}

/** Enables one API in one project. `listed`: where it stands in the list of services, if it does. Nothing disables it again: others may use it by then. */
export function enableService(
  project: string,
  service: string,
  { index, state }: { readonly index: number; readonly state: string | undefined },
): Changed {
  const question = gcp.services()
  const effect: Effect =
    index < 0 || state === undefined
      ? { question, path: ['services', '-'], after: { name: service, project, state: 'ENABLED' } }
      : { question, path: ['services', index, 'state'], before: state, after: 'ENABLED' }
  return { change: call('serviceusage.services.enable', { project, service }), effects: [effect], undo: null }
}
