/** What a job on a compute site has of Kubernetes, judged step by step, so that the first that does not hold names the one cause. */
import { isObject, type Json, type JsonObject, listAt, textAt, textsAt } from '../core/json.ts'
import type { Outcome } from '../core/proof.ts'
import type { Authority } from './remote-certificate.ts'
import { audiencesOf } from './token-claims.ts'

const enabled = 'interlink/service-accounts-are-enabled'
const trusted = 'interlink/api-certificate-is-trusted'
const route = 'interlink/api-route-is-complete'
const safe = 'interlink/remote-token-is-safe'

type Told = Pick<Outcome, 'says'> & Partial<Outcome>
const fail = (check: string, { says, ...more }: Told): Outcome => ({
  status: 'fail',
  says,
  causes: [{ check, says }],
  ...more,
})

/** The two variables that every client in a pod finds the API by. */
export function judgeAddress(host: string | undefined, port: string | undefined, proxy: string | undefined): Outcome {
  const [noHost, noPort] = [host === undefined || host === '', port === undefined || port === '']
  const set =
    'Set interlink.kubernetesApiAddr and interlink.kubernetesApiPort in the values of the chart to the published address, and make the job anew.'
  if (noHost && noPort)
    return fail(enabled, {
      says: 'KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: the virtual kubelet knows no API address for remote jobs',
      fix: set,
    })
  if (noHost || noPort)
    return fail(enabled, {
      says: `KUBERNETES_SERVICE_${noHost ? 'HOST' : 'PORT'} is not set, and the other alone leads nowhere`,
      fix: set,
    })
  const past = `${proxy}; this looks past it, programs of the job may not`
  const details: readonly (readonly [string, string])[] = [
    ['address', `${host}:${port}`],
    ...(proxy === undefined ? [] : [['proxy', past] as const]),
  ]
  if (!/^\d{1,5}$/.test(port ?? '') || Number(port) < 1 || Number(port) > 65_535)
    return fail(enabled, { says: `KUBERNETES_SERVICE_PORT is ${port}, which is no port`, fix: set })
  if (/:\/\/|\/|\s/.test(host ?? ''))
    return fail(enabled, {
      says: `KUBERNETES_SERVICE_HOST is ${host}; it takes a name or an IP address alone`,
      fix: set,
    })
  // A loopback address may be the near end of a tunnel.
  if (/(?:^|\.)svc(?:\.|$)|\.cluster\.local\.?$/i.test(host ?? ''))
    return fail(enabled, { says: `${host} exists only inside the cluster, and this job is outside`, details, fix: set })
  return {
    status: 'pass',
    says: `the job is told ${host}:${port}`,
    details,
  }
}

export type Reading = {
  readonly path: string
  readonly size: number
} & (
  | { readonly state: 'read'; readonly claims: JsonObject; readonly unsigned: boolean }
  | { readonly state: 'broken'; readonly problem: string }
)
export type Unread = { readonly state: 'unread'; readonly path: string; readonly code: string }

const unreadable = (path: string, code: string): string =>
  code === 'ENOENT' || code === 'ENOTDIR'
    ? `${path} is not there`
    : code === 'EACCES'
      ? `${path} is there, and this user may not read it`
      : `${path} cannot be read (${code})`

const number = (claims: JsonObject, name: string): number | undefined => {
  const value = claims[name]
  return typeof value === 'number' && Number.isFinite(value) && Math.abs(value) < 8e12 ? value : undefined
}
const dateOf = (seconds: number): string => new Date(seconds * 1000).toISOString()

export function judgeToken(token: Reading | Unread, now: number): Outcome {
  if (token.state === 'unread')
    return fail(enabled, {
      says: `${unreadable(token.path, token.code)}: no token was mounted`,
      fix: 'Set interlink.disableProjectedVolumes=false in the values of the chart and ExportPodData: true in the configuration of the plugin, and make the job anew.',
    })
  if (token.size === 0)
    return fail(enabled, {
      says: `${token.path} is empty: the virtual kubelet asked for a token and got none`,
      fix: 'Read its log for "error during token request in RemoteExecution()": its ServiceAccount has to be allowed to create serviceaccounts/token.',
    })
  if (token.state === 'broken') return fail(enabled, { says: `${token.path} holds no token: ${token.problem}` })
  const { claims, unsigned } = token
  const exp = number(claims, 'exp')
  const pod = isObject(claims['kubernetes.io']) ? textAt(claims['kubernetes.io'], 'pod', 'name') : undefined
  const details = [
    ['subject', textAt(claims, 'sub') ?? 'none'],
    ['audience', audiencesOf(claims).join(', ') || 'none'],
    ['issuer', textAt(claims, 'iss') ?? 'none'],
    ...(pod === undefined ? [] : [['bound to pod', pod] as const]),
    ['ends', exp === undefined ? 'never' : dateOf(exp)],
  ] as const
  if (unsigned) return fail(enabled, { says: 'nobody has signed the token: its alg is "none"', details })
  if (exp !== undefined && exp <= now)
    return fail(safe, {
      says: `the token ended on ${dateOf(exp)}, and nothing renews it in a remote job`,
      details,
      fix: 'Raise --service-account-max-token-expiration of the API server above the run time of jobs, or start the job anew.',
    })
  const begins = number(claims, 'nbf')
  if (begins !== undefined && begins > now + 60)
    return fail('cluster/clocks-agree', {
      says: `the token begins on ${dateOf(begins)}: the clock of this machine is behind that of the cluster, or was`,
      details,
    })
  return { status: 'pass', says: 'a token is mounted, and current', details }
}

