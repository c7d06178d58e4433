/** Changes to Kubernetes objects as a fixer proposes them: one or a few members, each from what was seen to what it should be. */
import { isGuard } from '../core/edit.ts'
import type { Json, JsonObject } from '../core/json.ts'
import type { Change, Effect, Path } from '../core/plan.ts'
import { kubernetes } from './questions.ts'

/** `resource` is the plural, as in questions: serviceaccounts, deployments, mutatingwebhookconfigurations. */
export type ObjectPlace = { readonly resource: string; readonly namespace?: string; readonly name: string }

/**
 * One member of an object: what was seen there (left out: nothing) and what should be there (left out: nothing). Write it as deep as
 * it goes, down to the one text that changes: the object as it was seen lacks members that nobody looks at. An index without `before`
 * goes in between; `-` joins a list, or takes `before` out of it; the same on both sides pins the change and changes nothing.
 */
export type Edit = { readonly path: Path; readonly before?: Json; readonly after?: Json }

/** The part of an action that follows from what is changed. */
export type Changed = {
  readonly change: Change
  readonly effects: readonly [Effect, ...Effect[]]
  readonly undo: Change | null
}

const placeOf = ({ namespace, name }: ObjectPlace): JsonObject =>
  namespace === undefined ? { name } : { namespace, name }

const asJson = ({ path, before, after }: Edit): JsonObject => ({
  path,
  ...(before === undefined ? {} : { before }),
  ...(after === undefined ? {} : { after }),
})
const backwards = ({ path, before, after }: Edit): Edit => ({
  path,
  ...(after === undefined ? {} : { before: after }),
  ...(before === undefined ? {} : { after: before }),
})

const patch = (place: ObjectPlace, edits: readonly Edit[]): Change => ({
  system: 'kubernetes',
  call: `${place.resource}/patch`,
  input: { ...placeOf(place), edits: edits.map(asJson) },
})

/** Pins a change to what stands at a place, such as the name of the list member that an index means. */
export const pinned = (path: Path, value: Json): Edit => ({ path, before: value, after: value })

/** Changes members of an object that is there, and leaves all others byte for byte; refused where one of them has moved since. */
export function patchObject(place: ObjectPlace, edits: readonly [Edit, ...Edit[]]): Changed {
  const question = kubernetes.get(place.resource, place.namespace, place.name)
  const shown = edits.filter((edit) => !isGuard(edit))
  const [first = edits[0], ...rest] = shown
  return {
    change: patch(place, edits),
    effects: [{ question, ...first }, ...rest.map((edit) => ({ question, ...edit }))],
    undo: patch(place, edits.map(backwards).toReversed()),
  }
}

const member =
  (map: 'annotations' | 'labels') =>
  (place: ObjectPlace, key: string, before: string | undefined, after: string | undefined, time?: string): Changed => {
    const changed = patchObject(place, [
      {
        path: ['metadata', map, key],
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
      },
    ])
    if (map === 'labels' || time === undefined || after === undefined) return changed
    const [own] = changed.effects
    // A pod that is older than the annotation is told by who wrote it, and when.
    const written = { manager: 'kubectl-wi', operation: 'Update', time, annotations: [key] }
    return {
      ...changed,
      effects: [own, { question: own.question, path: ['metadata', 'managedFields', '-'], after: written }],
    }
  }

/** Sets, changes or (without `after`) removes one annotation. `time` (ISO 8601, of the clock fact) lets the rehearsal see which pods are older. */
export const annotate = member('annotations')
/** The same for a label. */
export const label = member('labels')

/** Makes an object that is not there; refused where another of that name is. */
export function createObject(place: ObjectPlace, object: JsonObject): Changed {
  const question = kubernetes.get(place.resource, place.namespace, place.name)
  return {
    change: { system: 'kubernetes', call: `${place.resource}/create`, input: { ...placeOf(place), object } },
    effects: [{ question, path: [], after: object }],
    undo: { system: 'kubernetes', call: `${place.resource}/delete`, input: { ...placeOf(place), object } },
  }
}

/** `deployment/cart` as a resource and a name; undefined for kinds whose pods kubectl does not replace. */
export function rolling(workload: string, namespace: string): ObjectPlace | undefined {
  const found = /^(deployment|statefulset|daemonset)\/(.+)$/.exec(workload)
  const [, kind, name] = found ?? []
  return kind === undefined || name === undefined ? undefined : { resource: `${kind}s`, namespace, name }
}

/** Has a workload make its pods anew, as `kubectl rollout restart` does. `pods`: those that go; what comes in their place is not known before. */
export function restartWorkload(place: ObjectPlace, pods: readonly string[]): Changed {
  const gone = pods.map((name): Effect => ({ question: kubernetes.get('pods', place.namespace, name), path: [] }))
  const own: Effect = {
    question: kubernetes.get(place.resource, place.namespace, place.name),
    path: ['spec', 'template', 'metadata', 'annotations', restartedAt],
    after: 'now',
  }
  return {
    change: { system: 'kubernetes', call: `${place.resource}/restart`, input: placeOf(place) },
    effects: [own, ...gone],
    undo: null,
  }
}

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#kubectl-k8s-io-restart-at */
export const restartedAt = 'kubectl.kubernetes.io/restartedAt'

/** Approves a request for a certificate; what was issued upon it is not called back. */
export function approveRequest(name: string): Changed {
  const question = kubernetes.get('certificatesigningrequests', undefined, name)
  return {
    change: { system: 'kubernetes', call: 'certificatesigningrequests/approve', input: { name } },
    effects: [{ question, path: ['status', 'conditions', '-'], after: { type: 'Approved', status: 'True' } }],
    undo: null,
  }
}
