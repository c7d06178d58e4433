/** The objects of Google that are judged by themselves: configurations, stores and accounts. */
import { absent, defineProbe, type Fact, type Inquiry, known, reading } from '../../core/fact.ts'
import { at, isObject, type Json, textAt } from '../../core/json.ts'
import type { Subject } from '../../core/subject.ts'
import type { GkeCluster } from '../../domain/gcp-cluster.ts'
import { audienceOfConfiguration, type Configuration, tokenFileOf } from '../../domain/gcp-credentials.ts'
import { readDeleted } from '../../domain/gcp-members.ts'
import { type Grant, grantsOf } from '../../domain/gcp-policies.ts'
import { gcp, kubernetes, seen } from '../../domain/questions.ts'
import { listed } from '../lists.ts'
import { readPod } from '../read-once.ts'
import { type Heard, heardFor } from './heard.ts'
import { mountedIn } from './mounts.ts'
import { configurationsIn, googleWorld, type World } from './world.ts'

export type Configured = {
  readonly world: World
  readonly configuration?: Configuration
  readonly heard: readonly Heard[]
  /** The number of the project whose id stands in the place of it. */
  readonly number?: string
  /** Where pods of its namespace mount a projected token for Google. */
  readonly files: readonly string[]
}

/** The number of a project that an audience names by its id. */
async function numberNamed(audience: string, ask: Inquiry['ask']): Promise<{ readonly number?: string }> {
  const [, project] = /\/projects\/([a-z][^/]*)\//.exec(audience) ?? []
  const told = project === undefined ? undefined : await ask(gcp.project(project))
  const number = told?.state === 'known' ? textAt(told.value, 'projectNumber') : undefined
  return number === undefined ? {} : { number }
}

async function filesIn(namespace: string | undefined, ask: Inquiry['ask']): Promise<readonly string[]> {
  if (namespace === undefined) return []
  const pods = listed(await ask(kubernetes.list('pods', namespace)), readPod)
  const all = pods.state === 'known' ? pods.value.items.flatMap(mountedIn) : []
  return [...new Set(all.filter(({ forGoogle }) => forGoogle).map(({ path }) => path))]
}

/** Among those of a folder, or in the ConfigMap of this name; absent where that holds none. */
async function configurationNamed(
  { configurations }: World,
  { name, namespace }: Subject,
  ask: Inquiry['ask'],
): Promise<Fact<Configuration>> {
  const held = configurations.find((one) => one.name === name && one.namespace === namespace)
  if (held !== undefined || namespace === undefined)
    return held === undefined ? absent(gcp.collected()) : known(held, gcp.collected())
  const fact = await ask(kubernetes.get('configmaps', namespace, name))
  if (fact.state !== 'known') return fact
  const [one] = configurationsIn(fact.value)
  return one === undefined ? absent(fact.from) : known(one, fact.from)
}

/** The configuration that is judged; for the cluster, what was heard without one. */
export const googleConfiguration = defineProbe({
  id: 'gcp/configuration',
  about: 'the credential configuration',
  scope: 'object',
  needs: { googleWorld },
  wants: {},
  only: 'googleWorld',
  ask: async ({ googleWorld }, _want, { subject, ask }): Promise<Fact<Configured>> => {
    const world = googleWorld.value
    const heard = heardFor(world.heard, 'gcp/credential-configuration-is-usable')
    if (subject.kind === 'Cluster')
      return heard.length > 0 ? known({ world, heard, files: [] }, gcp.collected()) : absent(gcp.collected())
    if (subject.kind !== 'CredentialConfiguration') return absent(gcp.collected())
    const found = await configurationNamed(world, subject, ask)
    if (found.state !== 'known') return found
    const configuration = found.value
    const named = await numberNamed(audienceOfConfiguration(configuration), ask)
    const files = await filesIn(configuration.namespace, ask)
    return known({ world, configuration, heard, files, ...named }, gcp.collected())
  },
})

export type Naming = {
  readonly kind: string
  readonly name: string
  /** What it says of the cluster. */
  readonly said: {
    readonly location?: string
    readonly cluster?: string
    readonly project?: string
    readonly pool?: string
    readonly audience?: string
  }
  readonly cluster: Fact<GkeCluster>
  readonly fleet: Fact<{ readonly project: string; readonly membership: string; readonly pool: string }>
  /** The audience of the token that the configuration reads, where a pod projects one. */
  readonly tokenAudience?: string
  readonly pods: Fact<unknown>
  readonly heard: readonly Heard[]
}

