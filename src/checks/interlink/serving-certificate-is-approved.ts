/** Whether the API server trusts the certificate with which a virtual kubelet serves logs. */
import { defineCheck } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { interLinkErrors } from '../../probes/interlink/errors.ts'
import { nodesKubelet, ownVirtualNode, servingRequests, virtualNodes } from '../../probes/interlink/virtual.ts'

export const check = defineCheck({
  meta: {
    id: 'interlink/serving-certificate-is-approved',
    title: 'The virtual kubelet serves logs with a certificate that the API server trusts',
    severity: 'warning',
    scope: 'node',
    cloud: 'any',
    section: 'interLink',
    why: 'Without it kubectl logs and kubectl exec end in an x509 error, while the jobs run.',
    fix: {
      safety: 'review',
      does: 'Approve the one request of the virtual node after a look at its names and its requestor; never turn the verification off instead.',
    },
    links: ['https://github.com/interlink-hq/interLink/issues/447'],
  },
  only: { probe: ownVirtualNode, otherwise: 'it is no virtual node of interLink' },
  needs: { ownVirtualNode },
  wants: { servingRequests, nodesKubelet, virtualNodes, interLinkErrors },
  after: [],
  messages: {
    'request-pending': ({ request, node }: { request: string; node: string }) =>
      `CertificateSigningRequest ${request} of virtual node ${node} waits for approval`,
    'self-signed': ({ node, version }: { node: string; version: string }) =>
      `virtual node ${node} (interLink ${version}) serves logs with a self-signed certificate; 0.5.2 asks the cluster for one`,
    'not-trusted': ({ address }: { address: string }) => `the API server does not trust the certificate at ${address}`,
  },
  remedies: {
    'request-pending': ({ request }) =>
      advice(
        'Look at the subject, the names and the requestor of the request, and approve this one if they are those of the virtual node.',
        sh`kubectl describe certificatesigningrequest/${request}`,
        sh`kubectl certificate approve ${request}`,
      ),
    'self-signed': () =>
      advice('Upgrade the virtual kubelet to 0.5.2 or later, and approve its request for a certificate.'),
    'not-trusted': () =>
      advice(
        'Look for a request of the virtual node that waits for approval, or was denied.',
        'kubectl get certificatesigningrequests',
      ),
  },
  judge: ({ have, want }) => {
    if (have.ownVirtualNode.state === 'absent')
      return { status: 'not-applicable', reason: 'it is no virtual node of interLink' }
    const { name: node, addresses } = have.ownVirtualNode.value
    const requests = want.servingRequests.state === 'known' ? want.servingRequests.value : []
    const waiting = requests.find(({ state }) => state === 'waiting')
    if (waiting !== undefined)
      return {
        status: 'fail',
        message: 'request-pending',
        data: { request: waiting.name, node },
        evidence: [
          {
            question: want.servingRequests.from,
            path: `items[metadata.name=${waiting.name}].status.conditions`,
            observed: [],
          },
        ],
      }
    const version = want.nodesKubelet.state === 'known' ? want.nodesKubelet.value.version : undefined
    if (version !== undefined && isSelfSigning(version))
      return {
        status: 'fail',
        message: 'self-signed',
        data: { node, version },
        evidence: [
          { question: want.nodesKubelet.from, path: 'spec.template.spec.containers[0].image', observed: version },
        ],
      }
    const alone = want.virtualNodes.state === 'known' && want.virtualNodes.value.size === 1
    const errors = (want.interLinkErrors.state === 'known' ? want.interLinkErrors.value : []).filter(({ text }) =>
      /:10250\/containerLogs\/.{0,400}x509: /s.test(text),
    )
    const said = errors.find(({ text }) => {
      const host = /\/\/\[?([^/\s]{1,200}?)\]?:10250\//.exec(text)?.[1] ?? ''
      return addresses.length > 0 ? addresses.includes(host) || host === node : alone
    })
    if (said !== undefined) {
      const address = /\/\/([^/\s]{1,200}:10250)\//.exec(said.text)?.[1] ?? `${node}:10250`
      return { status: 'fail', message: 'not-trusted', data: { address }, evidence: [ofError(said)] }
    }
    if (requests.length === 0)
      return {
        status: 'undecided',
        lacks: 'no request of the virtual node for a serving certificate was seen',
        lift: 'kubectl get certificatesigningrequests -o yaml > requests.yaml',
      }
    const granted = requests.filter(({ state }) => state === 'approved')
    if (granted.length === 0)
      return {
        status: 'undecided',
        lacks: `every request of virtual node ${node} was refused, so what it serves logs with was not seen`,
        lift: 'kubectl describe certificatesigningrequests',
      }
    return {
      status: 'pass',
      evidence: granted.map((one) => ({
        question: want.servingRequests.from,
        path: `items[metadata.name=${one.name}].status`,
        observed: 'Approved',
      })),
    }
  },
})

/** Up to 0.5.1. */
function isSelfSigning(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  return major === 0 && (minor < 5 || (minor === 5 && patch < 2))
}
