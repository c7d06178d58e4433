/** Runs something beside a container of a pod and takes it away again: what the API server refuses and a kubelet waits for, in words. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isObject, type Json, type JsonObject, listAt, textAt } from '../core/json.ts'
import type { ApiServer, Sending } from '../sources/live/api-server.ts'

type Api = Pick<ApiServer, 'send' | 'refusal' | 'server'>
export type Unseen = { readonly state: 'unseen'; readonly detail: string; readonly lift?: string }
export type Seen<T> = { readonly state: 'seen'; readonly value: T } | Unseen
export type Ended = { readonly log: string; readonly code: number | undefined }

export type PodRuns = {
  /** The pod as it stands, its variables in it. */
  readonly pod: (name: string) => Promise<Seen<JsonObject>>
  readonly addEphemeral: (pod: string, container: JsonObject) => Promise<Seen<null>>
  readonly createJob: (job: JsonObject) => Promise<Seen<null>>
  /** The name of the Job's pod, once there is one. */
  readonly podOfJob: (job: string) => Promise<Seen<string>>
  /** Waits for the container's end; what it has written, at most so many bytes. */
  readonly ended: (pod: string, container: string) => Promise<Seen<Ended>>
  /** Also when the run has been stopped. */
  readonly deleteJob: (job: string) => Promise<Seen<null>>
}

const mostOfLog = 4 << 20
const mostOfObject = 16 << 20
const between = 500
/** Main gives a stopped command less than a second. */
const forParting = 700

const unseen = (detail: string, lift?: string): Unseen => ({
  state: 'unseen',
  detail,
  ...(lift === undefined ? {} : { lift }),
})
const pause = (stop: AbortSignal): Promise<unknown> => sleep(between, null, { signal: stop }).catch(() => null)
const stopped = 'the run was stopped, or its time was over, before this was seen'

/** What is tried, for the sentence that says that it may not be: `patch pods/ephemeralcontainers`. */
type Deed = { readonly verb: string; readonly resource: string }

/** Why the API server does not do it. Pod Security, webhooks and quotas answer 403 as RBAC does, and differ in their words alone. */
export function refusalIn(status: number, message: string, { verb, resource }: Deed, namespace: string): Unseen {
  const level = /violates PodSecurity "([^"]{1,80})":?\s*(.*)$/su.exec(message)
  if (level !== null)
    return unseen(
      `Pod Security (${level[1]}) of namespace ${namespace} does not admit it: ${level[2]}`,
      "it would run with the container's own security context: bring that up to the level, or look with --pod",
    )
  const hook = /admission webhook "([^"]{1,200})" denied the request:?\s*(.*)$/su.exec(message)
  if (hook !== null)
    return unseen(
      `the admission webhook ${hook[1]} does not admit it: ${hook[2]}`,
      'what that policy wants; or look with --pod',
    )
  if (/exceeded quota|must specify (limits|requests)/u.test(message))
    return unseen(`the quota of namespace ${namespace} does not admit it: ${message}`, 'room in the quota')
  if (status === 403)
    return unseen(
      `you may not ${verb} ${resource} in namespace ${namespace}: ${message}`,
      `RBAC: ${verb} on ${resource} in namespace ${namespace}`,
    )
  return unseen(`the API server does not ${verb} ${resource}: ${message === '' ? `it answered ${status}` : message}`)
}