/** A store or a configuration that names a cluster or a fleet; for the cluster, what was heard without one. */
export const googleNaming = defineProbe({
  id: 'gcp/naming',
  about: 'which cluster a tool says that it runs in',
  scope: 'object',
  needs: { googleWorld },
  wants: {},
  only: 'googleWorld',
  ask: async ({ googleWorld }, _want, { subject, ask }): Promise<Fact<Naming>> => {
    const world = googleWorld.value
    const { kind, name, namespace } = subject
    const heard = heardFor(world.heard, 'gcp/identity-namespace-names-this-cluster')
    const none = absent(gcp.collected())
    const { cluster } = world
    const base = { kind, name, cluster, heard, fleet: none, pods: none }
    if (kind === 'Cluster') return heard.length > 0 ? known({ ...base, said: {} }, gcp.cluster()) : none
    if (kind === 'SecretStore' || kind === 'ClusterSecretStore') {
      const resource = kind === 'SecretStore' ? 'secretstores' : 'clustersecretstores'
      const fact = await ask(kubernetes.get(resource, namespace, name))
      if (fact.state !== 'known') return fact.state === 'unknown' ? fact : none
      const own = at(fact.value, 'spec', 'provider', 'gcpsm', 'auth', 'workloadIdentity')
      if (!isObject(own)) return none
      const location = textAt(own, 'clusterLocation')
      const named = textAt(own, 'clusterName')
      const project = textAt(own, 'clusterProjectID')
      const said = {
        ...(location === undefined ? {} : { location }),
        ...(named === undefined ? {} : { cluster: named }),
        ...(project === undefined ? {} : { project }),
      }
      return known({ ...base, said }, fact.from)
    }
    if (kind !== 'CredentialConfiguration') return none
    const found = await configurationNamed(world, subject, ask)
    if (found.state !== 'known') return found
    const configuration = found.value
    const audience = audienceOfConfiguration(configuration)
    if (!audience.startsWith('identitynamespace:')) return none
    const pool = /^identitynamespace:([^:]+):/.exec(audience)?.[1]
    const fleet = reading(await ask(gcp.membership()), (json) => {
      const project = textAt(json, 'project')
      const membership = textAt(json, 'membership')
      return project === undefined || membership === undefined
        ? undefined
        : { project, membership, pool: textAt(json, 'pool') ?? `${project}.svc.id.goog` }
    })
    const file = tokenFileOf(configuration)
    const pods = listed(await ask(kubernetes.list('pods', namespace)), readPod)
    const all = pods.state === 'known' ? pods.value.items : []
    const tokenAudience = all
      .flatMap((pod) =>
        pod.volumes.flatMap((volume) =>
          volume.tokens.filter((token) =>
            pod.containers.some(({ mounts }) =>
              mounts.some(
                (mount) =>
                  mount.name === volume.name && file === `${mount.mountPath.replace(/\/+$/, '')}/${token.path}`,
              ),
            ),
          ),
        ),
      )
      .map(({ audience: of }) => of)[0]
    return known(
      {
        ...base,
        fleet,
        pods,
        said: { audience, ...(pool === undefined ? {} : { pool }) },
        ...(tokenAudience === undefined ? {} : { tokenAudience }),
      },
      gcp.membership(),
    )
  },
})

export type Target = {
  readonly email: string
  readonly named: string
  readonly account: Fact<{ readonly uid?: string; readonly disabled: boolean }>
  /** Grants to an account of this name that was deleted. */
  readonly former: readonly (Grant & { readonly uid: string })[]
}

const isAccount = ({ kind }: Subject): boolean => kind === 'GoogleServiceAccount'

/** A Google service account that somebody names. */
export const googleServiceAccount = defineProbe({
  id: 'gcp/service-account',
  about: 'the Google service account',
  scope: 'object',
  needs: { googleWorld },
  wants: {},
  only: 'googleWorld',
  ask: async ({ googleWorld }, _want, { subject, subjects, ask }): Promise<Fact<Target>> => {
    const gone = heardFor(googleWorld.value.heard, 'gcp/google-service-account-is-active')[0]
    if (subject.kind === 'Cluster' && gone !== undefined && !subjects.some(isAccount))
      return known(
        {
          email: gone.values.email ?? 'of the request',
          named: 'the request',
          account: absent(seen.errors()),
          former: [],
        },
        seen.errors(),
      )
    const email = subject.name
    if (subject.kind !== 'GoogleServiceAccount' || !email.includes('@')) return absent(gcp.collected())
    const account = reading(await ask(gcp.serviceAccount(email)), (json: Json) => {
      const uid = textAt(json, 'uniqueId')
      return { disabled: at(json, 'disabled') === true, ...(uid === undefined ? {} : { uid }) }
    })
    // What Google said of it holds while nobody has looked.
    const isGone = account.state === 'unknown' && gone !== undefined && (gone.values.email ?? email) === email
    const former = googleWorld.value.policies.flatMap(grantsOf).flatMap((grant) => {
      const deleted = readDeleted(grant.member)
      return deleted?.email === email ? [{ ...grant, uid: deleted.uid }] : []
    })
    const named = subject.of?.[0]
    return known(
      { email, named: named ?? 'the folder', account: isGone ? absent(seen.errors()) : account, former },
      account.from,
    )
  },
})
