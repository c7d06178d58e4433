/** The API server can call the identity webhook. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { callTroubleIn, noCertificate, noEndpoints, slow } from '../../domain/webhook-errors.ts'
import { observedErrors } from '../../probes/cluster/observed-errors.ts'
import { type Behind, privateNodePorts, privateNodes, webhookService } from '../../probes/cluster/webhook-service.ts'
import { webhookConfiguration } from '../../probes/cluster/webhooks.ts'

const called = /(?:failed calling webhook "|failing open )([\w.-]{1,253})[":]/i
const mayNot =
  /User "(system:serviceaccount:([^:"]{1,63}):[^"]{1,253})" cannot (list|watch) resource "serviceaccounts" in API group "" at the cluster scope/
const noCredentials = /Unable to locate credentials|NoCredentialProviders: no valid providers in chain/

type Place = { readonly webhook: string; readonly namespace: string; readonly service: string }
const look = ({ namespace, service }: Place): readonly string[] => [
  sh`kubectl get service,endpointslices,pods -n ${namespace}`,
  sh`kubectl describe service ${service} -n ${namespace}`,
]
const again = ' Then restart the pods that were made without identity meanwhile.'

export const check = defineCheck({
  meta: {
    id: 'cluster/webhook-answers',
    title: 'The API server can call the identity webhook',
    severity: 'error',
    scope: 'object',
    kinds: ['MutatingWebhookConfiguration'],
    cloud: 'any',
    section: 'Webhook',
    why: 'A webhook that cannot be called injects nothing: where it fails open pods start without identity, where it fails closed none starts.',
    fix: {
      safety: 'review',
      does: "Restart the webhook's Deployment, or add one ingress rule for its port to the policy that already selects it; leave firewalls and managed add-ons to whoever runs them, and never turn failurePolicy Fail into Ignore.",
    },
    links: [
      'https://github.com/doitintl/gtoken/issues/23',
      'https://github.com/Azure/azure-workload-identity/issues/863',
      'https://github.com/Azure/azure-workload-identity/issues/611',
      'https://github.com/Azure/azure-workload-identity/issues/1608',
      'https://github.com/Azure/AKS/issues/5686',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/35',
      'https://github.com/kubernetes/kops/issues/13459',
      'https://github.com/rancher/rke2/issues/2269',
    ],
  },
  needs: {},
  wants: { webhookConfiguration, webhookService, privateNodes, observedErrors },
  after: ['cluster/webhook-is-configured'],
  messages: {
    'service-missing': ({ webhook, namespace, service }: Place) =>
      `webhook ${webhook} calls Service ${namespace}/${service}, which does not exist`,
    'no-ready-endpoints': ({ webhook, namespace, service, pods }: Place & { pods: string }) =>
      `Service ${namespace}/${service} of webhook ${webhook} has no ready endpoint (${pods})`,
    'port-differs': ({ webhook, namespace, service, port, ports }: Place & { port: number; ports: string }) =>
      `webhook ${webhook} calls port ${port} of Service ${namespace}/${service}, which offers ${ports}`,
    'port-firewalled': ({ webhook, allowed, port }: Place & { allowed: string; port: string }) =>
      `the control plane of this private cluster reaches nodes on ${allowed} only; webhook ${webhook} listens on ${port}`,
    'network-policy-blocks': ({ policy, namespace, port }: Place & { policy: string; port: string }) =>
      `NetworkPolicy ${policy} in ${namespace} lets nothing in on port ${port} of the webhook`,
    'certificate-not-issued': ({ reason }: Place & { reason: string }) =>
      `the webhook has no serving certificate: ${reason}`,
    'out-of-memory': ({ pod, limit }: Place & { pod: string; limit: string }) =>
      `webhook pod ${pod} was killed for memory (limit ${limit})`,
    'cannot-read-service-accounts': ({ user, verb }: Place & { user: string; verb: string }) =>
      `the webhook runs as ${user}, which may not ${verb} serviceaccounts in all namespaces`,
    'times-out': ({ webhook, seconds }: Place & { seconds: number }) =>
      `the API server got no answer from ${webhook} within ${seconds} s`,
  },
  remedies: {
    'service-missing': ({ webhook, namespace }) =>
      advice(
        `Install the webhook anew with its chart, or remove the configuration of ${webhook} where nothing uses it any more.${again}`,
        sh`kubectl get services,deployments -n ${namespace}`,
      ),
    'no-ready-endpoints': (data) =>
      advice(`Bring the pods of the webhook up: the commands show why none is ready.${again}`, ...look(data)),
    'port-differs': (data) =>
      advice(
        `Set clientConfig.service.port of ${data.webhook} to a port that the Service offers, better by its chart.${again}`,
        ...look(data),
      ),
    'port-firewalled': ({ port }) =>
      advice(
        `Have whoever runs the network allow the control plane's range to reach the nodes on port ${port}, or let the webhook listen on 10250.${again}`,
        'kubectl get mutatingwebhookconfigurations -o yaml',
      ),
    'network-policy-blocks': ({ policy, namespace, port }) =>
      advice(
        `Add one ingress rule for TCP port ${port} to that policy, without a from: the API server is no pod.${again}`,
        sh`kubectl edit networkpolicy ${policy} -n ${namespace}`,
      ),
    'certificate-not-issued': ({ namespace }) =>
      advice(
        `See which CertificateSigningRequest of the webhook waits, and approve it if it is the webhook's own; better take a chart that has its certificate from cert-manager.${again}`,
        'kubectl get certificatesigningrequests',
        sh`kubectl get pods -n ${namespace}`,
      ),
    'out-of-memory': ({ pod, namespace }) =>
      advice(
        `Raise the memory limit of the webhook in its chart: it keeps all ServiceAccounts of the cluster.${again}`,
        sh`kubectl describe pod ${pod} -n ${namespace}`,
      ),
    'cannot-read-service-accounts': ({ user }) =>
      advice(
        `Restore the ClusterRole and the ClusterRoleBinding of the webhook with its chart: get, list and watch on serviceaccounts.${again}`,
        sh`kubectl auth can-i list serviceaccounts -A --as ${user}`,
      ),
    'times-out': (data) =>
      advice(
        `Find what lies between the API server and the webhook: its pods, policies in its namespace, a firewall in front of the nodes.${again}`,
        ...look(data),
      ),
  },
  judge: ({ want, subject }) => {
    const { webhookService, privateNodes, webhookConfiguration, observedErrors } = want
    // Nobody listed the webhooks, and the API server speaks of one.
    if (subject.kind === 'Cluster') {
      const [heard] = (observedErrors.state === 'known' ? observedErrors.value : []).flatMap(({ text, place }) => {
        const trouble = callTroubleIn(text)
        return trouble === undefined
          ? []
          : [{ trouble, evidence: [{ question: observedErrors.from, path: place, observed: text }] }]
      })
      if (heard === undefined) return { status: 'not-applicable', reason: 'nothing is said of an identity webhook' }
      const { trouble, evidence } = heard
      const { kind, seconds, ...place } = trouble
      if (kind === 'no-endpoints')
        return { status: 'fail', message: 'no-ready-endpoints', data: { ...place, pods: podsOf(undefined) }, evidence }
      return kind === 'late'
        ? { status: 'fail', message: 'times-out', data: { ...place, seconds }, evidence }
        : {
            status: 'fail',
            message: 'certificate-not-issued',
            data: { ...place, reason: 'it waits for a CertificateSigningRequest' },
            evidence,
          }
    }
    if (subject.kind !== 'MutatingWebhookConfiguration' || webhookConfiguration.state === 'absent')
      return { status: 'not-applicable', reason: 'it is no identity webhook' }
    if (webhookConfiguration.state === 'unknown') return { status: 'undecided', lacks: 'the webhook was not seen' }
    const hooks = webhookConfiguration.value.webhooks.filter(({ service, injects }) => service && injects !== undefined)
    if (hooks.length === 0)
      return { status: 'not-applicable', reason: 'the webhook is called by URL and has no Service in the cluster' }
    const errors = observedErrors.state === 'known' ? observedErrors.value : []
    const seen = webhookService.state === 'known' ? webhookService.value : undefined
    const evidence: Evidence[] = []
    let open: string | undefined
    for (const hook of hooks) {
      const { service, name, seconds } = hook
      if (service === undefined) continue
      const place = { webhook: name, namespace: service.namespace, service: service.name }
      const behind = seen?.behind.find(({ webhook }) => webhook === name)
      const own = errors.filter(({ text }) => called.exec(text)?.[1] === name)
      const told = (text: string, where: string): Evidence => ({
        question: observedErrors.from,
        path: where,
        observed: text,
      })
      const see = (path: string, observed: string | number, expected?: string | number): readonly Evidence[] => [
        { question: webhookService.from, path, observed, ...(expected === undefined ? {} : { expected }) },
        ...own.slice(0, 1).map(({ text, place: where }) => told(text, where)),
      ]
      const at = `services["${service.namespace}/${service.name}"]`
      if (behind !== undefined && behind.ports === undefined)
        return { status: 'fail', message: 'service-missing', data: place, evidence: see(at, 'absent') }
      const bare = own.find(({ text }) => noEndpoints.test(text))
      if (behind?.ready === 0 || (bare !== undefined && behind?.ready === undefined))
        return {
          status: 'fail',
          message: 'no-ready-endpoints',
          data: { ...place, pods: podsOf(behind) },
          evidence: see(`${at} endpoints`, 0),
        }
      const port = behind?.ports?.find((one) => one.port === service.port)
      if (behind?.ports !== undefined && port === undefined)
        return {
          status: 'fail',
          message: 'port-differs',
          data: {
            ...place,
            port: service.port,
            ports: behind.ports.map((one) => one.port).join(', ') || 'no port',
          },
          evidence: see(`${at}.spec.ports`, behind.ports.map((one) => one.port).join(', '), service.port),
        }
      const late = own.find(({ text }) => slow.test(text))
      if (
        port !== undefined &&
        !privateNodePorts.includes(port.target) &&
        privateNodes.state === 'known' &&
        privateNodes.value
      ) {
        // Somebody may have opened the port: only what went wrong shows that nobody has.
        const lost = late ?? errors.find(({ text }) => noCredentials.test(text))
        if (lost !== undefined)
          return {
            status: 'fail',
            message: 'port-firewalled',
            data: { ...place, allowed: privateNodePorts.join(' and '), port: port.target },
            evidence: [
              { question: privateNodes.from, path: 'privateClusterConfig.enablePrivateNodes', observed: true },
              ...see(`${at}.spec.ports[].targetPort`, port.target, privateNodePorts.join(' or ')),
              told(lost.text, lost.place),
            ],
          }
        open ??= 'a private cluster, and whether its firewall opens the port of the webhook was not seen'
      }
      if (behind?.closed !== undefined)
        return {
          status: 'fail',
          message: 'network-policy-blocks',
          data: { ...place, policy: behind.closed, port: port?.target ?? String(service.port) },
          evidence: see(`networkpolicies["${behind.closed}"].spec.ingress`, 'nothing', port?.target ?? service.port),
        }
      const uncertified = hook.injects === 'AWS' ? errors.find(({ text }) => noCertificate.test(text)) : undefined
      if (uncertified !== undefined)
        return {
          status: 'fail',
          message: 'certificate-not-issued',
          data: { ...place, reason: 'it waits for a CertificateSigningRequest' },
          evidence: [told(uncertified.text, uncertified.place)],
        }
      const [killed] = behind?.killed ?? []
      if (killed !== undefined)
        return {
          status: 'fail',
          message: 'out-of-memory',
          data: { ...place, ...killed },
          evidence: see(`pods["${killed.pod}"].status.containerStatuses[].lastState.terminated.reason`, 'OOMKilled'),
        }
      for (const { text, place: where } of errors) {
        const [, user, space, verb] = mayNot.exec(text) ?? []
        const runs = behind?.pods.map((pod) => `system:serviceaccount:${pod.namespace}:${pod.serviceAccount}`) ?? []
        if (user === undefined || verb === undefined || space !== service.namespace) continue
        if (runs.includes(user))
          return {
            status: 'fail',
            message: 'cannot-read-service-accounts',
            data: { ...place, user, verb },
            evidence: [told(text, where)],
          }
        open ??= `${user} may not ${verb} serviceaccounts, and whether the webhook runs as that was not seen`
      }
      if (late !== undefined)
        return {
          status: 'fail',
          message: 'times-out',
          data: { ...place, seconds },
          evidence: [told(late.text, late.place)],
        }
      // Texts about certificates are another check's.
      if (own.some(({ text }) => !text.includes('x509:')))
        open ??= `a call of ${name} once failed, and nothing that was seen shows why`
      if (behind?.ready === undefined)
        open ??= `the endpoints of Service ${service.namespace}/${service.name} were not seen`
      evidence.push(...see(`${at} endpoints`, behind?.ready ?? 0))
    }
    const { unseen } = seen ?? {}
    if (open !== undefined || unseen !== undefined || seen === undefined) {
      const lift = unseen?.lift
      return {
        status: 'undecided',
        lacks: open ?? unseen?.detail ?? 'the Service of the webhook was not seen',
        ...(lift === undefined ? {} : { lift }),
        evidence,
      }
    }
    return { status: 'pass', evidence }
  },
})

const podsOf = (behind: Behind | undefined): string =>
  behind === undefined
    ? 'pods not collected'
    : behind.pods.map(({ name, phase }) => (phase === undefined ? name : `${name} ${phase}`)).join(', ') || 'no pod'
