/** Whether Entra can read the issuer's discovery document and keys. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { textAt } from '../../core/json.ts'
import { advice } from '../../domain/advice.ts'
import { updateAks } from '../../domain/azure-advice.ts'
import { codesIn, quotedIn, unreadIssuer } from '../../domain/azure-errors.ts'
import { discoveryUrl, parseIssuer } from '../../domain/issuer-url.ts'
import { sh } from '../../domain/shell-words.ts'
import { held, ofError } from '../../probes/azure/evidence.ts'
import { hostingAccount } from '../../probes/azure/storage.ts'
import { azureInUse } from '../../probes/azure/use.ts'
import { documentOf, type Fetched } from '../../probes/cluster/fetched.ts'
import { issuer } from '../../probes/cluster/issuer.ts'
import { observedErrors } from '../../probes/cluster/observed-errors.ts'
import { publishedDiscovery, publishedKeys } from '../../probes/cluster/published.ts'

type Data = { readonly issuer: string; readonly observed: string; readonly url: string }

const ofAks = /(?:^|\.)oid?c\.prod-aks\.azure\.(?:com|us|cn)$/
const wordsOf = ({ answer }: Fetched): string =>
  'status' in answer
    ? answer.status === 200
      ? `200 and ${answer.contentType}`
      : String(answer.status)
    : `${answer.failure} (${answer.detail})`
/** Nobody outside can do better: the name is not there, or the server itself says no. */
const settles = ({ answer }: Fetched): boolean => 'status' in answer || answer.failure !== 'timeout'

const look = ({ url }: Data): string => sh`curl -i ${url}`
const publish = (data: Data): string =>
  advice(
    `Publish the discovery document of ${data.issuer} and its keys where anyone can read them by https without credentials; the command shows what comes now.`,
    look(data),
    'kubectl get --raw /.well-known/openid-configuration',
    'kubectl get --raw /openid/v1/jwks',
  )