/** Everything by one API server in one namespace; `stop` ends what is waited for, and not what has to be taken away. */
export function podRuns(api: Api, namespace: string, stop: AbortSignal): PodRuns {
  const within = `/api/v1/namespaces/${encodeURIComponent(namespace)}`
  const jobs = `/apis/batch/v1/namespaces/${encodeURIComponent(namespace)}/jobs`
  const podAt = (name: string): string => `${within}/pods/${encodeURIComponent(name)}`

  const ask = async (path: string, deed: Deed, how: Sending = {}): Promise<Seen<Json> | { state: 'missing' }> => {
    const reply = await api.send(path, { maxBytes: mostOfObject, signal: stop, ...how })
    if ('trouble' in reply)
      return unseen(reply.trouble === 'cancelled' ? stopped : `${api.server} did not answer: ${reply.detail}`)
    if (reply.status === 401) return unseen(api.refusal(), 'sign in to the cluster again')
    let value: Json = null
    try {
      value = JSON.parse(reply.body.toString('utf8'))
    } catch {
      // Said by its status alone.
    }
    if (reply.status < 300) return { state: 'seen', value }
    if (reply.status === 404) return { state: 'missing' }
    return refusalIn(reply.status, textAt(value, 'message') ?? '', deed, namespace)
  }

  const pod: PodRuns['pod'] = async (name) => {
    const got = await ask(podAt(name), { verb: 'get', resource: 'pods' })
    if (got.state === 'missing') return unseen(`pod ${namespace}/${name} does not exist`)
    if (got.state === 'unseen') return got
    return isObject(got.value) ? { state: 'seen', value: got.value } : unseen('what came back is no pod')
  }

  const done = (got: Seen<Json> | { state: 'missing' }, otherwise: Unseen): Seen<null> =>
    got.state === 'missing' ? otherwise : got.state === 'unseen' ? got : { state: 'seen', value: null }

  const logOf = async (name: string, container: string): Promise<Seen<string>> => {
    const query = new URLSearchParams({ container, follow: 'true', limitBytes: String(mostOfLog) })
    const reply = await api.send(`${podAt(name)}/log?${query}`, { maxBytes: mostOfLog + 1024, signal: stop })
    if ('trouble' in reply) return unseen(reply.trouble === 'cancelled' ? stopped : `its log: ${reply.detail}`)
    const text = reply.body.toString('utf8')
    if (reply.status === 200) return { state: 'seen', value: text }
    const message = /^\s*\{/u.test(text) ? (textAt(JSON.parse(text), 'message') ?? '') : text
    return refusalIn(reply.status, message, { verb: 'get', resource: 'pods/log' }, namespace)
  }

  const ended: PodRuns['ended'] = async (name, container) => {
    let waiting = 'no kubelet has taken it up yet'
    let log: Seen<string> | undefined
    while (!stop.aborted) {
      const seen = await pod(name)
      if (seen.state === 'unseen') return stop.aborted ? unseen(`${stopped}: ${waiting}`) : seen
      const state = stateOf(seen.value, container)
      if (state.hopeless !== undefined) return unseen(state.hopeless.why, state.hopeless.lift)
      waiting = state.waiting ?? waiting
      if (state.started && log === undefined) {
        log = await logOf(name, container)
        if (log.state === 'unseen') return log
        continue
      }
      if (state.code !== undefined && log?.state === 'seen')
        return { state: 'seen', value: { log: log.value, code: state.code } }
      await pause(stop)
    }
    return unseen(`${stopped}: ${waiting}`, 'more time for the image to be fetched: --timeout 5m')
  }

  const podOfJob: PodRuns['podOfJob'] = async (job) => {
    const query = new URLSearchParams({ labelSelector: `job-name=${job}` })
    while (!stop.aborted) {
      const got = await ask(`${within}/pods?${query}`, { verb: 'list', resource: 'pods' })
      if (got.state === 'unseen') return got
      const found = got.state === 'seen' ? textAt(listAt(got.value, 'items')[0], 'metadata', 'name') : undefined
      if (found !== undefined) return { state: 'seen', value: found }
      const why = await whyNoPod(job)
      if (why !== undefined) return why
      await pause(stop)
    }
    return unseen(`${stopped}: the Job has no pod yet`)
  }

  /** Only the Job's events say what kept its controller from making a pod. */
  const whyNoPod = async (job: string): Promise<Unseen | undefined> => {
    const query = new URLSearchParams({ fieldSelector: `involvedObject.kind=Job,involvedObject.name=${job}` })
    const got = await ask(`${within}/events?${query}`, { verb: 'list', resource: 'events' })
    if (got.state !== 'seen') return undefined
    const failed = listAt(got.value, 'items').find((one) => textAt(one, 'reason') === 'FailedCreate')
    const message = textAt(failed, 'message')
    return message === undefined ? undefined : refusalIn(0, message, { verb: 'create', resource: 'pods' }, namespace)
  }

  return {
    pod,
    ended,
    podOfJob,
    addEphemeral: async (name, container) => {
      const got = await ask(
        `${podAt(name)}/ephemeralcontainers?fieldManager=kubectl-wi`,
        { verb: 'patch', resource: 'pods/ephemeralcontainers' },
        {
          method: 'PATCH',
          contentType: 'application/strategic-merge-patch+json',
          body: { spec: { ephemeralContainers: [container] } },
        },
      )
      return done(
        got,
        unseen(
          'this API server has no ephemeral containers (Kubernetes 1.25 and later have them), or the pod has gone',
          'run it as a Job (--job), or look with --pod',
        ),
      )
    },
    createJob: async (job) =>
      done(
        await ask(`${jobs}?fieldManager=kubectl-wi`, { verb: 'create', resource: 'jobs.batch' }, { body: job }),
        unseen(`namespace ${namespace} does not exist`),
      ),
    deleteJob: async (job) => {
      const got = await ask(
        `${jobs}/${encodeURIComponent(job)}`,
        { verb: 'delete', resource: 'jobs.batch' },
        {
          method: 'DELETE',
          body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' },
          signal: stop.aborted ? AbortSignal.timeout(forParting) : AbortSignal.timeout(10_000),
        },
      )
      return got.state === 'unseen' ? got : { state: 'seen', value: null }
    },
  }
}

type State = {
  readonly started: boolean
  readonly code?: number
  readonly waiting?: string
  readonly hopeless?: { readonly why: string; readonly lift?: string }
}

/** A kubelet tries these again for ever, to the same end. */
const hopeless = new Map([
  ['ErrImagePull', 'name an image that the node can fetch: --image, with the imagePullSecrets of the pod'],
  ['ImagePullBackOff', 'name an image that the node can fetch: --image, with the imagePullSecrets of the pod'],
  ['InvalidImageName', 'name an image: --image'],
  ['ErrImageNeverPull', 'name an image that the node has: --image'],
  ['CreateContainerConfigError', 'what the sentence names: a Secret, a ConfigMap, or a user that is not root'],
  ['CreateContainerError', 'what the sentence names'],
  ['RunContainerError', 'an image for the architecture of the node, with kubectl-wi as its entry point'],
])

/** How far the container is, as its pod's status tells. */
export function stateOf(pod: Json, container: string): State {
  const all = ['containerStatuses', 'ephemeralContainerStatuses'].flatMap((list) => listAt(pod, 'status', list))
  const own = all.find((one) => textAt(one, 'name') === container)
  const state = isObject(own) && isObject(own.state) ? own.state : {}
  const { terminated } = state
  if (isObject(terminated))
    return { started: true, code: typeof terminated.exitCode === 'number' ? terminated.exitCode : 1 }
  if (isObject(state.running)) return { started: true }
  const reason = textAt(state, 'waiting', 'reason')
  const message = textAt(state, 'waiting', 'message')
  const why = [reason, message].filter((one) => one !== undefined).join(': ')
  const lift = reason === undefined ? undefined : hopeless.get(reason)
  if (lift !== undefined) return { started: false, hopeless: { why: `the container cannot be started: ${why}`, lift } }
  // What a node has refused stays so: there is no room, or it is being drained.
  if (textAt(pod, 'status', 'phase') === 'Failed' && own === undefined) {
    const said = [textAt(pod, 'status', 'reason'), textAt(pod, 'status', 'message')].filter((one) => one !== undefined)
    return { started: false, hopeless: { why: `the node does not take the pod: ${said.join(': ')}` } }
  }
  return { started: false, ...(why === '' ? {} : { waiting: why }) }
}
