/** A cluster of any size as the Kubernetes API would tell it: realistic objects, managed fields and all, the same every time. */
import { account, hex, managed, meta, namespaceOf, namespaces, uid } from './marks.ts'

export type Size = { readonly serviceAccounts: number; readonly pods: number }

const serviceAccountName = (index: number): string => `app-${String(index).padStart(5, '0')}`

// Two of five have a cloud identity, as on a cluster where the platform's own workloads and half the teams use one.
const hasRole = (index: number): boolean => index % 5 < 2

export const serviceAccount = (index: number): object => {
  const own = meta(index)
  const name = serviceAccountName(index)
  return {
    metadata: {
      name,
      namespace: namespaceOf(index),
      ...own,
      labels: {
        'app.kubernetes.io/name': name,
        'app.kubernetes.io/instance': name,
        'app.kubernetes.io/managed-by': 'Helm',
        'helm.sh/chart': 'app-1.4.2',
      },
      annotations: {
        'meta.helm.sh/release-name': name,
        'meta.helm.sh/release-namespace': namespaceOf(index),
        ...(hasRole(index) ? { 'eks.amazonaws.com/role-arn': `arn:aws:iam::${account}:role/${name}` } : {}),
      },
      managedFields: [
        managed('helm', own.creationTimestamp, {
          'f:metadata': {
            'f:annotations': {
              '.': {},
              'f:eks.amazonaws.com/role-arn': {},
              'f:meta.helm.sh/release-name': {},
              'f:meta.helm.sh/release-namespace': {},
            },
            'f:labels': {
              '.': {},
              'f:app.kubernetes.io/instance': {},
              'f:app.kubernetes.io/name': {},
              'f:helm.sh/chart': {},
            },
          },
        }),
      ],
    },
  }
}

const tokenVolume = {
  name: 'aws-iam-token',
  projected: {
    defaultMode: 420,
    sources: [{ serviceAccountToken: { audience: 'sts.amazonaws.com', expirationSeconds: 86400, path: 'token' } }],
  },
}

const apiVolume = (name: string): object => ({
  name,
  projected: {
    defaultMode: 420,
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
  },
})

