/** A CloudTik workspace, and what was seen of the cluster, namespace and accounts that it names; absent for every other subject. */
import { absent, defineProbe, type Fact, known, onward, reading, type Soon, unknown } from '../../core/fact.ts'
import { at, isObject, type Json, listAt, textAt } from '../../core/json.ts'
import {
  accounts,
  clusterKey,
  type Part,
  parts,
  placeKey,
  readWorkspace,
  samePlace,
  type Workspace,
} from '../../domain/cloudtik.ts'
import { aws, azure, documents, gcp, kubernetes } from '../../domain/questions.ts'
import type { ServiceAccount } from '../../domain/workloads.ts'
import { type ObservedError, observedErrors } from '../cluster/observed-errors.ts'
import { documentNamed } from '../further-kinds.ts'
import { listed } from '../lists.ts'
import { readServiceAccount } from '../read-once.ts'

const kind = 'Workspace'

export const workspace = defineProbe({
  id: 'cloudtik/workspace',
  about: 'the CloudTik workspace',
  scope: 'object',
  needs: {},
  wants: {},
  ask: (_have, _want, { subject, ask }): Soon<Fact<Workspace>> =>
    subject.kind === kind
      ? onward(documentNamed(kind, subject.name, ask), (fact) => reading(fact, readWorkspace))
      : absent(documents.ofKind(kind)),
})

export type NodePool = { readonly name: string; readonly mode: string | undefined }
export type Found = {
  readonly name: string
  /** Region or location. */
  readonly place: string
  /** Of GKE; undefined where it has none. */
  readonly pool?: string
  readonly autopilot?: boolean
  readonly nodePools: readonly NodePool[]
  /** Of AKS. */
  readonly workloadIdentity?: boolean
}

const questionOf = { aws: aws.cluster, gcp: gcp.cluster, azure: azure.cluster } as const

function readCluster(json: Json, of: Workspace): Found | undefined {
  if (of.cloud === 'aws') {
    const name = textAt(json, 'cluster', 'name')
    const region = textAt(json, 'cluster', 'arn')?.split(':')[3]
    return name === undefined || region === undefined ? undefined : { name, place: region, nodePools: [] }
  }
  const name = textAt(json, 'name')
  const place = textAt(json, 'location')
  if (name === undefined || place === undefined) return undefined
  if (of.cloud === 'azure') {
    const enabled = at(json, 'securityProfile', 'workloadIdentity', 'enabled')
    const shown = isObject(at(json, 'securityProfile'))
    return { name, place, nodePools: [], ...(shown ? { workloadIdentity: enabled === true } : {}) }
  }
  const pool = textAt(json, 'workloadIdentityConfig', 'workloadPool')
  return {
    name,
    place,
    autopilot: at(json, 'autopilot', 'enabled') === true,
    ...(pool === undefined ? {} : { pool }),
    nodePools: nodePoolsIn(json),
  }
}

const nodePoolsIn = (json: Json): readonly NodePool[] =>
  listAt(json, 'nodePools').map((one) => ({
    name: textAt(one, 'name') ?? '',
    mode: textAt(one, 'config', 'workloadMetadataConfig', 'mode'),
  }))

/** Whether a cluster is the one that the workspace means: by name, or as the one of its project. */
function isMeant(found: Found, json: Json, { cloud, values }: Workspace): boolean {
  if (cloud === undefined) return false
  const named = values[clusterKey[cloud]]
  if (named !== undefined) return found.name === named
  const project = /\/projects\/([^/]+)\//.exec(textAt(json, 'selfLink') ?? '')?.[1]
  return project === values.project_id && samePlace(cloud, values[placeKey[cloud]] ?? '', found.place)
}

