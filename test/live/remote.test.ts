/** A job on a compute site: the real API server behind a real nginx with the two paths of interLink's guide and a CA of its own. */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isObject, type Json, listAt, textAt } from '../../src/core/json.ts'
import { type Cluster, clusterOf } from './cluster.ts'
import { runEntry } from './doctor.ts'
import { describeWith, lane } from './running.ts'
import { cacheRoot } from './servers/cache.ts'
import { type Authority, makeAuthority } from './servers/certificates.ts'
import { type Published, type RunningNginx, startNginx } from './servers/nginx.ts'
import { type NginxPrograms, nginxPrograms } from './servers/nginx-build.ts'
import { freePorts } from './servers/ports.ts'

const day = 24 * 3600 * 1000
/** What the cluster's own tokens are for, where nobody asks for an audience. */
const ownAudience = lane.cluster?.issuer ?? ''

describeWith(['own cluster'], 'doctor --remote', () => {
  let cluster: Cluster
  let programs: NginxPrograms
  let authority: Authority
  let namespace: string
  let token: string
  let idle: string
  let whole: RunningNginx
  const running: RunningNginx[] = []
  const said: string[] = []
  let mounts = 0

  const publish = async (over: Partial<Published> = {}): Promise<RunningNginx> => {
    const folder = path.join(lane.folder, `nginx-${running.length}`)
    const certificate = await authority.server(['127.0.0.1'])
    const upstream = lane.cluster?.server ?? ''
    const nginx = await startNginx(programs, folder, {
      certificate,
      paths: ['/api', '/apis'],
      upstream,
      trusted: lane.rootFile,
      ...over,
    })
    running.push(nginx)
    return nginx
  }

  type Given = { readonly port?: number; readonly token?: string; readonly ca?: string; readonly host?: string }
  type Seen = {
    readonly exit: number | null
    readonly verdict: string
    readonly failed: readonly string[]
    readonly says: string
    readonly text: string
  }
  /** Nothing but two variables and a folder: no kubeconfig, no HOME to find one in. */
  async function look(what: string, given: Given = {}): Promise<Seen> {
    mounts += 1
    const folder = path.join(lane.folder, `mount-${mounts}`)
    await mkdir(folder, { recursive: true })
    await writeFile(path.join(folder, 'token'), given.token ?? token)
    await writeFile(path.join(folder, 'ca.crt'), given.ca ?? authority.root)
    const { exit, stdout, stderr } = await runEntry(
      lane,
      ['doctor', '--remote', '--mounted-in', folder, '-o', 'json'],
      {
        KUBECONFIG: path.join(folder, 'no-kubeconfig'),
        HOME: folder,
        KUBERNETES_SERVICE_HOST: given.host ?? '127.0.0.1',
        KUBERNETES_SERVICE_PORT: String(given.port ?? whole.port),
      },
    )
    expect(`${stdout}${stderr}`, 'no part of a token is printed').not.toMatch(/eyJ[\w-]{10}/)
    const report: Json = stdout === '' ? {} : JSON.parse(stdout)
    const failed = listAt(report, 'steps').filter((one) => isObject(one) && one.status === 'fail')
    const says = failed.map((one) => textAt(one, 'says') ?? '').join('; ')
    said.push(`${what}: exit ${exit}; ${says || 'nothing'}`)
    const ids = failed.map((one) => textAt(one, 'id') ?? '')
    return { exit, verdict: textAt(report, 'verdict') ?? '', failed: ids, says, text: stdout }
  }

  beforeAll(async () => {
    cluster = clusterOf(lane)
    const { env } = process
    programs = await nginxPrograms({ root: cacheRoot(env), mirror: env.WI_LIVE_MIRROR, log: () => {} })
    authority = await makeAuthority('ingress-nginx-internal-root-ca')
    namespace = await cluster.namespace()
    for (const name of ['job', 'idle']) await cluster.serviceAccount(namespace, name)
    const rbac = 'rbac.authorization.k8s.io/v1'
    const role = { name: 'job', namespace }
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }]
    await cluster.objects.create({ apiVersion: rbac, kind: 'Role', metadata: role, rules } as never)
    const subjects = [{ kind: 'ServiceAccount', name: 'job', namespace }]
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'job' }
    await cluster.objects.create({ apiVersion: rbac, kind: 'RoleBinding', metadata: role, subjects, roleRef } as never)
    token = await cluster.token(namespace, 'job', ownAudience)
    idle = await cluster.token(namespace, 'idle', ownAudience)
    whole = await publish()
  }, 300_000)
  afterAll(async () => {
    process.stderr.write(
      `\nWhat was broken about the route of a remote job, and what the doctor said\n${said.join('\n')}\n\n`,
    )
    await Promise.all(running.map(({ stop }) => stop()))
    await cluster.clear()
  })

  it('is healthy through the route of the guide', async () => {
    const seen = await look('nothing')
    expect([seen.says, seen.verdict, seen.exit]).toEqual(['', 'healthy', 0])
    expect(seen.text).toContain(`ServiceAccount ${namespace}/job may do this in namespace ${namespace}`)
    expect(seen.text).toContain('get, list')
  })

  it('sees that a path is not published', async () => {
    const seen = await look('/apis is missing', { port: (await publish({ paths: ['/api'] })).port })
    expect([seen.failed, seen.exit]).toEqual([['/apis'], 1])
    expect(seen.says).toContain('/apis is not published: 404')
  })

  it('sees that a path is published without what is below it', async () => {
    const seen = await look('/api is published exactly', { port: (await publish({ paths: ['= /api', '/apis'] })).port })
    expect([seen.failed, seen.exit]).toEqual([['/api/v1'], 1])
  })

  it('sees that the CA is another one', async () => {
    const other = await makeAuthority('another-ca')
    const seen = await look('another CA is mounted', { ca: other.root })
    expect([seen.failed, seen.exit]).toEqual([['certificate'], 1])
    expect(seen.says).toContain('issued by CN=ingress-nginx-internal-root-ca, and ca.crt is CN=another-ca')
    const namesake = await makeAuthority('ingress-nginx-internal-root-ca')
    const renewed = await look('a CA of the same name is mounted', { ca: namesake.root })
    expect(renewed.says).toContain('another CA of the same name')
  })

  it('sees that the certificate has ended', async () => {
    const certificate = await authority.server(['127.0.0.1'], new Date(Date.now() - day / 2))
    const seen = await look('the certificate has ended', { port: (await publish({ certificate })).port })
    expect([seen.failed, seen.exit]).toEqual([['certificate'], 1])
    expect(seen.says).toContain('the certificate at 127.0.0.1 ended on ')
  })

  it('sees that the certificate is for another name', async () => {
    const certificate = await authority.server(['kube.example.com', '198.51.100.7'])
    const seen = await look('the certificate names others', { port: (await publish({ certificate })).port })
    expect([seen.failed, seen.exit]).toEqual([['certificate'], 1])
    expect(seen.says).toContain('names kube.example.com, 198.51.100.7, not 127.0.0.1')
  })

  it('sees that the port is another one', async () => {
    const [nobody = 0] = await freePorts(1)
    const refused = await look('nobody listens on the port', { port: nobody })
    expect([refused.failed, refused.says, refused.exit]).toEqual([
      ['reached'],
      `nobody listens on port ${nobody} of 127.0.0.1`,
      1,
    ])
    const { certificate: _, ...plain } = { certificate: undefined, paths: ['/api', '/apis'] }
    const folder = path.join(lane.folder, 'nginx-plain')
    const http = await startNginx(programs, folder, {
      ...plain,
      upstream: lane.cluster?.server ?? '',
      trusted: lane.rootFile,
    })
    running.push(http)
    const spoken = await look('the port speaks plain HTTP', { port: http.port })
    expect([spoken.failed, spoken.exit]).toEqual([['reached'], 1])
    expect(spoken.says).toContain('answers, but not in TLS')
  })

  it('sees that what is behind does not answer', async () => {
    const [nobody = 0] = await freePorts(1)
    const dead = await publish({ upstream: `https://127.0.0.1:${nobody}` })
    const seen = await look('the proxy leads nowhere', { port: dead.port })
    expect([seen.failed, seen.exit]).toEqual([['/api', '/apis'], 1])
    expect(seen.says).toContain('does not answer (502)')
  })

  it('sees that the token is for somebody else', async () => {
    const other = await cluster.token(namespace, 'job', 'sts.amazonaws.com')
    const seen = await look('the token is for STS', { token: other })
    expect([seen.failed, seen.exit]).toEqual([['accepted'], 1])
    expect(seen.says).toContain('it is for sts.amazonaws.com, and not for the API')
  })

  it('sees that the ServiceAccount is gone since', async () => {
    await cluster.serviceAccount(namespace, 'gone')
    const left = await cluster.token(namespace, 'gone', ownAudience)
    await cluster.core.deleteNamespacedServiceAccount({ namespace, name: 'gone' })
    const seen = await look('the ServiceAccount was deleted', { token: left })
    expect([seen.failed, seen.exit]).toEqual([['accepted'], 1])
    expect(seen.says).toContain('was deleted since')
  })

  it('sees that RBAC gives the ServiceAccount nothing', async () => {
    const seen = await look('no Role is bound', { token: idle })
    expect([seen.failed, seen.exit]).toEqual([['rules'], 1])
    expect(seen.says).toBe(
      `ServiceAccount ${namespace}/idle may do nothing in namespace ${namespace} but ask what it may do`,
    )
  })

  it('sees an empty token, and one that is cut off', async () => {
    expect((await look('the token is empty', { token: '' })).says).toContain('asked for a token and got none')
    expect((await look('the token is cut off', { token: token.slice(0, 40) })).failed).toEqual(['token'])
  })
})