const injected = (role: string): readonly object[] => [
  { name: 'AWS_STS_REGIONAL_ENDPOINTS', value: 'regional' },
  { name: 'AWS_DEFAULT_REGION', value: 'us-west-2' },
  { name: 'AWS_REGION', value: 'us-west-2' },
  { name: 'AWS_ROLE_ARN', value: `arn:aws:iam::${account}:role/${role}` },
  { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token' },
]

const condition = (type: string, at: string): object => ({
  type,
  status: 'True',
  lastProbeTime: null,
  lastTransitionTime: at,
})

const podFields = {
  'f:metadata': {
    'f:generateName': {},
    'f:labels': { '.': {}, 'f:app.kubernetes.io/name': {}, 'f:pod-template-hash': {} },
    'f:ownerReferences': { '.': {}, 'k:{"uid":"0"}': {} },
  },
  'f:spec': {
    'f:containers': { 'k:{"name":"app"}': { '.': {}, 'f:image': {}, 'f:name': {}, 'f:resources': {} } },
    'f:dnsPolicy': {},
    'f:restartPolicy': {},
    'f:securityContext': {},
    'f:serviceAccountName': {},
  },
}

const statusFields = {
  'f:status': {
    'f:conditions': { 'k:{"type":"Ready"}': { '.': {}, 'f:lastProbeTime': {}, 'f:status': {}, 'f:type': {} } },
    'f:containerStatuses': {},
    'f:hostIP': {},
    'f:phase': {},
    'f:podIP': {},
    'f:startTime': {},
  },
}

export const pod = (index: number, size: Size): object => {
  const owner = index % size.serviceAccounts
  const app = serviceAccountName(owner)
  const own = meta(1_000_000 + index)
  const template = hex(owner, 10)
  const role = hasRole(owner)
  const at = own.creationTimestamp
  const access = `kube-api-access-${hex(index, 5)}`
  const image = `${account}.dkr.ecr.us-west-2.amazonaws.com/${app}:1.${index % 40}.0`
  return {
    metadata: {
      name: `${app}-${template}-${hex(index, 5)}`,
      generateName: `${app}-${template}-`,
      namespace: namespaceOf(owner),
      ...own,
      labels: { 'app.kubernetes.io/name': app, 'app.kubernetes.io/instance': app, 'pod-template-hash': template },
      annotations: {
        'prometheus.io/scrape': 'true',
        'prometheus.io/port': '8080',
        'kubectl.kubernetes.io/restartedAt': at,
      },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: `${app}-${template}`,
          uid: uid(2_000_000 + owner),
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      managedFields: [
        managed('kube-controller-manager', at, podFields),
        managed('kubelet', at, statusFields, 'status'),
      ],
    },
    spec: {
      volumes: [...(role ? [tokenVolume] : []), apiVolume(access)],
      containers: [
        {
          name: 'app',
          image,
          ports: [{ containerPort: 8080, protocol: 'TCP' }],
          env: [{ name: 'LOG_LEVEL', value: 'info' }, ...(role ? injected(app) : [])],
          resources: { limits: { memory: '256Mi' }, requests: { cpu: '100m', memory: '256Mi' } },
          volumeMounts: [
            { name: access, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
            ...(role
              ? [
                  {
                    name: 'aws-iam-token',
                    readOnly: true,
                    mountPath: '/var/run/secrets/eks.amazonaws.com/serviceaccount',
                  },
                ]
              : []),
          ],
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          imagePullPolicy: 'IfNotPresent',
        },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      serviceAccountName: app,
      serviceAccount: app,
      nodeName: `ip-10-0-${index % 200}-1.us-west-2.compute.internal`,
      securityContext: {},
      schedulerName: 'default-scheduler',
      tolerations: [
        { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
        { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      ],
      priority: 0,
      enableServiceLinks: true,
      preemptionPolicy: 'PreemptLowerPriority',
    },
    status: {
      phase: 'Running',
      conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) =>
        condition(type, at),
      ),
      hostIP: `10.0.${index % 200}.1`,
      hostIPs: [{ ip: `10.0.${index % 200}.1` }],
      podIP: `10.1.${index % 250}.${index % 199}`,
      podIPs: [{ ip: `10.1.${index % 250}.${index % 199}` }],
      startTime: at,
      containerStatuses: [
        {
          name: 'app',
          state: { running: { startedAt: at } },
          lastState: {},
          ready: true,
          restartCount: index % 3,
          image,
          imageID: `${account}.dkr.ecr.us-west-2.amazonaws.com/${app}@sha256:${hex(owner, 64)}`,
          containerID: `containerd://${hex(index, 64)}`,
          started: true,
        },
      ],
      qosClass: 'Burstable',
    },
  }
}

const nodes = 200

const node = (index: number): object => ({
  metadata: {
    name: `ip-10-0-${index}-1.us-west-2.compute.internal`,
    ...meta(3_000_000 + index),
    labels: { 'kubernetes.io/os': 'linux' },
  },
  spec: { providerID: `aws:///us-west-2a/i-${hex(index, 17)}` },
  status: {
    nodeInfo: {
      kubeletVersion: 'v1.33.1-eks-0',
      osImage: 'Amazon Linux 2023',
      operatingSystem: 'linux',
      architecture: 'amd64',
    },
  },
})

const namespace = (index: number): object => ({
  metadata: {
    name: namespaceOf(index),
    ...meta(4_000_000 + index),
    labels: { 'kubernetes.io/metadata.name': namespaceOf(index) },
  },
  spec: { finalizers: ['kubernetes'] },
  status: { phase: 'Active' },
})

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))

// Each item as its own text: the stand-in joins them into pages of whatever size it is asked for.
export const cluster = (size: Size): ReadonlyMap<string, readonly string[]> =>
  new Map(
    Object.entries({
      '/api/v1/serviceaccounts': times(size.serviceAccounts, serviceAccount),
      '/api/v1/pods': times(size.pods, (index) => pod(index, size)),
      '/api/v1/nodes': times(nodes, node),
      '/api/v1/namespaces': times(namespaces, namespace),
    }).map(([path, items]) => [path, items.map((item) => JSON.stringify(item))]),
  )
