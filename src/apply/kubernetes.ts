/** Writes to Kubernetes: JSON patches held to the version that was looked at, creations, and deletions of what this tool has made. */
import { edited, same } from '../core/edit.ts'
import { at, isObject, type Json, type JsonObject, listAt, textAt } from '../core/json.ts'
import type { Change } from '../core/plan.ts'
import { restartedAt } from '../domain/kubernetes-changes.ts'
import type { ApiServer, Sending } from '../sources/live/api-server.ts'
import { editAsJson, judgeEdits, type ObjectEdit, readEdits } from './edits.ts'
import { type Manner, moved, type Prepared, type Refused, refused, short, type Writer, type Written } from './writer.ts'

type Api = Pick<ApiServer, 'send' | 'refusal' | 'server'>
type PathOf = (resource: string, namespace?: string, name?: string) => string | undefined
type Place = { readonly resource: string; readonly namespace?: string; readonly name: string; readonly path: string }
type Answer = { readonly status: number; readonly json: Json | undefined }

const manager = 'kubectl-wi'
/** Status updates move an object's version without meaning anything to us: then it is looked at again. */
const attempts = 6

const isRefused = (answer: Answer | Refused): answer is Refused => 'state' in answer
const messageOf = ({ json, status }: Answer): string => textAt(json, 'message') ?? `the API server answered ${status}`

export function kubernetesWriter(api: Api, pathOf: PathOf): Writer {
  const send = async (path: string, how: Sending): Promise<Answer | Refused> => {
    const reply = await api.send(path, { maxBytes: 16 << 20, ...how })
    if ('trouble' in reply) {
      const lift = 'run it again to see whether it was done, or undo it'
      return { ...refused(`${api.server} did not answer: ${reply.detail}`, lift), open: true }
    }
    let json: Json | undefined
    try {
      json = JSON.parse(reply.body.toString('utf8'))
    } catch {
      json = undefined
    }
    if (reply.status === 401) return refused(api.refusal(), 'sign in to the cluster again')
    return { status: reply.status, json }
  }

  const read = (place: Place, signal?: AbortSignal) => send(place.path, { signal })

  /** A write's answer: 409 and 422 mean that the version was another by then. */
  const outcome = (answer: Answer | Refused, place: Place, verb: string): 'written' | 'again' | Refused => {
    if (isRefused(answer)) return answer
    if (answer.status >= 200 && answer.status < 300) return 'written'
    const stale =
      answer.status === 409 ||
      (answer.status === 422 && /due to an error in our request|testing|test failed/i.test(messageOf(answer)))
    if (stale) return 'again'
    const lift =
      answer.status === 403
        ? `RBAC: ${verb} ${place.resource}${place.namespace === undefined ? '' : ` in namespace ${place.namespace}`}`
        : undefined
    return refused(messageOf(answer), lift)
  }

  const query = (dryRun: boolean): string => `?fieldManager=${manager}${dryRun ? '&dryRun=All' : ''}`

  const patching = async (
    place: Place,
    edits: (object: Json) => readonly ObjectEdit[],
    manner: Manner,
  ): Promise<Prepared> => {
    const { signal, dryRun } = manner
    const look = async (): Promise<Prepared | { readonly body: readonly JsonObject[]; readonly undo: Change }> => {
      const answer = await read(place, signal)
      if (isRefused(answer)) return answer
      if (answer.status === 404) return moved(`${nameOf(place)} is not there any more`)
      const object = answer.json
      if (answer.status !== 200 || !isObject(object)) return refused(messageOf(answer))
      const judged = judgeEdits(object, edits(object))
      if (judged.state !== 'ready') return judged
      const version = textAt(object, 'metadata', 'resourceVersion')
      const held = { op: 'test', path: '/metadata/resourceVersion', value: version ?? '' }
      return { body: [held, ...judged.patch], undo: changeTo(place, 'patch', { edits: judged.undo.map(editAsJson) }) }
    }
    const first = await look()
    if (!('body' in first)) return first
    const write = async (): Promise<Written> => {
      let next: Awaited<ReturnType<typeof look>> = first
      for (let attempt = 1; attempt <= attempts; attempt += 1) {
        if (!('body' in next)) {
          if (next.state === 'already')
            return moved(`somebody else has made the same change to ${nameOf(place)} just now`)
          return next.state === 'ready' ? refused('it could not be looked at') : next
        }
        const { body, undo } = next
        const contentType = 'application/json-patch+json'
        const answer = await send(`${place.path}${query(dryRun)}`, { method: 'PATCH', contentType, body, signal })
        const written = outcome(answer, place, 'patch')
        if (written === 'written') return { state: 'done', undo }
        if (written !== 'again') return written
        next = await look()
      }
      return moved(`${nameOf(place)} is changed by others all the time`)
    }
    return { state: 'ready', undo: first.undo, write }
  }

  const creating = async (place: Place, object: JsonObject, { signal, dryRun }: Manner): Promise<Prepared> => {
    const answer = await read(place, signal)
    if (isRefused(answer)) return answer
    if (answer.status === 200 && answer.json !== undefined)
      return contains(answer.json, object) ? { state: 'already' } : moved(`there is another ${nameOf(place)} now`)
    if (answer.status !== 404) return refused(messageOf(answer))
    const write = async (): Promise<Written> => {
      const parent = pathOf(place.resource, place.namespace) ?? place.path
      const made = await send(`${parent}${query(dryRun)}`, { body: object, signal })
      if (isRefused(made)) return made
      if (made.status === 409) return moved(`somebody else has made ${nameOf(place)} just now`)
      const written = outcome(made, place, 'create')
      if (written !== 'written') return written === 'again' ? moved(nameOf(place)) : written
      const exact = made.json === undefined ? object : own(made.json)
      return { state: 'done', undo: changeTo(place, 'delete', { object: exact, exact: true }) }
    }
    return { state: 'ready', undo: changeTo(place, 'delete', { object }), write }
  }

  const deleting = async (
    place: Place,
    object: Json,
    exact: boolean,
    { signal, dryRun }: Manner,
  ): Promise<Prepared> => {
    const answer = await read(place, signal)
    if (isRefused(answer)) return answer
    if (answer.status === 404) return { state: 'already' }
    const held = answer.json
    if (answer.status !== 200 || held === undefined) return refused(messageOf(answer))
    if (exact ? !same(own(held), object) : !contains(held, object))
      return moved(`${nameOf(place)} is not as it was made: ${short(own(held))}`)
    const uid = textAt(held, 'metadata', 'uid')
    const resourceVersion = textAt(held, 'metadata', 'resourceVersion')
    const write = async (): Promise<Written> => {
      const preconditions = {
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      }
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, propagationPolicy: 'Background' }
      const gone = await send(`${place.path}${query(dryRun)}`, { method: 'DELETE', body, signal })
      const written = outcome(gone, place, 'delete')
      if (written === 'again') return moved(`${nameOf(place)} was changed just now`)
      return written === 'written' ? { state: 'done', undo: changeTo(place, 'create', { object: own(held) }) } : written
    }
    return { state: 'ready', undo: changeTo(place, 'create', { object: own(held) }), write }
  }

  /** What was issued upon an approval is not called back, so nothing takes it back. */
  const approving = async (place: Place, { signal, dryRun }: Manner): Promise<Prepared> => {
    const answer = await read(place, signal)
    if (isRefused(answer)) return answer
    const held = answer.json
    if (answer.status !== 200 || held === undefined) return refused(messageOf(answer))
    const conditions = listAt(held, 'status', 'conditions')
    const said = conditions.map((one) => textAt(one, 'type') ?? '')
    if (said.includes('Approved')) return { state: 'already' }
    if (said.length > 0) return moved(`${nameOf(place)} is ${said.join(', ')} now`)
    const write = async (): Promise<Written> => {
      const approval = {
        type: 'Approved',
        status: 'True',
        reason: 'KubectlWiApprove',
        message: 'This CSR was approved by kubectl wi fix.',
      }
      const body = edited(held, ['status', 'conditions'], [approval]) ?? held
      const how = { method: 'PUT', body, signal } as const
      const written = outcome(await send(`${place.path}/approval${query(dryRun)}`, how), place, 'update approval of')
      if (written === 'again') return moved(`${nameOf(place)} was changed just now`)
      return written === 'written' ? { state: 'done', undo: null } : written
    }
    return { state: 'ready', undo: null, write }
  }

  return {
    prepare: async ({ call, input }, manner) => {
      const [, resource = '', verb] = /^(.+)\/([a-z]+)$/.exec(call) ?? []
      const name = textAt(input, 'name')
      const namespace = textAt(input, 'namespace')
      const path = name === undefined ? undefined : pathOf(resource, namespace, name)
      if (name === undefined || path === undefined) return refused(`${call} is not a change that can be carried out`)
      const place: Place = { resource, name, path, ...(namespace === undefined ? {} : { namespace }) }
      const object = at(input, 'object')
      const edits = readEdits(at(input, 'edits'))
      if (verb === 'patch' && edits !== undefined) return patching(place, () => edits, manner)
      if (verb === 'approve') return approving(place, manner)
      if (verb === 'restart') return patching(place, restartEdit(new Date()), manner)
      if (verb === 'create' && isObject(object)) return creating(place, object, manner)
      if (verb === 'delete' && object !== undefined) return deleting(place, object, at(input, 'exact') === true, manner)
      return refused(`${call} is not a change that can be carried out`)
    },
  }
}

