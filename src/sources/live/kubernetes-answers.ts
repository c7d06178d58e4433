/** What an API server's reply means as a fact: seen, not there, or why it could not be seen. */
import { absent, type Fact, known, type Question, unknown } from '../../core/fact.ts'
import { isObject, type Json, textAt } from '../../core/json.ts'
import { permissionOf, permissionWords, resources } from '../../knowledge/permissions.ts'
import type { ApiServer } from './api-server.ts'
import { plain } from './trouble.ts'
import type { NoReply, Reply } from './wire.ts'

/** The JSON of a body; undefined where it is none. */
export function parse(body: Buffer): Json | undefined {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

const again = 'ask again later, or with a lower --concurrency'

/** The fact behind a reply; `read` makes an answer of a 2xx body, undefined where it has not the form of one. */
export function factOf(
  reply: Reply | NoReply,
  question: Question,
  api: ApiServer,
  read: (body: Json) => Json | undefined,
): Fact<Json> {
  if ('trouble' in reply) return silence(reply, question, api)
  const { status, body } = reply
  if (status >= 200 && status < 300) {
    const json = parse(body)
    const answer = json === undefined ? undefined : read(json)
    return answer === undefined ? strange(reply, question, api) : known(answer, question)
  }
  if (status === 401)
    return unknown(
      'unauthenticated',
      api.refusal(),
      question,
      'sign in to the cluster again (`kubectl get --raw /version` must work)',
    )
  const json = parse(body)
  const said = plain(textAt(json, 'message') ?? '')
  if (status === 403 && (isStatus(json) || json === undefined))
    return unknown('forbidden', said || `${api.server} answered 403`, question, liftOf(said, question))
  if (status === 404 && isNotFound(reply, json, question)) return absent(question)
  if (status === 429)
    return unknown('throttled', `the API server asks to come back later${said && `: ${said}`}`, question, again)
  if (status >= 500)
    return unknown('unreachable', `the API server answered ${status}${said && `: ${said}`}`, question, again)
  return strange(reply, question, api)
}

/**
 * Whoever may not impersonate was not refused the question itself: the rule that is missing is another. And no rule lets anybody
 * make something, a token neither, in a namespace that is being deleted: the NamespaceLifecycle admission refuses it with 403.
 */
function liftOf(said: string, question: Question): string | undefined {
  if (/because it is being terminated$/.test(said)) return 'examine another namespace: this one is being deleted'
  const barred = / cannot impersonate resource "([a-z]+)"/.exec(said)?.[1]
  return barred === undefined
    ? permissionWords(permissionOf(question))
    : `RBAC: impersonate ${barred} for the user of the kubeconfig, or leave --as out`
}

export const isStatus = (json: Json | undefined): boolean => isObject(json) && json.kind === 'Status'

/**
 * A 404 counts as absent only in the words of an API server: a Status about this very thing, or, for a kind that need not be
 * served, that the kind is not. Anything else may come from whatever answers at that address.
 */
function isNotFound({ body }: Reply, json: Json | undefined, { call }: Question): boolean {
  const path = call.startsWith('nonresource ')
  const kindMissing = isStatus(json)
    ? /could not find the requested resource/.test(textAt(json, 'message') ?? '')
    : /^404 page not found\s*$/.test(body.subarray(0, 64).toString('latin1'))
  if (isStatus(json) && !kindMissing) return textAt(json, 'reason') === 'NotFound'
  if (!kindMissing) return false
  const group = resources[call.split('/')[0] ?? '']?.group
  return path || (group?.includes('.') === true && !group.endsWith('.k8s.io'))
}

function strange({ status, headers, body }: Reply, question: Question, api: ApiServer): Fact<Json> {
  if (
    status === 404 &&
    /could not find the requested resource|^404 page not found/.test(body.subarray(0, 2000).toString('latin1'))
  )
    return unknown(
      'not-collected',
      `the API server does not serve ${question.call.replace(/\/\w+$/, '')} in the version asked for`,
      question,
    )
  const type = plain(headers['content-type'] ?? '')
  const start = plain(body.subarray(0, 80).toString('utf8'))
  const looks = /^\s*</.test(body.subarray(0, 64).toString('latin1'))
    ? 'an HTML page'
    : type || start || 'an empty body'
  return unknown(
    'malformed',
    `${api.server} answered ${status} with ${looks} instead of a Kubernetes object`,
    question,
    'make sure that the server in the kubeconfig is an API server and that no proxy or sign-in page answers in its place',
  )
}

/** Why no reply came, and what to do about it. */
export function silence({ trouble, code, detail }: NoReply, question: Question, api: ApiServer): Fact<Json> {
  const host = api.server
  if (trouble === 'cancelled') return unknown('cancelled', 'the run was stopped before the answer came', question)
  if (trouble === 'timeout')
    return unknown(
      'timeout',
      `${host}: ${detail}`,
      question,
      'a longer --request-timeout, or a way to that address (VPN)',
    )
  if (trouble === 'too-large') return unknown('malformed', `${host}: ${detail}`, question)
  const { happened, next } = connection(trouble, code, detail, host)
  return unknown('unreachable', happened, question, next)
}

export function connection(
  trouble: NoReply['trouble'],
  code: string,
  detail: string,
  host: string,
): { readonly happened: string; readonly next: string } {
  if (trouble === 'tls')
    return {
      happened: `the TLS connection to ${host} failed: ${detail}${code === '' ? '' : ` (${code})`}`,
      next: 'correct certificate-authority-data in the kubeconfig, or --certificate-authority, --tls-server-name',
    }
  if (code === 'ECONNREFUSED')
    return {
      happened: `${host} refused the connection`,
      next: 'start the cluster, or correct the server in the kubeconfig',
    }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return {
      happened: `the name in ${host} was not resolved (${code})`,
      next: 'correct the server in the kubeconfig, or connect to its network (VPN)',
    }
  return {
    happened: `${host} could not be reached: ${detail}`,
    next: 'connect to the network of the cluster (VPN), or correct the server in the kubeconfig',
  }
}
