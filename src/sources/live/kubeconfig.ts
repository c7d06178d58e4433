/** From kubectl's flags and kubeconfig files to one cluster, one user and one namespace. */
import { accessSync } from 'node:fs'
import type { Cluster, KubeConfig, User } from '@kubernetes/client-node'
import { isObject, type JsonObject, textAt, textsAt } from '../../core/json.ts'
import { readFiles, type Shelf } from './kubeconfig-files.ts'
import { LiveTrouble, plain } from './trouble.ts'

/** kubectl's flags under kubectl's names. */
export type KubeFlags = {
  readonly kubeconfig?: string | undefined
  readonly context?: string | undefined
  readonly cluster?: string | undefined
  readonly user?: string | undefined
  readonly namespace?: string | undefined
  readonly server?: string | undefined
  readonly as?: string | undefined
  readonly asGroup?: readonly string[] | undefined
  readonly asUid?: string | undefined
  readonly asUserExtra?: readonly string[] | undefined
  readonly token?: string | undefined
  readonly tlsServerName?: string | undefined
  readonly certificateAuthority?: string | undefined
  readonly clientCertificate?: string | undefined
  readonly clientKey?: string | undefined
  readonly insecureSkipTlsVerify?: boolean | undefined
  readonly disableCompression?: boolean | undefined
  /** A number of seconds, or a Go duration: `5s`, `1m30s`; 0 for none. */
  readonly requestTimeout?: string | undefined
}

export type Chosen = {
  readonly context?: string
  readonly cluster: Cluster
  readonly user: User
  readonly namespace: string
  /** What the user's entry holds that client-node does not read. */
  readonly rawUser: JsonObject
  readonly where: string
}

const inPod = '/var/run/secrets/kubernetes.io/serviceaccount/token'

/** Milliseconds of `--request-timeout`; undefined where the flag was not given. @throws LiveTrouble */
export function requestTimeoutMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,7}$/.test(text)) return Number(text) * 1000
  const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const
  if (/^(?:\d{1,7}(?:\.\d{1,3})?(?:ms|s|m|h)){1,4}$/.test(text)) {
    let total = 0
    for (const [, amount, unit] of text.matchAll(/([\d.]+)(ms|s|m|h)/g))
      total += Number(amount) * (unit === 'ms' || unit === 's' || unit === 'm' || unit === 'h' ? units[unit] : 0)
    return total
  }
  throw new LiveTrouble(
    `--request-timeout ${plain(text)} is not a length of time`,
    'no request was made',
    'write seconds or a number with a unit: 10, 5s, 1m30s, 0 for no limit',
  )
}

async function shelfOf(flags: KubeFlags, env: NodeJS.ProcessEnv): Promise<Shelf> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const { parse } = await import('yaml')
  return readFiles(
    flags.kubeconfig,
    env,
    () => new KubeConfig(),
    (text) => parse(text, { merge: true, logLevel: 'error' }),
  )
}

/** The names of all contexts, clusters or users that kubectl would know. @throws LiveTrouble where a file cannot be read */
export async function kubeconfigNames(
  of: 'contexts' | 'clusters' | 'users',
  flags: KubeFlags,
  env: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  return [...(await shelfOf(flags, env))[of].keys()]
}

/** Reads what kubectl would read. @throws LiveTrouble where no cluster comes of it. */
export async function chooseCluster(flags: KubeFlags, env: NodeJS.ProcessEnv): Promise<Chosen> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const shelf = await shelfOf(flags, env)
  if (shelf.contexts.size === 0 && shelf.clusters.size === 0 && flags.server === undefined) {
    const inside = inCluster(env, () => new KubeConfig())
    if (inside !== undefined) return adorned(inside, flags)
    const where = shelf.files.length === 0 ? 'there is no kubeconfig' : `${shelf.files.join(', ')} names no cluster`
    throw new LiveTrouble(
      where,
      'without one there is no cluster to examine',
      'set KUBECONFIG or --kubeconfig (for EKS: `aws eks update-kubeconfig --name CLUSTER`); documents need no cluster: kubectl wi doctor -f FOLDER',
    )
  }
  return adorned(pick(shelf, flags), flags)
}

function pick(shelf: Shelf, flags: KubeFlags): Chosen {
  const where = shelf.files.join(', ')
  const names = (all: Map<string, unknown>): string => [...all.keys()].slice(0, 12).map(plain).join(', ') || 'none'
  const wanted = flags.context ?? shelf.current
  const context = wanted === undefined || wanted === '' ? undefined : shelf.contexts.get(wanted)
  if (wanted !== undefined && wanted !== '' && context === undefined)
    throw new LiveTrouble(
      `context ${plain(wanted)} does not exist in ${where || 'any kubeconfig'}`,
      'so it is not known which cluster is meant',
      `give one of these with --context: ${names(shelf.contexts)}`,
    )
  const clusterName = flags.cluster ?? context?.cluster
  if (clusterName === undefined && flags.server === undefined)
    throw new LiveTrouble(
      `${where} has no current context`,
      'so it is not known which cluster is meant',
      `give one of these with --context: ${names(shelf.contexts)}`,
    )
  const cluster = clusterName === undefined ? undefined : shelf.clusters.get(clusterName)
  if (cluster === undefined && flags.server === undefined)
    throw new LiveTrouble(
      `cluster ${plain(clusterName ?? '')} does not exist in ${where}, or has no server`,
      'so there is no address to ask',
      `correct the context, or give one of these with --cluster: ${names(shelf.clusters)}`,
    )
  const userName = flags.user ?? context?.user
  const user = userName === undefined ? undefined : shelf.users.get(userName)
  if (flags.user !== undefined && user === undefined)
    throw new LiveTrouble(
      `user ${plain(flags.user)} does not exist in ${where}`,
      'so there are no credentials to ask with',
      `give one of these with --user: ${names(shelf.users)}`,
    )
  return {
    ...(context === undefined || wanted === undefined ? {} : { context: wanted }),
    cluster: cluster ?? { name: 'flags', server: '', skipTLSVerify: false },
    // client-node applies nothing at all, not even the certificate authority, where there is no user.
    user: user ?? { name: userName ?? 'nobody' },
    namespace: context?.namespace ?? 'default',
    rawUser: (userName === undefined ? undefined : shelf.rawUsers.get(userName)) ?? {},
    where,
  }
}