const nameOf = ({ resource, namespace, name }: Place): string =>
  `${resource}/${name}${namespace === undefined ? '' : ` in namespace ${namespace}`}`

const changeTo = ({ resource, namespace, name }: Place, verb: string, more: JsonObject): Change => ({
  system: 'kubernetes',
  call: `${resource}/${verb}`,
  input: { ...(namespace === undefined ? {} : { namespace }), name, ...more },
})

const template = ['spec', 'template', 'metadata', 'annotations', restartedAt] as const
const restartEdit =
  (now: Date) =>
  (object: Json): readonly ObjectEdit[] => {
    const before = at(object, ...template)
    return [
      { path: template, after: `${now.toISOString().slice(0, 19)}Z`, ...(before === undefined ? {} : { before }) },
    ]
  }

const ofServer = ['uid', 'resourceVersion', 'creationTimestamp', 'managedFields', 'generation', 'selfLink'] as const

/** The object without what the server sets. */
function own(object: Json): Json {
  const bare = ofServer.reduce<Json>((left, key) => edited(left, ['metadata', key], undefined) ?? left, object)
  // A controller of older versions gives every account a token of its own.
  const added = textAt(object, 'kind') === 'ServiceAccount' ? ['status', 'secrets'] : ['status']
  return added.reduce<Json>((left, member) => edited(left, [member], undefined) ?? left, bare)
}

/** Whether all that was asked for is there, whatever the server has added. */
function contains(held: Json | undefined, wanted: Json): boolean {
  if (!isObject(wanted)) return same(held, wanted)
  return Object.entries(wanted).every(([key, value]) => contains(at(held, key), value))
}