export type Mounted = {
  readonly state: 'read'
  readonly path: string
  readonly all: readonly Authority[]
  readonly size: number
}

export function judgeAuthorities(ca: Mounted | Unread): Outcome {
  const fix =
    'Set interlink.kubernetesApiCaCrt in the values of the chart: the whole PEM, all its lines indented alike; then make the job anew.'
  if (ca.state === 'unread') return fail(trusted, { says: `${unreadable(ca.path, ca.code)}: no CA was mounted`, fix })
  if (ca.size === 0) return fail(trusted, { says: `${ca.path} is empty`, fix })
  if (ca.all.length === 0) return fail(trusted, { says: `${ca.path} holds no readable certificate`, fix })
  return {
    status: 'pass',
    says: `${ca.path} holds ${ca.all.length === 1 ? 'one CA' : `${ca.all.length} certificates`}`,
    details: ca.all.map(({ subject, notAfter }) => [subject, `until ${notAfter}`] as const),
  }
}

export type NoReply = {
  readonly trouble: 'timeout' | 'cancelled' | 'too-large' | 'network' | 'tls'
  readonly code: string
  readonly detail: string
}

/** Nobody has answered as a web server would. */
export function judgeSilence({ trouble, code, detail }: NoReply, host: string, port: string): Outcome {
  const place = `${host}:${port}`
  if (trouble === 'cancelled') return { status: 'unknown', says: detail }
  if (trouble === 'tls')
    return fail(route, {
      says: `${place} answers, but not in TLS (${code}): this is another port, or another server`,
      fix: 'Compare interlink.kubernetesApiPort with the HTTPS port of the Service of the ingress controller.',
    })
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return fail(route, {
      says: `the name ${host} does not resolve here (${code})`,
      fix: 'Publish the name where the compute site resolves names, or hand out an IP address as interlink.kubernetesApiAddr.',
    })
  if (code === 'ECONNREFUSED')
    return fail(route, {
      says: `nobody listens on port ${port} of ${host}`,
      fix: 'Compare interlink.kubernetesApiPort with the port of the Service of the ingress controller.',
    })
  if (trouble === 'timeout' || ['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'].includes(code))
    return fail(route, {
      says: `${place} does not answer from here (${code || detail})`,
      fix: 'Have the firewalls on the way let the nodes of the compute site through to this port.',
    })
  return fail(route, { says: `the connection to ${place} broke off: ${code} ${detail}` })
}

export type Replied = { readonly status: number; readonly json: Json | undefined; readonly type: string }

const kinds = /^(?:Status|APIVersions|APIGroupList|APIResourceList|APIGroup)$/
const isKubernetes = ({ json }: Replied): boolean =>
  json !== undefined && isObject(json) && kinds.test(textAt(json, 'kind') ?? '')

/** One path that clients need; 401 and 403 in the words of Kubernetes are its API all the same. */
export function judgePath(path: string, reply: Replied | NoReply, host: string, port: string): Outcome {
  if ('trouble' in reply) return judgeSilence(reply, host, port)
  const { status, type } = reply
  const details = [['status', `${status}, ${type}`]] as const
  if (isKubernetes(reply)) return { status: 'pass', says: `the Kubernetes API answers ${path}`, details }
  const why = (says: string, fix: string): Outcome => fail(route, { says, details, fix })
  if (status === 404)
    return why(
      `${path} is not published: 404 from what stands before the API`,
      'Publish /api and /apis in the Ingress, with pathType Prefix and without a rewrite, both to where the API is.',
    )
  if (status === 502 || status === 503 || status === 504)
    return why(
      `${path} is published, and what it leads to does not answer (${status})`,
      'Look at the Service and the proxy behind the Ingress: its port, its pods, and whether it speaks TLS where TLS is expected.',
    )
  if (status >= 300 && status < 400)
    return why(
      `${path} is redirected (${status}), and clients of Kubernetes do not follow`,
      'Take the redirect off this route.',
    )
  if (status === 400 && type.includes('html'))
    return why(
      `${path} is refused with 400 by what stands before the API`,
      'Where it says that plain HTTP came to an HTTPS port: set nginx.ingress.kubernetes.io/backend-protocol to HTTPS, or take ssl off the port behind.',
    )
  if (status === 401 || status === 403)
    return why(
      `${path} is refused (${status}) by something that is not the Kubernetes API`,
      'Take authentication of its own off this route: the API server asks for the token by itself.',
    )
  return why(
    `what answers ${path} is not the Kubernetes API (${status}, ${type})`,
    'Correct the backend of this path in the Ingress.',
  )
}

