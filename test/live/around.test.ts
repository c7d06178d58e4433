/** What stands around a cluster, read from the real API server: who may enter an EKS cluster, and nodes as their cloud knows them. */
import 'reflect-metadata'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { CertificatesV1Api, KubeConfig } from '@kubernetes/client-node'
import * as x509 from '@peculiar/x509'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Cluster, clusterOf } from './cluster.ts'
import { type Diagnosis, diagnose, runEntry } from './doctor.ts'
import { describeWith, lane } from './running.ts'

const account = '111122223333'
const taint = 'node.cloudprovider.kubernetes.io/uninitialized'
const minute = 60_000

describeWith(['own cluster'], 'doctor on aws-auth and on nodes', () => {
  let cluster: Cluster
  const said: string[] = []
  const nodes = ['ip-10-0-1-1', 'ip-10-0-1-2', 'ip-10-0-1-3', 'ip-10-0-1-4']
  const virtual = 'slurm-node'
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'wi-live-virtual-node' },
  }
  const place = { name: 'aws-auth', namespace: 'kube-system' }

  beforeAll(() => {
    cluster = clusterOf(lane)
  })
  afterAll(async () => {
    process.stderr.write(`\nWhat was wrong around the cluster, and what the doctor said\n${said.join('\n')}\n\n`)
    await Promise.allSettled([
      cluster.objects.delete(binding),
      cluster.core.deleteNamespacedConfigMap(place),
      ...[...nodes, virtual].map((name) => cluster.core.deleteNode({ name })),
      cluster.config.makeApiClient(CertificatesV1Api).deleteCertificateSigningRequest({ name: virtual }),
    ])
  })

  const tell = (what: string, seen: Diagnosis): void => {
    const fails = seen.findings.filter(({ status }) => status === 'fail')
    said.push(`${what}: ${fails.map(({ check, message }) => `${check}: ${message}`).join('; ') || 'nothing'}`)
  }

  it('reads the texts of aws-auth as the API server serves them, entry by entry', async () => {
    // That it is a cluster of EKS no API server says; whose it is stands in what aws eks describe-cluster prints.
    const file = path.join(lane.folder, 'eks.json')
    const arn = `arn:aws:eks:us-east-1:${account}:cluster/live`
    await writeFile(
      file,
      JSON.stringify({ cluster: { name: 'live', arn, accessConfig: { authenticationMode: 'CONFIG_MAP' } } }),
    )
    const look = () =>
      diagnose(lane, [
        '-A',
        '-f',
        file,
        '--overlay',
        '--check',
        'eks/aws-auth-entries-can-match',
        '--check',
        'eks/cluster-admins-are-few',
      ])
    const entry = (name: string, groups: string): string =>
      `- rolearn: arn:aws:iam::${account}:role/${name}\n  username: ${name.split('/').at(-1)}\n  groups: [${groups}]\n`
    const write = async (mapRoles: string): Promise<void> => {
      await cluster.core.deleteNamespacedConfigMap(place).catch(() => undefined)
      await cluster.core.createNamespacedConfigMap({
        namespace: place.namespace,
        body: { metadata: place, data: { mapRoles } },
      })
    }
    await write(entry('deployer', 'deployers'))
    const healthy = await look()
    expect(healthy.ids('fail')).toEqual([])
    expect(healthy.of('eks/aws-auth-entries-can-match').map(({ status }) => status)).toEqual(['pass'])

    await write(`${entry('deployer', 'deployers')}${entry('teams/shop/reader', 'readers')}`)
    const path_ = await look()
    tell('a role is mapped with its path', path_)
    expect(
      path_
        .of('eks/aws-auth-entries-can-match')
        .map(({ message }) => message)
        .join(),
    ).toContain(`callers arrive as arn:aws:iam::${account}:role/reader`)
    await write(`${entry('deployer', 'deployers')}  nonsense: [\n`)
    const broken = await look()
    tell('the text does not parse', broken)
    expect(
      broken
        .of('eks/aws-auth-entries-can-match')
        .map(({ message }) => message)
        .join(),
    ).toContain('mapRoles does not parse')

    await write(entry('deployer', 'system:masters'))
    const masters = await look()
    tell('a role is mapped to system:masters', masters)
    expect(
      masters
        .of('eks/cluster-admins-are-few')
        .map(({ message }) => message)
        .join(),
    ).toContain('system:masters')
  })

  it('reads providerID, taints and heartbeats of nodes', async () => {
    const make = async (name: string, spec: object): Promise<void> => {
      await cluster.core.createNode({ body: { metadata: { name }, spec } })
    }
    const [initialised = '', bare = '', waiting = '', stopped = ''] = nodes
    await make(initialised, { providerID: 'aws:///us-east-1a/i-0a1b2c3d4e5f60718' })
    await make(bare, {})
    await make(waiting, { taints: [{ key: taint, value: 'true', effect: 'NoSchedule' }] })
    await make(stopped, {
      providerID: 'aws:///us-east-1a/i-0a1b2c3d4e5f60719',
      taints: [{ key: 'node.cloudprovider.kubernetes.io/shutdown', effect: 'NoSchedule' }],
    })
    const look = async (name: string, what: string): Promise<Diagnosis> => {
      const seen = await diagnose(lane, [`node/${name}`, '--check', 'cloud-provider/node-is-initialized'])
      tell(what, seen)
      return seen
    }
    const own = (seen: Diagnosis) =>
      seen.of('cloud-provider/node-is-initialized').map(({ status, message }) => `${status} ${message}`)
    expect(own(await look(initialised, 'nothing'))).toEqual([expect.stringMatching(/^pass/)])
    expect(own(await look(bare, 'a node has no providerID'))).toEqual([`fail node ${bare} has no providerID`])
    expect(own(await look(stopped, 'a machine is shut down'))).toEqual([
      expect.stringContaining('cloudprovider.kubernetes.io/shutdown'),
    ])
    // It is a moment old, and may still be taken in.
    expect(own(await look(waiting, 'a node is new'))).toEqual([expect.stringMatching(/^unknown/)])
    const beat = new Date(Date.now() + 10 * minute)
    const conditions = [{ type: 'Ready', status: 'True', lastHeartbeatTime: beat, lastTransitionTime: beat }]
    const node = await cluster.core.readNode({ name: waiting })
    await cluster.core.replaceNodeStatus({ name: waiting, body: { ...node, status: { ...node.status, conditions } } })
    expect(own(await look(waiting, 'a node has waited for ten minutes'))).toEqual([
      expect.stringMatching(
        /^fail node ip-10-0-1-3 has kept node\.cloudprovider\.kubernetes\.io\/uninitialized for (?:9|10) minutes/,
      ),
    ])
  })

  it('approves the one request of a virtual node, as kubectl certificate approve does', async () => {
    const name = virtual
    const key = await globalThis.crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
      'sign',
      'verify',
    ])
    const asked = await x509.Pkcs10CertificateRequestGenerator.create({
      name: `O=system:nodes, CN=system:node:${name}`,
      keys: key,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }])],
    })
    await cluster.core.createNode({
      body: {
        metadata: { name },
        spec: { taints: [{ key: 'virtual-node.interlink/no-schedule', effect: 'NoSchedule' }] },
      },
    })
    await cluster.objects.create({
      ...binding,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node-bootstrapper' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: `system:node:${name}` }],
    } as never)
    const config = new KubeConfig()
    config.loadFromFile(lane.cluster?.kubeconfig ?? '')
    const user = config.getCurrentUser()
    // The API server writes down who asks; the lane's administrator may ask as the node.
    const node = { ...(user ?? { name: 'admin' }), impersonateUser: `system:node:${name}` }
    config.loadFromClusterAndUser(
      config.getCurrentCluster() ?? { name: 'live', server: '', skipTLSVerify: false },
      node,
    )
    const requests = config.makeApiClient(CertificatesV1Api)
    const spec = {
      request: Buffer.from(asked.toString('pem')).toString('base64'),
      signerName: 'kubernetes.io/kubelet-serving',
      usages: ['digital signature', 'server auth'],
    }
    await requests.createCertificateSigningRequest({ body: { metadata: { name: virtual }, spec } })
    const only = ['--only', 'interlink/serving-certificate-is-approved', '--fail-on', 'warning']
    const fixed = await runEntry(lane, ['fix', `node/${name}`, ...only, '--apply', '--yes', '--wait', '1s'])
    said.push(
      `a request waits for approval: ${fixed.stderr.split('\n').find((line) => line.includes('done')) ?? fixed.stderr}`,
    )
    expect(fixed.stderr.replaceAll(/\s+/g, ' ')).toContain(
      `✓ done: Approve CertificateSigningRequest ${virtual}, by which system:node:${name} asks`,
    )
    const approved = await cluster.config
      .makeApiClient(CertificatesV1Api)
      .readCertificateSigningRequest({ name: virtual })
    expect(approved.status?.conditions?.map(({ type, reason }) => `${type} ${reason}`)).toEqual([
      'Approved KubectlWiApprove',
    ])
  })
})
