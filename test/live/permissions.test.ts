/** What `--show-permissions` prints, applied as it is: enough for the doctor to see what an administrator sees, and nothing that it does not ask for. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { askedByDoctor } from './audit.ts'
import { type Cloud, cloudOf, defaultAudience } from './cloud.ts'
import { type Cluster, clusterOf } from './cluster.ts'
import { type Diagnosis, diagnose, runEntry } from './doctor.ts'
import { describeWith, lane } from './running.ts'
import { healthyWorkload, injectedPod, type Workload } from './workload.ts'

type Rule = {
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
  readonly verbs: readonly string[]
}
type Role = { readonly kind: string; readonly rules: readonly Rule[] }

const apiVersion = 'rbac.authorization.k8s.io/v1'
const apiGroup = 'rbac.authorization.k8s.io'

/** What this cluster gives no occasion to ask, each with the reason; over the cases, law 7 has seen all of it asked. */
const noOccasion: { readonly [permission: string]: string } = {
  'get certificates.cert-manager.io': 'no cert-manager made the certificate of the webhook',
  'get customresourcedefinitions.apiextensions.k8s.io': 'no manifest of Cluster API is given',
  'list awsclustercontrolleridentities.infrastructure.cluster.x-k8s.io': 'no Cluster API runs here',
  'list awsclusterroleidentities.infrastructure.cluster.x-k8s.io': 'no Cluster API runs here',
  'list awsclusters.infrastructure.cluster.x-k8s.io': 'no Cluster API runs here',
  'list awsclusterstaticidentities.infrastructure.cluster.x-k8s.io': 'no Cluster API runs here',
  'list awsmanagedcontrolplanes.controlplane.cluster.x-k8s.io': 'no Cluster API runs here',
  'list rosaroleconfigs.infrastructure.cluster.x-k8s.io': 'no Cluster API runs here',
  'list clusterrolebindings.rbac.authorization.k8s.io': 'discovery is public',
  'list providerconfigs.aws.upbound.io': 'no Crossplane runs here',
  'list validatingwebhookconfigurations.admissionregistration.k8s.io': 'no webhook of EKS has siblings',
  'get csinodes.storage.k8s.io': 'no pod mounts a volume of a CSI driver',
  'get persistentvolumeclaims.': 'no pod mounts a claim',
  'get secretproviderclasses.secrets-store.csi.x-k8s.io': 'no pod mounts a class of the secrets store',
  'list certificates.cert-manager.io': 'interLink is not served here',
  'list certificatesigningrequests.certificates.k8s.io': 'no virtual node asks for a serving certificate',
  'list ciliumclusterwidenetworkpolicies.cilium.io': 'no workload is bound to Google Cloud',
  'list ciliumnetworkpolicies.cilium.io': 'no workload is bound to Google Cloud',
  'list clusterroles.rbac.authorization.k8s.io': 'no identity binding of Azure is used',
  'list clustersecretstores.external-secrets.io': 'no workload is bound to Azure',
  'list clustertriggerauthentications.keda.sh': 'no workload is bound to Azure',
  'list globalnetworkpolicies.crd.projectcalico.org': 'no workload is bound to Google Cloud',
  'list ingressclasses.networking.k8s.io': 'interLink is not served here',
  'list ingresses.networking.k8s.io': 'interLink is not served here',
  'list issuers.cert-manager.io': 'interLink is not served here',
  'list networkpolicies.crd.projectcalico.org': 'no workload is bound to Google Cloud',
  'list rolebindings.rbac.authorization.k8s.io': 'interLink is not served here',
  'list secretstores.external-secrets.io': 'no workload is bound to Azure',
  'list serviceentries.networking.istio.io': 'no workload is bound to Google Cloud',
  'list triggerauthentications.keda.sh': 'no workload is bound to Azure',
}

