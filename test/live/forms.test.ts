/** The two forms of a list on a real API server: what is picked from protobuf is what is picked from JSON, field for field. */
import type { V1Pod, V1ServiceAccount, V1Volume } from '@kubernetes/client-node'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isObject, type Json, textAt } from '../../src/core/json.ts'
import { type ApiServer, connect } from '../../src/sources/live/api-server.ts'
import { formatOf } from '../../src/sources/live/list-format.ts'
import { unpack } from '../../src/sources/live/wire.ts'
import { type Cluster, clusterOf } from './cluster.ts'
import { describeWith, lane } from './running.ts'

/** Every type of volume that the oldest served version takes. */
const volumes: readonly V1Volume[] = [
  { name: 'nothing' },
  { name: 'empty', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
  { name: 'host', hostPath: { path: '/var/log', type: 'DirectoryOrCreate' } },
  { name: 'host-bare', hostPath: { path: '/opt' } },
  { name: 'gce', gcePersistentDisk: { pdName: 'disk', readOnly: true } },
  { name: 'ebs', awsElasticBlockStore: { volumeID: 'vol-1', partition: 2 } },
  { name: 'git', gitRepo: { repository: 'https://git.example.com/r' } },
  { name: 'secret', secret: { secretName: 'keys', optional: true, items: [{ key: 'a', path: 'b' }] } },
  { name: 'secret-needed', secret: { secretName: 'keys', optional: false } },
  { name: 'nfs', nfs: { server: 'nfs.example.com', path: '/exports', readOnly: true } },
  { name: 'iscsi', iscsi: { targetPortal: '10.0.0.1:3260', iqn: 'iqn.2001-04.com.example:disk', lun: 0 } },
  { name: 'gluster', glusterfs: { endpoints: 'gluster', path: 'volume' } },
  { name: 'claim', persistentVolumeClaim: { claimName: 'data', readOnly: true } },
  { name: 'rbd', rbd: { monitors: ['10.0.0.2:6789'], image: 'image', readOnly: true } },
  { name: 'flex', flexVolume: { driver: 'example.com/driver', options: { key: 'not for a check' } } },
  { name: 'cinder', cinder: { volumeID: 'vol-2' } },
  { name: 'ceph', cephfs: { monitors: ['10.0.0.3:6789'], path: '/shared' } },
  { name: 'flocker', flocker: { datasetName: 'data' } },
  { name: 'downward', downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
  { name: 'fc', fc: { targetWWNs: ['500a0982991b8dc5'], lun: 2, readOnly: true } },
  { name: 'azure-file', azureFile: { secretName: 'share', shareName: 'share' } },
  { name: 'config', configMap: { name: 'settings', optional: true } },
  { name: 'config-needed', configMap: { name: 'settings' } },
  { name: 'vsphere', vsphereVolume: { volumePath: '[store] path' } },
  { name: 'quobyte', quobyte: { registry: 'registry:7861', volume: 'volume', readOnly: true } },
  { name: 'azure-disk', azureDisk: { diskName: 'disk', diskURI: 'https://disks.example.com/1', readOnly: false } },
  { name: 'portworx', portworxVolume: { volumeID: 'vol-3', readOnly: true } },
  { name: 'scale-io', scaleIO: { gateway: 'https://gateway', system: 's', secretRef: { name: 'x' }, volumeName: 'v' } },
  { name: 'storageos', storageos: { volumeName: 'vol-4', readOnly: true } },
  { name: 'csi', csi: { driver: 'secrets-store.csi.k8s.io', readOnly: false, volumeAttributes: { token: 'hidden' } } },
  { name: 'csi-bare', csi: { driver: 'example.csi.k8s.io' } },
  {
    name: 'projected',
    projected: {
      defaultMode: 0o400,
      sources: [
        { serviceAccountToken: { audience: 'sts.amazonaws.com', expirationSeconds: 86_400, path: 'token' } },
        { serviceAccountToken: { path: 'own' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { configMap: { name: 'maybe', optional: true } },
        { secret: { name: 'keys', optional: false } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
      ],
    },
  },
  { name: 'projected-zero', projected: { defaultMode: 0, sources: [{ secret: { name: 'keys' } }] } },
]

const whole: V1Pod = {
  metadata: {
    name: 'whole',
    labels: { app: 'whole', empty: '' },
    annotations: { 'example.com/text': 'Grüße, 世界 🚀', 'example.com/long': 'x'.repeat(3000), empty: '' },
  },
  spec: {
    serviceAccountName: 'default',
    automountServiceAccountToken: false,
    hostNetwork: true,
    nodeName: 'node-1',
    nodeSelector: { 'kubernetes.io/os': 'linux', zone: '' },
    securityContext: { runAsUser: 0, runAsGroup: 2_147_483_647, fsGroup: 0, supplementalGroups: [0, 65_534] },
    tolerations: [
      { operator: 'Exists' },
      { key: 'spot', operator: 'Equal', value: 'true', effect: 'NoExecute', tolerationSeconds: -5 },
      { key: 'zero', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 0 },
    ],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'kubernetes.io/os', operator: 'In', values: ['linux', 'windows'] }] },
            { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node-1'] }] },
          ],
        },
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 1, preference: { matchExpressions: [{ key: 'gpu', operator: 'DoesNotExist' }] } },
        ],
      },
    },
    volumes: [...volumes],
    initContainers: [{ name: 'first', image: 'registry.example.com/first:1', command: ['sh', '-c', 'true'] }],
    containers: [
      {
        name: 'main',
        image: 'registry.example.com/main:1',
        command: ['/bin/main', '--service-account-issuer=https://issuer.example.com'],
        args: ['--annotation-prefix', 'eks.amazonaws.com', '-v'],
        resources: { limits: { memory: '1.5Gi', cpu: '0.1' }, requests: { memory: '1Gi' } },
        securityContext: { runAsUser: 1000, runAsGroup: 0, runAsNonRoot: false },
        ports: [{ containerPort: 8080 }],
        livenessProbe: { httpGet: { path: '/', port: 'http' } },
        envFrom: [
          { prefix: 'P_', configMapRef: { name: 'settings', optional: true } },
          { secretRef: { name: 'keys', optional: false } },
          { secretRef: { name: 'others' } },
        ],
        env: [
          { name: 'EMPTY' },
          { name: 'AWS_REGION', value: 'eu-west-1' },
          { name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::111122223333:role/größe' },
          { name: 'PASSWORD', value: 'hidden' },
          { name: 'HTTPS_PROXY', value: 'http://user:hidden@proxy.example.com:3128' },
          { name: 'FIELD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'LIMIT', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
          { name: 'CONFIG', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a', optional: false } } },
          { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'keys', key: 'b', optional: true } } },
          { name: 'NEEDED', valueFrom: { secretKeyRef: { name: 'keys', key: 'c' } } },
        ],
        volumeMounts: [
          { name: 'projected', mountPath: '/var/run/secrets/aws', readOnly: true },
          { name: 'empty', mountPath: '/tmp', subPath: 'a' },
          { name: 'host', mountPath: '/log', subPathExpr: '$(FIELD)' },
        ],
      },
      { name: 'bare', image: 'registry.example.com/bare:1', securityContext: {} },
    ],
  },
}

