/** Whether a pod with an identity binding uses the token proxy, and may use the identity. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { type Account, advice, editTemplate, type Place, placeOf, restart } from '../../domain/advice.ts'
import { unseen } from '../../domain/azure-advice.ts'
import { bindingAnnotation, ownContainers, usesBinding } from '../../domain/azure-pods.ts'
import { sh } from '../../domain/shell-words.ts'
import { bindingExists, boundClientId, useGranted } from '../../probes/azure/binding.ts'
import { azureCluster } from '../../probes/azure/cluster.ts'
import { errorsIn, held, ofError, quote, speaking } from '../../probes/azure/evidence.ts'
import { podView } from '../../probes/azure/pods.ts'
import { azureUse } from '../../probes/azure/use.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { errorsOfPod } from '../../probes/workload/observed-errors.ts'

type Data = Place &
  Account & { readonly clientId: string; readonly pod: string; readonly cluster: string; readonly group: string }

const straight =
  /presented assertion audience 'api:\/\/AKSIdentityBinding'|presented assertion issuer 'https:\/\/ib\.oic\.prod-aks\.azure\.com\//
const variables = ['AZURE_KUBERNETES_TOKEN_PROXY', 'AZURE_KUBERNETES_SNI_NAME'] as const
const authority = ['AZURE_KUBERNETES_CA_FILE', 'AZURE_KUBERNETES_CA_DATA'] as const

export const check = defineCheck({
  meta: {
    id: 'azure/identity-binding-complete',
    title: 'A pod with an identity binding uses the token proxy and may use the identity',
    severity: 'error',
    scope: 'pod',
    cloud: 'azure',
    section: 'Credentials',
    why: "The token of a binding is taken by the cluster's own proxy only, never by Entra itself, and only from ServiceAccounts that RBAC lets use the identity.",
    fix: {
      safety: 'review',
      does: "Create one ClusterRole and binding for exactly this client id and ServiceAccount; have the application's SDK opt in to the proxy. Never edit the credential aks-identity-binding, which AKS owns.",
    },
    links: [
      'https://learn.microsoft.com/azure/aks/identity-bindings',
      'https://github.com/Azure/azure-sdk-for-js/blob/main/sdk/identity/identity/TROUBLESHOOTING.md',
      'https://github.com/agentgateway/agentgateway/issues/3472',
      'https://github.com/Azure/azure-sdk-for-go/issues/26399',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: {},
  wants: { podView, boundClientId, useGranted, bindingExists, azureCluster, errorsOfPod },
  after: [],
  messages: {
    'proxy-not-opted-in': ({ error }: Data & { error: string }) =>
      `the application sent the binding's token straight to Entra (${error}); its SDK must opt in to the token proxy (JS: WorkloadIdentityCredential with enableAzureProxy, not DefaultAzureCredential)`,
    'use-not-granted': ({ namespace, serviceAccount, clientId }: Data) =>
      `no ClusterRole lets ServiceAccount ${namespace}/${serviceAccount} use-managed-identity ${clientId} in cid.wi.aks.azure.com`,
    'proxy-environment-missing': ({ pod, variables }: Data & { variables: string }) =>
      `pod ${pod} asks for an identity binding but lacks ${variables}; the webhook was not run with the binding's endpoint or the pod is older`,
    'binding-missing': ({ cluster, clientId }: Data) => `cluster ${cluster} has no identity binding for ${clientId}`,
  },
  remedies: {
    'proxy-not-opted-in': (data) =>
      advice(
        `Have the SDK use the token proxy: WorkloadIdentityCredential with enableAzureProxy in JavaScript (4.14.0 or later), the like in other languages; or take ${bindingAnnotation} out of ${editTemplate(data).where} and use an ordinary credential.`,
        ...editTemplate(data).commands,
      ),
    'use-not-granted': ({ clientId, namespace, serviceAccount }) =>
      advice(
        'Create one ClusterRole for exactly this client id, and bind it to this ServiceAccount alone.',
        sh`kubectl create clusterrole ${`use-identity-${clientId}`} --verb=use-managed-identity --resource=${`${clientId}.cid.wi.aks.azure.com`}`,
        sh`kubectl create clusterrolebinding ${`use-identity-${clientId}-${namespace}-${serviceAccount}`} --clusterrole=${`use-identity-${clientId}`} --serviceaccount=${`${namespace}:${serviceAccount}`}`,
      ),
    'proxy-environment-missing': (data) => {
      const { words, commands } = restart(data)
      return advice(`See that the cluster has an identity binding, then ${words}.`, ...commands)
    },
    'binding-missing': ({ cluster, group }) =>
      advice(
        'Have whoever owns the identity create the binding (IDENTITY_ID: its resource id, NAME: a name for the binding).',
        sh`az aks identity-binding create -g ${group} --cluster-name ${cluster} -n NAME --managed-identity-resource-id IDENTITY_ID`,
      ),
  },
  judge: ({ want: { podView, boundClientId, useGranted, bindingExists, azureCluster, errorsOfPod }, subject }) => {
    if (podView.state === 'absent') return { status: 'not-applicable', reason: 'the pod is gone or has ended' }
    const view = held(podView)
    const pods = view === undefined ? [] : view.born === undefined ? view.templates : [view.born]
    const asking = pods.filter(usesBinding)
    const [pod] = asking
    const told = speaking(errorsIn(errorsOfPod), straight)
    const cluster = held(azureCluster)
    const place = pod === undefined ? placeOf(subject) : { workload: workloadOf(pod), namespace: pod.namespace }
    const data: Data = {
      ...place,
      serviceAccount: pod?.serviceAccount ?? 'SERVICEACCOUNT',
      pod: pod?.name ?? 'not collected',
      clientId: held(boundClientId) ?? unseen.clientId,
      cluster: cluster?.name ?? unseen.cluster,
      group: cluster?.resourceGroup ?? unseen.group,
    }
    if (told !== undefined)
      return {
        status: 'fail',
        message: 'proxy-not-opted-in',
        data: { ...data, error: quote(told.text) },
        evidence: [ofError(told)],
      }
    if (pod === undefined)
      return view === undefined || (pods.length === 0 && !view.noPods)
        ? { status: 'undecided', lacks: 'no pod or pod template was seen' }
        : { status: 'not-applicable', reason: 'no pod asks for an identity binding' }
    const evidence: Evidence[] = [
      {
        question: podView.from,
        path: `${pod.kind}/${pod.name} metadata.annotations["${bindingAnnotation}"]`,
        observed: 'true',
      },
    ]
    if (held(useGranted) === false)
      return {
        status: 'fail',
        message: 'use-not-granted',
        data,
        evidence: [
          ...evidence,
          { question: useGranted.from, path: 'items[].rules', observed: null, expected: 'use-managed-identity' },
        ],
      }
    if (held(bindingExists) === false)
      return {
        status: 'fail',
        message: 'binding-missing',
        data,
        evidence: [
          ...evidence,
          { question: bindingExists.from, path: 'bindings[].clientId', observed: null, expected: data.clientId },
        ],
      }
    if (pod.uid === undefined)
      return {
        status: 'undecided',
        lacks: 'a manifest: what the webhook adds when the pod is created was not seen',
        evidence,
      }
    for (const { name, env } of ownContainers(pod)) {
      const lacking: string[] = variables.filter((one) => !(one in env))
      if (!authority.some((one) => one in env)) lacking.push(authority[0])
      if (lacking.length > 0)
        return {
          status: 'fail',
          message: 'proxy-environment-missing',
          data: { ...data, variables: lacking.join(', ') },
          evidence: [
            ...evidence,
            { question: podView.from, path: `spec.containers["${name}"].env`, observed: null, expected: lacking },
          ],
        }
    }
    return { status: 'pass', evidence }
  },
})