/** The flags laid over what the files say. */
function adorned(chosen: Chosen, flags: KubeFlags): Chosen {
  const { cluster, user, rawUser } = chosen
  const { caData: caInFile, ...bare } = cluster
  const keepsCa = flags.certificateAuthority === undefined && flags.insecureSkipTlsVerify !== true
  const { caFile, ...noCa } = bare
  const server = (flags.server ?? cluster.server).replace(/\/$/, '')
  if (!/^https?:\/\/[^/\s]/.test(server))
    throw new LiveTrouble(
      `the server ${plain(server)} is not an http or https URL`,
      'so there is no address to ask',
      'correct `clusters[].cluster.server` or --server: https://HOST:PORT',
    )
  const tokenFile = textAt(rawUser, 'tokenFile')
  const file = tokenFile === undefined ? undefined : { name: 'tokenFile', config: { tokenFile } }
  const { token: tokenInFile, certFile, certData, keyFile, keyData, exec, authProvider, ...plainUser } = user
  const own = flags.clientCertificate !== undefined
  const token = flags.token ?? (file === undefined ? tokenInFile : undefined)
  return {
    ...chosen,
    namespace: flags.namespace ?? chosen.namespace,
    cluster: {
      ...(keepsCa ? bare : noCa),
      ...(keepsCa && caInFile ? { caData: caInFile, caFile: '' } : {}),
      ...(flags.certificateAuthority === undefined ? {} : { caFile: flags.certificateAuthority }),
      ...(flags.tlsServerName === undefined ? {} : { tlsServerName: flags.tlsServerName }),
      server,
      skipTLSVerify:
        flags.insecureSkipTlsVerify ?? (flags.certificateAuthority === undefined ? cluster.skipTLSVerify : false),
    },
    user: {
      ...plainUser,
      ...(token === undefined ? {} : { token }),
      ...(flags.token !== undefined ? {} : { exec, authProvider: file ?? authProvider }),
      ...(own || certData ? {} : { certFile: certFile ?? '' }),
      ...(own ? { certFile: flags.clientCertificate ?? '' } : { certData: certData ?? '' }),
      ...(flags.clientKey !== undefined || keyData ? {} : { keyFile: keyFile ?? '' }),
      ...(flags.clientKey !== undefined ? { keyFile: flags.clientKey } : { keyData: keyData ?? '' }),
      ...(flags.as === undefined ? {} : { impersonateUser: flags.as }),
    },
  }
}

/** Impersonation beyond the user's name, which client-node does not send: groups, uid, extra. */
export function impersonation(chosen: Chosen, flags: KubeFlags): { readonly [header: string]: string | string[] } {
  const headers: { [header: string]: string | string[] } = {}
  const given = flags.as !== undefined
  const groups = flags.asGroup ?? (given ? [] : textsAt(chosen.rawUser, 'as-groups'))
  if (groups.length > 0) headers['Impersonate-Group'] = [...groups]
  const uid = flags.asUid ?? (given ? undefined : textAt(chosen.rawUser, 'as-uid'))
  if (uid !== undefined) headers['Impersonate-Uid'] = uid
  for (const pair of flags.asUserExtra ?? []) {
    const cut = pair.indexOf('=')
    if (cut > 0) headers[`Impersonate-Extra-${encodeURIComponent(pair.slice(0, cut))}`] = pair.slice(cut + 1)
  }
  const extra = given ? undefined : chosen.rawUser['as-user-extra']
  if (isObject(extra))
    for (const key of Object.keys(extra))
      headers[`Impersonate-Extra-${encodeURIComponent(key)}`] = [...textsAt(extra, key)]
  return headers
}

function inCluster(env: NodeJS.ProcessEnv, fresh: () => KubeConfig): Chosen | undefined {
  if (env.KUBERNETES_SERVICE_HOST === undefined) return undefined
  try {
    accessSync(inPod)
  } catch {
    return undefined
  }
  const config = fresh()
  config.loadFromCluster()
  const cluster = config.getCurrentCluster()
  const user = config.getCurrentUser()
  if (cluster === null || user === null) return undefined
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace?.trim() || 'default'
  return { cluster, user, namespace, rawUser: {}, where: 'the pod that this runs in' }
}