/** Clouds and others that tokens are made for by name. */
const elsewhere = /amazonaws\.com|AzureADTokenExchange|azure|googleapis\.com|svc\.id\.goog|vault|sigstore/i

/** Whether the API server takes the token, by its answer to the first path. */
export function judgeAcceptance(reply: Replied, claims: JsonObject): Outcome {
  if (reply.status !== 401) return { status: 'pass', says: 'the API server takes the token' }
  const audiences = audiencesOf(claims)
  const issuer = textAt(claims, 'iss') ?? ''
  const isOwn = audiences.some(
    (one) => one === issuer || /^https:\/\/kubernetes\.default|^(?:api|kubernetes|k3s|rke2)$/.test(one),
  )
  const fix =
    'Have the virtual kubelet hand out its own token: it asks for none but the audience of the API server; a token of another volume is for somebody else.'
  if (audiences.length > 0 && !isOwn && audiences.some((one) => elsewhere.test(one)))
    return fail(safe, {
      says: `the API server refuses the token: it is for ${audiences.join(', ')}, and not for the API`,
      fix,
    })
  if (audiences.length > 0 && !isOwn)
    return fail(safe, {
      says: `the API server refuses the token: most likely its audience ${audiences.join(', ')}, which is neither the issuer's (${issuer || 'none'}) nor that of any API server known here`,
      fix,
    })
  const pod = isObject(claims['kubernetes.io']) ? textAt(claims['kubernetes.io'], 'pod', 'name') : undefined
  return fail(safe, {
    says: `the API server refuses the token, although its times and its audience fit: ${pod === undefined ? 'its ServiceAccount' : `pod ${pod} or its ServiceAccount`} was deleted since, or it was signed by another cluster (${issuer || 'no issuer'})`,
    fix: 'Compare the issuer with that of the cluster behind this address (kubectl get --raw /.well-known/openid-configuration), and make the job anew.',
  })
}

const ownReviews = new Set(['selfsubjectaccessreviews', 'selfsubjectrulesreviews', 'selfsubjectreviews'])

/** What `kubectl auth can-i --list` prints; whoever is signed in may ask it. */
export function judgeRules(reply: Replied | NoReply, namespace: string, subject: string): Outcome {
  if ('trouble' in reply) return { status: 'unknown', says: reply.detail }
  const { status, json } = reply
  if (status !== 201 && status !== 200)
    return {
      status: 'unknown',
      says: `what ${subject} may do was not told (${status}${json === undefined ? '' : `: ${textAt(json, 'message') ?? ''}`})`,
      lift: 'kubectl auth can-i --list --as, by somebody who may impersonate it',
    }
  const rules = listAt(json ?? null, 'status', 'resourceRules').filter(
    (rule) => !textsAt(rule, 'resources').every((one) => ownReviews.has(one)),
  )
  const words = rules.slice(0, 8).map((rule) => {
    const names = textsAt(rule, 'resourceNames')
    const groups = textsAt(rule, 'apiGroups').filter((group) => group !== '')
    const things = textsAt(rule, 'resources').map((one) => (groups.length === 0 ? one : `${one}.${groups.join('|')}`))
    return [
      textsAt(rule, 'verbs').join(', '),
      `${things.join(', ')}${names.length === 0 ? '' : ` (${names.join(', ')})`}`,
    ] as const
  })
  if (rules.length === 0)
    return {
      status: 'fail',
      says: `${subject} may do nothing in namespace ${namespace} but ask what it may do`,
      fix: `Bind a Role with what the job needs to it: kubectl create rolebinding, in namespace ${namespace}.`,
    }
  const more = rules.length > words.length ? [['…', `${rules.length - words.length} more`] as const] : []
  return { status: 'pass', says: `${subject} may do this in namespace ${namespace}`, details: [...words, ...more] }
}
