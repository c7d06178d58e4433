/** Whether pods reach the Entra authority over trusted TLS. */
import { defineCheck } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { publicAuthorities } from '../../knowledge/public-authorities.ts'
import { errorsIn, held, ofError, quote, speaking } from '../../probes/azure/evidence.ts'
import { askedAuthority } from '../../probes/azure/reference.ts'
import { saying } from '../../probes/azure/said.ts'
import { azureUse } from '../../probes/azure/use.ts'
import { errorsOfPod } from '../../probes/workload/observed-errors.ts'

type Data = { readonly host: string }
type Failed = Data & { readonly error: string }

const hosts =
  /(?:https:\/\/|lookup |ENOTFOUND |ETIMEDOUT |\b)(login\.(?:microsoftonline\.(?:com|us)|chinacloudapi\.cn|partner\.microsoftonline\.cn))/
const blocked =
  /unable to resolve an endpoint|(?:ENOTFOUND|ETIMEDOUT|ECONNREFUSED|EAI_AGAIN) ?login\.|login\.[a-z.]{8,40}(?::443)?.{0,300}(?:i\/o timeout|context deadline exceeded|no such host|connection refused|network is unreachable)/
const tls = /login\.[a-z.]{8,40}.{0,300}(?:x509: |certificate|SELF_SIGNED|unable to get (?:local )?issuer)/
const unresolved = /endpoints_resolution_error|network_error: See https:\/\/aka\.ms\/msal\.js\.errors#network_error/
const signer = /issuer[=: ]+"?(?:[^"]{0,120}?O ?= ?)?([^",/;]{2,80})/i

const open = ({ host }: Data): string =>
  advice(
    `Let pods reach ${host === notSeen ? host : `${host} on TCP 443`}, by name and by address: name resolution, NetworkPolicies, the firewall and the proxy in between${host.endsWith('chinacloudapi.cn') ? '; login.partner.microsoftonline.cn too' : ''}.`,
    'kubectl get networkpolicies -A',
  )
const notSeen = 'the authority'

export const check = defineCheck({
  meta: {
    id: 'azure/authority-reachable',
    title: 'Pods reach the Entra authority over trusted TLS',
    severity: 'error',
    scope: 'pod',
    cloud: 'azure',
    section: 'Network',
    why: 'The exchange is a call from the pod to the authority; what this machine reaches says little of what the pod does.',
    fix: {
      safety: 'manual',
      does: 'Open the host names and the port, or give the pod the private authority that intercepts (NODE_EXTRA_CA_CERTS, SSL_CERT_FILE). No NetworkPolicy and no firewall is edited for you.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/650',
      'https://learn.microsoft.com/azure/aks/outbound-rules-control-egress',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: {},
  wants: { errorsOfPod, askedAuthority },
  after: ['azure/authority-is-tenant-cloud'],
  covers: ['workload/network-leads-to-the-token-endpoint'],
  messages: {
    'tls-intercepted': ({ host, observed }: Data & { observed: string }) =>
      `the certificate of ${host} seen from the pod is issued by ${observed}, not by a public CA`,
    'egress-blocked': ({ host, error }: Failed) => `pods get no answer from ${host}:443: ${error}`,
    unresolved: ({ host, error }: Failed) =>
      `the client could not resolve the endpoints of authority ${host}: ${error}`,
  },
  remedies: {
    'tls-intercepted': ({ host }) =>
      advice(
        `Give the pods the certificate of the private authority that stands before ${host} (NODE_EXTRA_CA_CERTS or SSL_CERT_FILE), or leave ${host} out of the interception.`,
        'kubectl get configmaps -A -l config.openshift.io/inject-trusted-cabundle=true',
      ),
    'egress-blocked': open,
    unresolved: open,
  },
  judge: ({ want: { errorsOfPod, askedAuthority } }) => {
    const errors = errorsIn(errorsOfPod)
    const asked = /^https:\/\/([^/:]+)/i.exec(held(askedAuthority)?.value ?? '')?.[1]
    const hostIn = (text: string): string => hosts.exec(text)?.[1] ?? asked ?? notSeen
    const intercepted = speaking(errors, tls) ?? saying(errors, 'azure/authority-reachable', 'tls-intercepted')
    if (intercepted !== undefined) {
      const named = signer.exec(intercepted.text)?.[1]?.trim()
      const observed =
        named === undefined || publicAuthorities.some((one) => named.includes(one))
          ? 'an authority that the pod does not know'
          : named
      return {
        status: 'fail',
        message: 'tls-intercepted',
        data: { host: hostIn(intercepted.text), observed },
        evidence: [ofError(intercepted)],
      }
    }
    const stopped = speaking(errors, blocked) ?? saying(errors, 'azure/authority-reachable', 'egress-blocked')
    if (stopped !== undefined)
      return {
        status: 'fail',
        message: 'egress-blocked',
        data: { host: hostIn(stopped.text), error: quote(stopped.text) },
        evidence: [ofError(stopped)],
      }
    const lost = speaking(errors, unresolved)
    if (lost !== undefined)
      return {
        status: 'fail',
        message: 'unresolved',
        data: { host: hostIn(lost.text), error: quote(lost.text) },
        evidence: [ofError(lost)],
      }
    const refused = errors.find(({ text }) => /AADSTS\d{5,8}/.test(text))
    if (refused !== undefined) return { status: 'pass', evidence: [ofError(refused)] }
    return {
      status: 'not-applicable',
      reason: 'nothing shows that a pod gets no answer; only a look from inside of it would tell',
    }
  },
})
