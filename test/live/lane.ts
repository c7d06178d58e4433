/** The live lane: real servers brought up together, and everything that a program needs to talk to them. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openControl } from './control.ts'
import { environment } from './environment.ts'
import { askGivenCluster } from './given-cluster.ts'
import { startFront } from './servers/aws-front.ts'
import { azuriteVersion, startAzurite } from './servers/azurite.ts'
import { cacheRoot } from './servers/cache.ts'
import { type Authority, makeAuthority, makeSigningKey, type SigningKey } from './servers/certificates.ts'
import { notDebian } from './servers/debian.ts'
import { startGateway, type Users } from './servers/gateway.ts'
import { cephPrograms } from './servers/gateway-build.ts'
import {
  type CertifiedKey,
  certified,
  publicKeyOf,
  publishIssuer,
  type RunningSite,
  type Site,
  startSite,
} from './servers/issuer.ts'
import { startKubernetes } from './servers/kubernetes.ts'
import { kubernetesPrograms } from './servers/kubernetes-build.ts'
import { npmPackage } from './servers/npm-build.ts'
import { oidcProviderVersion, startOidcProvider } from './servers/oidc-provider.ts'
import { type Log, removedAtEnd } from './servers/processes.ts'

/** What every process may know of a running lane; it is plain data. */
export type Lane = {
  readonly folder: string
  /** The root of every certificate of the lane, in PEM, and the file that holds it. */
  readonly root: string
  readonly rootFile: string
  readonly cluster?: LaneCluster
  readonly cloud?: LaneCloud
  readonly storage?: LaneStorage
  readonly idp?: LaneIdp
  /** What is not there, and why; who leaves tests out for it says so. */
  readonly leftOut: readonly { readonly server: string; readonly why: string }[]
  readonly times: readonly { readonly what: string; readonly seconds: number }[]
  /** For the real binary, kubectl and the SDKs: everything that would lead past the lane is replaced or gone. */
  readonly env: { readonly [name: string]: string }
}

export type LaneCluster = {
  /** Somebody else's: nothing but new namespaces may be made in it, and it cannot be restarted. */
  readonly given: boolean
  readonly kubeconfig: string
  readonly server: string
  readonly issuer: string
  /** The static issuer that publishes the cluster's keys. */
  readonly site: Site
  readonly keys: readonly CertifiedKey[]
  /** Of the lane's own cluster alone. */
  readonly signingKey?: SigningKey
  readonly auditLog?: string
}

export type LaneCloud = {
  /** STS, IAM, S3 in AWS's form over https. */
  readonly endpoint: string
  readonly region: string
  readonly users: Users
}

/** Azure Blob Storage that takes bearer tokens. */
export type LaneStorage = { readonly url: string; readonly account: string }

/** An OpenID provider that is no cluster, and a client that it gives tokens to. */
export type LaneIdp = {
  readonly issuer: string
  readonly port: number
  readonly client: { readonly id: string; readonly secret: string }
}

export type RunningLane = { readonly lane: Lane; readonly close: () => Promise<void> }

export type LaneOptions = { readonly env?: NodeJS.ProcessEnv; readonly log?: Log }

const issuerHost = 'oidc.live.example.com'
const idpHost = 'idp.live.example.com'
const region = 'us-east-1'

/**
 * Brings everything up, at the same time where it can be. A server that cannot be had here is left out with the reason.
 * `WI_LIVE_KUBECONFIG` names a cluster to use in place of the lane's own, `WI_LIVE_CACHE` where built servers are kept,
 * `WI_LIVE_MIRROR` a mirror of Debian.
 * @throws Error where a server that should work does not; everything that was started is stopped then
 */