describeWith(['own cluster', 'cloud'], 'doctor with exactly the permissions that it says it needs', () => {
  let cluster: Cluster
  let cloud: Cloud
  let workload: Workload
  const known = lane.cluster
  const issuer = known?.issuer ?? ''
  const said: string[] = []
  const used = new Set<string>()
  const granted = new Set<string>()

  beforeAll(async () => {
    cluster = clusterOf(lane)
    cloud = cloudOf(lane)
    await cluster.alone()
    await cloud.registerProvider(issuer, [defaultAudience], known?.keys.map(({ thumbprint }) => thumbprint) ?? [])
    workload = await healthyWorkload(cluster, cloud, issuer)
    await surroundings()
  })
  afterAll(async () => {
    process.stderr.write(`\nWhat was granted, and what the doctor asked\n${said.join('\n')}\n\n`)
    await cluster.objects.delete({ ...webhook, metadata: { name: webhookName } }).catch(() => undefined)
    await cluster.core.deleteNode({ name: nodeName }).catch(() => undefined)
    await cloud.removeProvider(issuer)
    cloud.close()
    await cluster.clear()
  })

  const nodeName = 'wi-live-node'
  const agentVariables = [
    { name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/v1/credentials' },
    { name: 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', value: '/var/run/secrets/token' },
  ]
  const webhookName = 'wi-live-pod-identity-webhook'
  const webhook = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration' }

  /** What gives the doctor more to look into: a webhook that runs in the cluster, variables from elsewhere, a policy, a node. */
  async function surroundings(): Promise<void> {
    const { namespace, arn } = workload
    const elsewhere = await cluster.namespace()
    const labels = { app: 'pod-identity-webhook' }
    const ports = [{ port: 443, targetPort: 8443 }]
    await cluster.core.createNamespacedService({
      namespace: elsewhere,
      body: { metadata: { name: 'pod-identity-webhook' }, spec: { selector: labels, ports } },
    })
    await cluster.objects.create({
      ...{ ...webhook, metadata: { name: webhookName } },
      webhooks: [
        {
          name: 'pod-identity-webhook.amazonaws.com',
          clientConfig: { service: { namespace: elsewhere, name: 'pod-identity-webhook', path: '/mutate' } },
          rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
          ...{ failurePolicy: 'Ignore', sideEffects: 'None', admissionReviewVersions: ['v1'], timeoutSeconds: 1 },
        },
      ],
    } as never)
    await cluster.serviceAccount(namespace, 'till', { 'eks.amazonaws.com/role-arn': arn })
    const { spec, metadata } = injectedPod('till', arn)
    const containers = (spec?.containers ?? []).map((one) => ({
      ...one,
      envFrom: [{ secretRef: { name: 'till' } }, { configMapRef: { name: 'till' } }],
    }))
    await cluster.core.createNamespacedPod({ namespace, body: { metadata, spec: { ...spec, containers } } as never })
    await cluster.serviceAccount(namespace, 'agent')
    await cluster.core.createNode({ body: { metadata: { name: nodeName } } })
    await cluster.core.createNamespacedPod({
      namespace,
      body: {
        metadata: { name: 'agent' },
        spec: {
          ...{ serviceAccountName: 'agent', nodeName },
          containers: [{ name: 'main', image: 'registry.example.com/cart:1', env: agentVariables }],
        },
      },
    })
    await cluster.objects.create({
      ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { namespace, name: 'till' } },
      spec: {
        podSelector: {},
        policyTypes: ['Egress'],
        egress: [
          { to: [{ ipBlock: { cidr: '0.0.0.0/0' } }], ports: [{ port: 443 }] },
          {
            to: [{ namespaceSelector: { matchLabels: { name: 'kube-system' } } }],
            ports: [{ protocol: 'UDP', port: 53 }],
          },
        ],
      },
    } as never)
  }

  /** Gives a new user the role of this text, and waits until it is in force. */
  async function userWithText(name: string, text: string): Promise<string> {
    const documents: readonly Role[] = parseAllDocuments(text).map((one) => one.toJS())
    expect(documents.map(({ kind }) => kind)).toEqual(['ClusterRole'])
    for (const role of documents) {
      for (const one of permissionsIn(role)) granted.add(one)
      await cluster.objects.create({ ...role, metadata: { name } } as never)
    }
    await cluster.objects.create({
      ...{ apiVersion, kind: 'ClusterRoleBinding', metadata: { name } },
      roleRef: { apiGroup, kind: 'ClusterRole', name },
      subjects: [{ apiGroup, kind: 'User', name }],
    } as never)
    const spec = { user: name, resourceAttributes: { verb: 'list', group: '', resource: 'pods' } }
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec }
    for (const end = Date.now() + 10_000; ; ) {
      const { status } = JSON.parse(JSON.stringify(await cluster.objects.create(review as never)))
      if (status.allowed === true) return name
      if (Date.now() > end) throw new Error(`the rules of ${name} are not in force after 10 s`)
      await new Promise((done) => setTimeout(done, 50))
    }
  }

  const permissionsIn = ({ rules }: Role): readonly string[] =>
    rules.flatMap(({ apiGroups = [''], resources = [], nonResourceURLs = [], verbs }) =>
      verbs.flatMap((verb) => [
        ...nonResourceURLs.map((path) => `${verb} ${path}`),
        ...resources.map((resource) => `${verb} ${resource}.${apiGroups[0] ?? ''}`),
      ]),
    )

  const words = ({ findings }: Diagnosis): readonly string[] =>
    findings.map(({ check, status, raw }) => `${check} ${status} ${JSON.stringify(subjectOf(raw))}`).sort()
  const subjectOf = (raw: object | null | string | number | boolean): unknown =>
    typeof raw === 'object' && raw !== null && 'subject' in raw ? raw.subject : undefined

  async function compare(what: string, args: readonly string[]): Promise<void> {
    const whole = await diagnose(lane, args)
    const { stdout, exit } = await runEntry(lane, ['doctor', '--show-permissions', ...args])
    expect(exit).toBe(0)
    const user = await userWithText(`shown-${what.replaceAll(' ', '-')}`, stdout)
    const seen = await diagnose(lane, [...args, '--as', user])
    for (const { verb, resource, group, path, user: who } of await askedByDoctor(lane))
      if (who === user)
        used.add(resource === undefined ? `${verb} ${path.split('?')[0]}` : `${verb} ${resource}.${group}`)
    const unknown = seen.findings.filter(({ status }) => status === 'unknown').length
    said.push(`${what}: ${seen.verdict} as an administrator's ${whole.verdict}; ${unknown} unknown`)
    expect(words(seen), seen.stderr).toEqual(words(whole))
    expect(seen.findings.map(({ lift }) => lift).filter((lift) => lift.includes('RBAC:'))).toEqual([])
  }

  it('sees one ServiceAccount as an administrator does', () => compare('one', ['sa/cart', '-n', workload.namespace]))
  it('sees a namespace as an administrator does', () => compare('namespace', ['-n', workload.namespace]))
  it('sees the whole cluster as an administrator does', () => compare('cluster', ['-A']))
  it('sees as much as an administrator who mints no token', () =>
    compare('no token', ['-n', workload.namespace, '--no-exchange']))

  it('was granted nothing that it did not ask for', () => {
    const unused = [...granted].filter((one) => !used.has(one)).sort()
    said.push(`asked for: ${[...used].sort().join(', ')}`, `not asked for here: ${unused.join(', ')}`)
    expect(unused).toEqual(Object.keys(noOccasion).sort())
  })
})
