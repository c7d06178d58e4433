/** A real API server with etcd and the controller manager, on loopback, from a folder of its own. */
import { mkdir, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { stringify } from 'yaml'
import type { Authority, Pair, SigningKey } from './certificates.ts'
import { keySetUri } from './issuer.ts'
import type { KubernetesPrograms } from './kubernetes-build.ts'
import { freePorts } from './ports.ts'
import { type Server, serve, until } from './processes.ts'

/** What a restart of the API server can change; whatever is left out stays as it was. */
export type ApiServerOrder = {
  readonly issuer?: string
  readonly signingKey?: SigningKey
  /** Flags after the lane's own, so that they win. */
  readonly flags?: readonly string[]
}

export type Kubernetes = {
  readonly url: string
  /** The kubeconfig of an administrator, with a client certificate. */
  readonly kubeconfig: string
  readonly admin: Pair
  /** One JSON object a line for every request that was not the cluster's own (audit.k8s.io/v1, Metadata). */
  readonly auditLog: string
  /** Seconds from the first process until everything answered. */
  readonly seconds: number
  readonly restart: (order?: ApiServerOrder) => Promise<void>
  readonly stopApiServer: () => Promise<void>
  readonly stop: () => Promise<void>
}

const starting = 90

export async function startKubernetes(order: {
  readonly programs: KubernetesPrograms
  readonly folder: string
  readonly authority: Authority
  readonly issuer: string
  readonly signingKey: SigningKey
}): Promise<Kubernetes> {
  const { programs, folder, authority } = order
  const started = performance.now()
  const running: Server[] = []
  const stop = async (): Promise<void> => {
    for (const one of running.splice(0).reverse()) await one.stop()
  }
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const file = async (name: string, text: string): Promise<string> => {
      const place = path.join(folder, name)
      await writeFile(place, text, { mode: 0o600 })
      return place
    }
    const log = (name: string): string => path.join(folder, `${name}.log`)
    const [clients = 0, peers = 0, secure = 0, manager = 0] = await freePorts(4)
    const url = `https://127.0.0.1:${secure}`

    const auditLog = path.join(folder, 'audit.log')
    const store = `http://127.0.0.1:${clients}`
    const peer = `http://127.0.0.1:${peers}`
    const etcd = serve(
      'etcd',
      {
        file: programs.etcd,
        args: [
          `--data-dir=${path.join(folder, 'etcd')}`,
          `--listen-client-urls=${store}`,
          `--advertise-client-urls=${store}`,
          `--listen-peer-urls=${peer}`,
          `--initial-advertise-peer-urls=${peer}`,
          `--initial-cluster=default=${peer}`,
        ],
      },
      log('etcd'),
    )
    running.push(etcd)

    // The issuer's host, too: many an API server is its own issuer.
    const hosts = ['127.0.0.1', 'localhost', 'kubernetes.default.svc', new URL(order.issuer).hostname]
    const serving = await authority.server(hosts)
    const admin = await authority.client('live-admin', ['system:masters'])
    const controller = await authority.client('system:kube-controller-manager', [])
    const ca = await file('ca.pem', authority.root)
    const kubeconfig = await file('kubeconfig', kubeconfigOf(url, authority.root, admin))
    const fixed = [
      `--etcd-servers=${store}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${secure}`,
      `--cert-dir=${path.join(folder, 'certificates')}`,
      `--tls-cert-file=${await file('serving.pem', serving.cert)}`,
      `--tls-private-key-file=${await file('serving.key', serving.key)}`,
      `--client-ca-file=${ca}`,
      '--authorization-mode=RBAC',
      '--anonymous-auth=true',
      '--service-cluster-ip-range=10.96.0.0/16',
      '--allow-privileged=true',
      // Pods get the projected volume kube-api-access-* that is the only kind since 1.24, and need no Secret first.
      '--feature-gates=BoundServiceAccountTokenVolume=true',
      `--audit-policy-file=${await file('audit-policy.yaml', stringify(auditPolicy))}`,
      `--audit-log-path=${auditLog}`,
      '--audit-log-mode=blocking',
    ]
    let now: Required<ApiServerOrder> = { issuer: order.issuer, signingKey: order.signingKey, flags: [] }
    let apiServer: Server | undefined
    const ready = async (server: Server): Promise<void> => {
      await until(server, starting, async () =>
        (await call(url, authority, admin, '/readyz')) === 200 ? true : undefined,
      )
    }
    const startApiServer = async (): Promise<void> => {
      const { issuer, signingKey, flags } = now
      const key = await file('signing.key', signingKey.privateKey)
      apiServer = serve(
        'kube-apiserver',
        {
          file: programs.apiServer,
          args: [
            ...fixed,
            `--service-account-issuer=${issuer}`,
            `--service-account-jwks-uri=${keySetUri(issuer)}`,
            `--service-account-signing-key-file=${key}`,
            `--service-account-key-file=${await file('signing.pub', signingKey.publicKey)}`,
            `--api-audiences=${issuer},https://kubernetes.default.svc`,
            ...flags,
          ],
        },
        log('kube-apiserver'),
      )
      running.push(apiServer)
      await ready(apiServer)
    }
    const stopApiServer = async (): Promise<void> => {
      if (apiServer === undefined) return
      await apiServer.stop()
      running.splice(running.indexOf(apiServer), 1)
      apiServer = undefined
    }
    await startApiServer()

    const controllerManager = serve(
      'kube-controller-manager',
      {
        file: programs.controllerManager,
        args: [
          `--kubeconfig=${await file('controller-manager.kubeconfig', kubeconfigOf(url, authority.root, controller))}`,
          '--bind-address=127.0.0.1',
          `--secure-port=${manager}`,
          '--port=0',
          `--cert-dir=${path.join(folder, 'certificates')}`,
          '--leader-elect=false',
          // Without a kubelet a pod must stay: neither its node's silence nor its age may remove it.
          '--controllers=*,-nodeipam,-nodelifecycle,-podgc',
          `--service-account-private-key-file=${path.join(folder, 'signing.key')}`,
          `--root-ca-file=${ca}`,
        ],
      },
      log('kube-controller-manager'),
    )
    running.push(controllerManager)
    await until(controllerManager, starting, async () => {
      const status = await call(url, authority, admin, '/api/v1/namespaces/default/serviceaccounts/default')
      return status === 200 ? true : undefined
    })
    for (const binding of bindings) await bind(url, authority, admin, binding)
    const seconds = (performance.now() - started) / 1000
    const restart = async (change: ApiServerOrder = {}): Promise<void> => {
      await stopApiServer()
      now = { ...now, ...change }
      await startApiServer()
    }
    return { url, kubeconfig, admin, auditLog, seconds, restart, stopApiServer, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', users: ['system:apiserver', 'system:kube-controller-manager'] },
    { level: 'None', nonResourceURLs: ['/readyz', '/healthz*', '/livez'] },
    { level: 'Metadata' },
  ],
}

const bindings = [
  {
    name: 'anonymous-issuer-discovery',
    role: 'system:service-account-issuer-discovery',
    kind: 'Group',
    who: 'system:unauthenticated',
  },
  // Of the controllers, which share one user here, only the one that empties namespaces has its role: what tests make stays as they made it.
  {
    name: 'namespace-controller',
    role: 'system:controller:namespace-controller',
    kind: 'User',
    who: 'system:kube-controller-manager',
  },
] as const

async function bind(
  url: string,
  authority: Authority,
  admin: Pair,
  { name, role, kind, who }: (typeof bindings)[number],
): Promise<void> {
  const apiGroup = 'rbac.authorization.k8s.io'
  const status = await call(url, authority, admin, `/apis/${apiGroup}/v1/clusterrolebindings`, {
    apiVersion: `${apiGroup}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup, kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup, kind, name: who }],
  })
  if (status !== 201) throw new Error(`the API server answered ${status} to a ClusterRoleBinding`)
}

/** One request with the administrator's certificate; gives the status. With a body it is a POST. */
function call(url: string, authority: Authority, { cert, key }: Pair, place: string, body?: object): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(
      `${url}${place}`,
      {
        ...{ ca: authority.root, cert, key, agent: false, timeout: 5000 },
        method: body === undefined ? 'GET' : 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
      },
      (reply) => {
        reply.resume()
        reply.on('end', () => resolve(reply.statusCode ?? 0))
      },
    )
    asked.on('timeout', () => asked.destroy(new Error('no answer within 5 s')))
    asked.on('error', reject)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

/** A kubeconfig with everything in it, for this user. */
export function kubeconfigOf(server: string, ca: string, user: Pair): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'live', cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [
      {
        name: 'live',
        user: { 'client-certificate-data': base64(user.cert), 'client-key-data': base64(user.key) },
      },
    ],
    contexts: [{ name: 'live', context: { cluster: 'live', user: 'live' } }],
    'current-context': 'live',
  })
}