const accounts: readonly V1ServiceAccount[] = [
  { metadata: { name: 'bare' } },
  {
    metadata: { name: 'whole', labels: { app: 'whole' }, annotations: { 'eks.amazonaws.com/role-arn': 'arn:größe' } },
    automountServiceAccountToken: false,
    secrets: [{ name: 'one' }, { name: 'two', kind: 'Secret' }],
    imagePullSecrets: [{ name: 'pull' }],
  },
  { metadata: { name: 'mounting' }, automountServiceAccountToken: true },
]

describeWith(['cluster'], 'a list in both forms', () => {
  let cluster: Cluster
  let api: ApiServer
  let namespace = ''

  beforeAll(async () => {
    cluster = clusterOf(lane)
    api = await connect({ kubeconfig: lane.cluster?.kubeconfig }, { env: lane.env })
    namespace = await cluster.namespace()
    const uids: string[] = []
    for (const body of accounts)
      uids.push((await cluster.core.createNamespacedServiceAccount({ namespace, body })).metadata?.uid ?? '')
    // Owners that are not there would have the pod collected.
    const owner = (index: number) => ({
      ...{ apiVersion: 'v1', kind: 'ServiceAccount' },
      ...{ name: accounts[index]?.metadata?.name ?? '', uid: uids[index] ?? '' },
    })
    const ownerReferences = [{ ...owner(0), controller: true }, { ...owner(1), controller: false }, owner(2)]
    await cluster.core.createNamespacedPod({
      namespace,
      body: { ...whole, metadata: { ...whole.metadata, ownerReferences } },
    })
    const plain: V1Pod = {
      metadata: { name: 'killed' },
      spec: {
        containers: [
          { name: 'main', image: 'registry.example.com/main:1', resources: { limits: { memory: '128Mi' } } },
        ],
      },
    }
    const made = await cluster.core.createNamespacedPod({ namespace, body: plain })
    const terminated = { exitCode: 137, reason: 'OOMKilled', finishedAt: new Date(0) }
    await cluster.core.replaceNamespacedPodStatus({
      name: 'killed',
      namespace,
      body: {
        ...made,
        status: {
          phase: 'Running',
          containerStatuses: [
            {
              ...{ name: 'main', image: '', imageID: '', ready: false, restartCount: 1 },
              lastState: { terminated },
              state: { running: { startedAt: new Date(1000) } },
            },
          ],
        },
      },
    })
    const mounter: V1Pod = {
      metadata: { name: 'mounting' },
      spec: {
        initContainers: [{ name: 'first', image: 'registry.example.com/first:1' }],
        containers: [{ name: 'main', image: 'registry.example.com/s3fs:1', command: ['s3fs', 'bucket', '/mnt', '-f'] }],
      },
    }
    const mounting = await cluster.core.createNamespacedPod({ namespace, body: mounter })
    const status = (name: string, ready: boolean) => ({ name, ready, image: '', imageID: '', restartCount: 0 })
    await cluster.core.replaceNamespacedPodStatus({
      name: 'mounting',
      namespace,
      body: {
        ...mounting,
        status: {
          phase: 'Running',
          containerStatuses: [status('main', false)],
          initContainerStatuses: [status('first', true)],
        },
      },
    })
  })
  afterAll(async () => {
    api?.close()
    await cluster.clear()
  })

  const read = async (resource: string, as: string): Promise<{ readonly type: string; readonly items: Json[] }> => {
    const format = formatOf(as)
    const path = `/api/v1/namespaces/${namespace}/${resource}?limit=1000`
    const reply = await api.send(path, { packed: true, accept: format.accept })
    const plain = 'trouble' in reply ? reply : await unpack(reply, 1 << 26)
    if ('trouble' in plain) throw new Error(plain.detail)
    const items = format.open(plain).read()?.items
    if (items === undefined) throw new Error('the list was not understood')
    return { type: plain.headers['content-type'] ?? '', items: [...items] }
  }

  for (const [resource, count] of [
    ['serviceaccounts', accounts.length],
    ['pods', 3],
  ] as const)
    it(`${resource} are the same`, async () => {
      const packed = await read(resource, resource)
      // Any kind that has no table of messages is read as JSON.
      const json = await read(resource, 'json')
      expect(packed.type).toContain('protobuf')
      expect(json.type).toContain('json')
      expect(packed.items.filter((one) => textAt(one, 'metadata', 'name') !== 'default')).toHaveLength(count)
      expect(packed.items).toStrictEqual(json.items)
      expect(packed.items.every((one) => isObject(one) && isObject(one.metadata))).toBe(true)
    })

  it('a refusal is read in either form', async () => {
    const reply = await api.send('/api/v1/namespaces/none/pods?continue=nonsense', { accept: formatOf('pods').accept })
    const { inJson } = await import('../../src/sources/live/list-format.ts')
    if ('trouble' in reply) throw new Error(reply.detail)
    expect(reply.status).toBe(400)
    expect(JSON.parse(inJson(reply).body.toString('utf8'))).toMatchObject({ kind: 'Status', reason: 'BadRequest' })
  })
})
