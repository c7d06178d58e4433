/** Whether the cluster signs tokens with a public https issuer of its own. */
import { defineCheck } from '../../core/check.ts'
import { type Account, accountOf, advice } from '../../domain/advice.ts'
import { azureAudience } from '../../domain/audiences.ts'
import { isClusterInternal, isPrivateAddress, legacyIssuer, parseIssuer } from '../../domain/issuer-url.ts'
import { sh } from '../../domain/shell-words.ts'
import { assertion } from '../../probes/azure/assertion.ts'
import { held } from '../../probes/azure/evidence.ts'
import { ofRefusal, refusals } from '../../probes/azure/refusals.ts'
import { azureUse } from '../../probes/azure/use.ts'
import { ownTokens } from '../../probes/workload/own-tokens.ts'

type Data = Account & { readonly observed: string }

const ofEntra =
  /^https:\/\/(?:login\.microsoftonline\.(?:com|us)|login\.(?:chinacloudapi|partner\.microsoftonline)\.cn|sts\.(?:windows\.net|chinacloudapi\.cn))(?:\/|$)/
const mint = ({ namespace, serviceAccount }: Account): string =>
  sh`kubectl create token ${serviceAccount} -n ${namespace} --audience ${azureAudience}`
const publish = ({ observed }: Data): string =>
  advice(
    `On AKS switch the OIDC issuer on (az aks update --enable-oidc-issuer). Elsewhere publish the discovery document and the keys at a public https address, then have whoever runs the control plane give kube-apiserver that address as the first --service-account-issuer and ${observed} as the second.`,
    'kubectl get --raw /.well-known/openid-configuration',
    'kubectl get --raw /openid/v1/jwks',
  )

export const check = defineCheck({
  meta: {
    id: 'azure/token-issuer-public',
    title: 'The cluster signs tokens with a public https issuer of its own',
    severity: 'error',
    scope: 'service-account',
    cloud: 'azure',
    section: 'Issuer',
    why: 'Entra fetches the keys from the address in the issuer of the token, so that has to be a public https address, and none of its own.',
    fix: {
      safety: 'manual',
      does: 'Publish discovery and keys and set the flags of the API server, or enable the OIDC issuer of AKS. The control plane is not edited for you.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/616',
      'https://azure.github.io/azure-workload-identity/docs/installation/self-managed-clusters.html',
      'https://github.com/AzureAD/microsoft-identity-web/issues/2519',
      'https://github.com/MicrosoftDocs/azure-docs/issues/90276',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: {},
  wants: { assertion, refusals, ownTokens },
  after: ['azure/cluster-oidc-issuer-enabled'],
  covers: ['cluster/issuer-is-public'],
  messages: {
    'issuer-is-entra': ({ observed, namespace, serviceAccount }: Data) =>
      `the assertion was issued by Entra itself (${observed}), expected the projected ServiceAccount token of ${namespace}/${serviceAccount}`,
    'legacy-token': ({ observed, secret }: Data & { secret: string }) =>
      `the token comes from Secret ${secret} (issuer ${observed}, no expiry), expected a projected token`,
    'issuer-internal': ({ observed }: Data) =>
      `tokens carry issuer ${observed}; Entra needs a public https URL, set by the first --service-account-issuer of the API server or by the cluster's OIDC issuer switch`,
    'issuer-not-https': ({ observed }: Data) => `tokens carry issuer ${observed}, expected an https URL`,
  },
  remedies: {
    'issuer-is-entra': (data) =>
      advice(
        'Have the application send the token in $AZURE_FEDERATED_TOKEN_FILE as its assertion, not one that Entra gave out. The command shows how it reads.',
        mint(data),
      ),
    'legacy-token': (data) =>
      advice(`Read a projected token (audience ${azureAudience}) instead of the one in the Secret.`, mint(data)),
    'issuer-internal': publish,
    'issuer-not-https': publish,
  },
  judge: ({ want: { assertion, refusals, ownTokens }, subject }) => {
    const data: Data = { ...accountOf(subject), observed: 'not collected' }
    const refused = held(refusals)?.find(({ code }) => code === '700222' || code === '700229')
    const claim = held(assertion)?.issuer
    const legacy = held(ownTokens)?.tokens.find(({ kind }) => kind === 'legacy')
    if (refused !== undefined)
      return {
        status: 'fail',
        message: 'issuer-is-entra',
        data: {
          ...data,
          observed: claim !== undefined && ofEntra.test(claim.value) ? claim.value : `AADSTS${refused.code}`,
        },
        evidence: [ofRefusal(refused)],
      }
    if (claim === undefined)
      return legacy === undefined
        ? { status: 'undecided', lacks: 'nothing shows the issuer of the token', lift: mint(data) }
        : {
            status: 'fail',
            message: 'legacy-token',
            data: { ...data, observed: legacy.issuer ?? legacyIssuer, secret: 'not collected' },
            evidence: [{ question: ownTokens.from, path: `${legacy.file} iss`, observed: legacy.issuer ?? null }],
          }
    const { value: observed, from, path } = claim
    const evidence = [{ question: from, path, observed, expected: 'https://HOST/PATH on the internet' }]
    if (ofEntra.test(observed))
      return { status: 'fail', message: 'issuer-is-entra', data: { ...data, observed }, evidence }
    if (observed === legacyIssuer || (legacy !== undefined && legacy.issuer === observed)) {
      const secret = legacy?.claims['kubernetes.io/serviceaccount/secret.name']
      return {
        status: 'fail',
        message: 'legacy-token',
        data: { ...data, observed, secret: typeof secret === 'string' ? secret : 'not collected' },
        evidence,
      }
    }
    const parsed = parseIssuer(observed)
    const host = parsed?.host
    if (
      host === undefined ||
      isClusterInternal(host) ||
      isPrivateAddress(host) ||
      !(host.includes('.') || host.includes(':'))
    )
      return { status: 'fail', message: 'issuer-internal', data: { ...data, observed }, evidence }
    if (parsed?.scheme !== 'https')
      return { status: 'fail', message: 'issuer-not-https', data: { ...data, observed }, evidence }
    return { status: 'pass', evidence }
  },
})