export async function startLane(options: LaneOptions = {}): Promise<RunningLane> {
  const { env = process.env, log = () => {} } = options
  const folder = await newFolder()
  const remove = removedAtEnd(folder)
  const closers: (() => Promise<void>)[] = [async () => remove()]
  const close = async (): Promise<void> => {
    for (const one of closers.splice(0).reverse()) await one()
  }
  const times: { what: string; seconds: number }[] = []
  const took = (what: string, seconds: number): void => {
    times.push({ what, seconds })
    log(`${what}: ${seconds.toFixed(1)} s`)
  }
  const leftOut: { server: string; why: string }[] = []
  const leaveOut = (server: string, why: string): undefined => {
    leftOut.push({ server, why })
    log(`${server} left out: ${why}`)
  }
  const missing = notDebian()
  const root = cacheRoot(env)
  const mirror = env.WI_LIVE_MIRROR
  try {
    const authority = await makeAuthority('kubectl wi live lane')
    const rootFile = path.join(folder, 'root.pem')
    await writeFile(rootFile, authority.root)
    const given = env.WI_LIVE_KUBECONFIG || undefined
    if (given === undefined && env.KUBECONFIG)
      log('KUBECONFIG is not used; WI_LIVE_KUBECONFIG names a cluster in which the tests may make namespaces.')
    const known = given === undefined ? undefined : await askGivenCluster(given)
    const issuer = known?.issuer ?? `https://${issuerHost}/live`
    const site = await startSite(new URL(issuer).hostname, path.join(folder, 'site'), authority)
    closers.push(site.stop)

    const own = async (): Promise<LaneCluster | undefined> => {
      if (missing !== undefined)
        return leaveOut('kube-apiserver', `${missing}; WI_LIVE_KUBECONFIG can name a cluster instead`)
      const programs = await kubernetesPrograms({ root, mirror, log })
      took(`kubernetes ${programs.version} made`, programs.seconds)
      const signingKey = makeSigningKey()
      const order = { programs, authority, issuer, signingKey, folder: path.join(folder, 'kubernetes') }
      const kubernetes = await startKubernetes(order)
      closers.push(kubernetes.stop)
      took('kubernetes started', kubernetes.seconds)
      const control = await openControl(folder, kubernetes)
      closers.push(control.close)
      const keys = await publish(site, issuer, [publicKeyOf(signingKey)], authority)
      const { url: server, kubeconfig, auditLog } = kubernetes
      return { given: false, kubeconfig, server, issuer, site: plainSite(site), keys, signingKey, auditLog }
    }
    const theirs = async (): Promise<LaneCluster | undefined> => {
      if (known === undefined || given === undefined) return undefined
      const keys = await publish(site, issuer, known.keys, authority)
      return { given: true, kubeconfig: given, server: known.server, issuer, site: plainSite(site), keys }
    }
    const cloud = async (): Promise<LaneCloud | undefined> => {
      if (missing !== undefined) return leaveOut('the RADOS Gateway (STS, IAM, S3)', missing)
      const programs = await cephPrograms({ root, mirror, log })
      took(`ceph ${programs.version} made`, programs.seconds)
      const gateway = await startGateway({ programs, folder: path.join(folder, 'gateway'), proxy: site.proxy })
      closers.push(gateway.stop)
      took('gateway started', gateway.seconds)
      const front = await startFront({ gateway: gateway.url, users: Object.values(gateway.users), authority })
      closers.push(front.stop)
      return { endpoint: front.url, region, users: gateway.users }
    }
    const storage = async (): Promise<LaneStorage | undefined> => {
      const found = await npmPackage({ root, name: 'azurite', version: azuriteVersion, log })
      if ('why' in found) return leaveOut('azurite (Azure Blob Storage)', found.why)
      took(`azurite ${found.version} made`, found.seconds)
      const azurite = await startAzurite({ home: found.home, folder: path.join(folder, 'azurite'), authority })
      closers.push(azurite.stop)
      took('azurite started', azurite.seconds)
      return { url: azurite.url, account: azurite.account }
    }
    const idp = async (): Promise<LaneIdp | undefined> => {
      const found = await npmPackage({ root, name: 'oidc-provider', version: oidcProviderVersion, log })
      if ('why' in found) return leaveOut('oidc-provider (an OpenID provider)', found.why)
      took(`oidc-provider ${found.version} made`, found.seconds)
      const order = { home: found.home, issuer: `https://${idpHost}`, folder: path.join(folder, 'idp'), authority }
      const { issuer, port, client, seconds, stop } = await startOidcProvider(order)
      closers.push(stop)
      took('oidc-provider started', seconds)
      return { issuer, port, client }
    }
    // All to their end: what one of them has started must be known before anything is stopped.
    const starting = [given === undefined ? own() : theirs(), cloud(), storage(), idp()] as const
    const [cluster, aws, azure, openid] = await Promise.allSettled(starting)
    const parts = {
      cluster: settledValue(cluster),
      cloud: settledValue(aws),
      storage: settledValue(azure),
      idp: settledValue(openid),
    }
    const there = Object.entries(parts).filter(([, part]) => part !== undefined)
    const facts = { folder, root: authority.root, rootFile, leftOut, times, ...Object.fromEntries(there) }
    const lane: Lane = { ...facts, env: await environment(facts, env) }
    return { lane, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** A run that was killed could not remove its own folder; the process's id in the name tells whether it is still needed. */
async function newFolder(): Promise<string> {
  const prefix = 'wi-live-'
  for (const name of await readdir(tmpdir())) {
    const pid = Number(new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1] ?? process.pid)
    const place = path.join(tmpdir(), name)
    if (!alive(pid)) await rm(place, { recursive: true, force: true }).catch(() => {})
  }
  return mkdtemp(path.join(tmpdir(), `${prefix}${process.pid}-`))
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function settledValue<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason
  return settled.value
}

const plainSite = ({ stop: _, ...site }: RunningSite): Site => site

async function publish(
  site: Site,
  issuer: string,
  keys: Parameters<typeof publishIssuer>[2],
  authority: Authority,
): Promise<readonly CertifiedKey[]> {
  const made = await Promise.all(keys.map((key) => certified(key, authority)))
  await publishIssuer(
    site,
    issuer,
    made.map(({ key }) => key),
  )
  return made
}