/** The cluster that the workspace names. */
export const clusterOf = defineProbe({
  id: 'cloudtik/cluster',
  about: 'the cluster that the workspace names',
  scope: 'object',
  needs: {},
  wants: { workspace },
  ask: (_have, { workspace }, { ask }): Soon<Fact<Found>> => {
    if (workspace.state !== 'known') return absent(workspace.from)
    const of = workspace.value
    if (of.cloud === undefined) return absent(workspace.from)
    const question = questionOf[of.cloud]()
    return onward(ask(question), (answer): Soon<Fact<Found>> => {
      if (answer.state !== 'known') return answer.state === 'absent' ? unseen(question) : answer
      const found = readCluster(answer.value, of)
      if (found === undefined || !isMeant(found, answer.value, of)) return unseen(question)
      if (of.cloud !== 'gcp') return known(found, question)
      return onward(ask(gcp.nodePools()), (pools): Fact<Found> => {
        const nodePools = pools.state === 'known' ? nodePoolsIn(pools.value) : found.nodePools
        return known({ ...found, nodePools }, question)
      })
    })
  },
})
const unseen = (question: Parameters<typeof unknown>[2]): Fact<never> =>
  unknown('not-collected', 'the cluster that the workspace names was not seen', question)

/** What was said of clusters that are not there, and by CloudTik itself. */
export const said = defineProbe({
  id: 'cloudtik/said',
  about: 'what was said of the cluster',
  scope: 'object',
  needs: {},
  wants: { workspace, observedErrors },
  ask: (_have, { workspace, observedErrors }): Fact<readonly ObservedError[]> => {
    if (workspace.state !== 'known' || observedErrors.state !== 'known') return absent(observedErrors.from)
    const found = observedErrors.value.filter(({ text }) =>
      /No cluster found for name|managedClusters\/\S{1,80}' under resource group|projects\/[^/]{1,60}\/(?:locations|zones)\/[^/]{1,60}\/clusters\/\S{1,80}/.test(
        text,
      ),
    )
    return found.length === 0 ? absent(observedErrors.from) : known(found, observedErrors.from)
  },
})

export type Namespace = { readonly labels: { readonly [key: string]: Json } }

/** The namespace of the workspace; CloudTik makes it where it is not there. */
export const namespaceOf = defineProbe({
  id: 'cloudtik/namespace',
  about: 'the namespace of the workspace',
  scope: 'object',
  needs: {},
  wants: { workspace },
  ask: (_have, { workspace }, { ask }): Soon<Fact<Namespace>> => {
    if (workspace.state !== 'known') return absent(workspace.from)
    return onward(ask(kubernetes.get('namespaces', undefined, workspace.value.namespace)), (answer) =>
      reading(answer, (json) => {
        const labels = at(json, 'metadata', 'labels')
        return { labels: isObject(labels) ? labels : {} }
      }),
    )
  },
})

export type Accounts = readonly { readonly part: Part; readonly account: Fact<ServiceAccount> }[]

/** The two ServiceAccounts of the workspace, as far as they were seen. */
export const accountsOf = defineProbe({
  id: 'cloudtik/accounts',
  about: 'the ServiceAccounts of the workspace',
  scope: 'object',
  needs: {},
  wants: { workspace },
  ask: (_have, { workspace }, { ask }): Soon<Fact<Accounts>> => {
    if (workspace.state !== 'known') return absent(workspace.from)
    const { namespace } = workspace.value
    const question = kubernetes.list('serviceaccounts', namespace)
    return onward(ask(question), (answer): Fact<Accounts> => {
      const list = listed(answer, readServiceAccount)
      if (list.state !== 'known') return list
      const { items, complete } = list.value
      const accountOf = (part: Part): Fact<ServiceAccount> => {
        const found = items.find((one) => one.name === accounts[part] && one.namespace === namespace)
        if (found !== undefined) return known(found, question)
        return complete
          ? absent(question)
          : unknown('not-collected', `ServiceAccount ${namespace}/${accounts[part]} was not seen`, question)
      }
      return known(
        parts.map((part) => ({ part, account: accountOf(part) })),
        question,
      )
    })
  },
})