export const check = defineCheck({
  meta: {
    id: 'azure/issuer-documents-public',
    title: "Entra can read the issuer's discovery document and keys",
    severity: 'error',
    scope: 'cluster',
    cloud: 'azure',
    section: 'Issuer',
    why: 'Entra reads both from the internet, without credentials, before it believes any token of the cluster.',
    fix: {
      safety: 'manual',
      does: 'Publish the documents where the issuer says, or reconcile the cluster (az aks update) where AKS serves them. No storage firewall is opened for you.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/605',
      'https://github.com/Azure/azure-workload-identity/issues/642',
      'https://github.com/Azure/azure-workload-identity/issues/955',
      'https://github.com/Azure/azure-workload-identity/issues/1130',
      'https://github.com/Azure/azure-workload-identity/pull/608',
      'https://github.com/Azure/login/issues/283',
      'https://azure.github.io/azure-workload-identity/docs/troubleshooting.html',
    ],
  },
  only: { probe: azureInUse, otherwise: 'nothing here is bound to Azure' },
  needs: {},
  wants: { issuer, publishedDiscovery, publishedKeys, hostingAccount, observedErrors },
  after: ['azure/token-issuer-public'],
  covers: ['cluster/discovery-is-public'],
  messages: {
    'behind-firewall': ({ account, issuer, observed }: Data & { account: string }) =>
      `storage account ${account} that serves ${issuer} has ${observed}; Entra comes from the internet`,
    'aks-endpoint-broken': ({ issuer, observed }: Data & { cluster: string; group: string }) =>
      `AKS serves ${issuer} with ${observed}, expected 200; reconcile the cluster`,
    unreachable: ({ url, observed }: Data) =>
      `GET ${url} gave ${observed}, expected 200 and JSON; Entra reads it from the internet without credentials`,
    'issuer-differs': ({ url, observed, expected }: Data & { expected: string }) =>
      `the discovery document at ${url} names issuer ${observed}, tokens carry ${expected}`,
    'jwks-uri-invalid': ({ issuer, observed, error }: Data & { error: string }) =>
      `jwks_uri of ${issuer} is ${observed}: ${error}`,
    'entra-could-not-fetch': ({ code }: Data & { code: string }) =>
      `Entra could not read the documents of the token's issuer (AADSTS${code})`,
  },
  remedies: {
    'behind-firewall': ({ account }) =>
      advice(
        `Serve the documents from a place that the whole internet can read: another storage account, a static website or a front door; or have whoever owns ${account} decide to open it.`,
        sh`az storage account show -n ${account} --query "{public:publicNetworkAccess,rules:networkRuleSet.defaultAction}"`,
      ),
    'aks-endpoint-broken': (data) =>
      advice('Reconcile the cluster; where that does not help, open a case with Azure.', updateAks(data), look(data)),
    unreachable: publish,
    'issuer-differs': ({ expected, ...data }) =>
      advice(
        `Publish a discovery document whose issuer is ${expected}, byte for byte, the last slash included; the command shows the present one.`,
        look(data),
      ),
    'jwks-uri-invalid': publish,
    'entra-could-not-fetch': (data) =>
      advice(
        'Try again with some patience, for such failures pass. Where it stays, fetch both documents from outside of your network, without credentials: a firewall in front of them, a certificate or a redirect keeps Entra away.',
        ...(data.url.startsWith('https://') ? [look(data)] : ['kubectl get --raw /.well-known/openid-configuration']),
      ),
  },
  judge: ({ want: { issuer, publishedDiscovery, publishedKeys, hostingAccount, observedErrors } }) => {
    const errors = held(observedErrors) ?? []
    const known = held(issuer)
    const told = errors.find(
      ({ text }) =>
        codesIn(text).some((code) => unreadIssuer.has(code)) || /Request to External OIDC endpoint failed/.test(text),
    )
    const code = told === undefined ? undefined : (codesIn(told.text).find((one) => unreadIssuer.has(one)) ?? '50166')
    const named = known?.issuer ?? (told === undefined ? undefined : quotedIn(told.text).issuer)
    const data: Data = {
      issuer: named ?? 'the token',
      observed: '',
      url: named === undefined ? 'the issuer' : discoveryUrl(named),
    }
    const host = named === undefined ? undefined : parseIssuer(named)?.host
    const discovery = held(publishedDiscovery)
    const keys = held(publishedKeys)
    const evidence: Evidence[] = []
    const account = held(hostingAccount)
    const document = discovery === undefined ? undefined : documentOf(discovery)
    const keySet = keys === undefined ? undefined : documentOf(keys)
    if (account?.closed !== undefined && document === undefined)
      return {
        status: 'fail',
        message: 'behind-firewall',
        data: { ...data, account: account.name, observed: account.closed },
        evidence: [
          { question: hostingAccount.from, path: 'publicNetworkAccess', observed: account.closed },
          ...(told === undefined ? [] : [ofError(told)]),
        ],
      }
    if (discovery !== undefined && document === undefined && settles(discovery)) {
      const observed = wordsOf(discovery)
      const seen: readonly Evidence[] = [
        { question: publishedDiscovery.from, path: discovery.url, observed, expected: '200 and JSON' },
      ]
      return host !== undefined && ofAks.test(host)
        ? {
            status: 'fail',
            message: 'aks-endpoint-broken',
            data: { ...data, observed, cluster: 'CLUSTER', group: 'GROUP' },
            evidence: seen,
          }
        : { status: 'fail', message: 'unreachable', data: { ...data, url: discovery.url, observed }, evidence: seen }
    }
    if (document !== undefined && discovery !== undefined) {
      const own = textAt(document, 'issuer')
      evidence.push({
        question: publishedDiscovery.from,
        path: 'document.issuer',
        observed: own ?? null,
        ...(known === undefined ? {} : { expected: known.issuer }),
      })
      // What the document itself taught cannot contradict it.
      if (known !== undefined && own !== known.issuer && known.via !== 'discovery' && own !== undefined)
        return {
          status: 'fail',
          message: 'issuer-differs',
          data: { ...data, url: discovery.url, observed: own, expected: known.issuer },
          evidence,
        }
      const uri = textAt(document, 'jwks_uri')
      const seen: Evidence = {
        question: publishedDiscovery.from,
        path: 'document.jwks_uri',
        observed: uri ?? null,
        expected: 'an https URL',
      }
      if (uri === undefined || parseIssuer(uri)?.scheme !== 'https')
        return {
          status: 'fail',
          message: 'jwks-uri-invalid',
          data: { ...data, observed: uri ?? 'missing', error: 'it is no https URL' },
          evidence: [...evidence, seen],
        }
      if (keys !== undefined && keySet === undefined && settles(keys))
        return {
          status: 'fail',
          message: 'jwks-uri-invalid',
          data: { ...data, observed: uri, error: `it gave ${wordsOf(keys)}` },
          evidence: [...evidence, seen],
        }
    }
    const answers = document !== undefined && keySet !== undefined
    if (told !== undefined && code !== undefined && !answers)
      return { status: 'fail', message: 'entra-could-not-fetch', data: { ...data, code }, evidence: [ofError(told)] }
    if (answers) return { status: 'pass', evidence }
    return {
      status: 'undecided',
      lacks: "the issuer's documents were not seen",
      ...(data.url.startsWith('https://') ? { lift: look(data) } : {}),
      evidence,
    }
  },
})
