/** Whether the Azure identity webhook is in the cluster. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { type AksName, unseen, updateAks } from '../../domain/azure-advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { held } from '../../probes/azure/evidence.ts'
import { azureInUse } from '../../probes/azure/use.ts'
import { addOnCluster, azureWaiting, azureWebhooks, webhookName } from '../../probes/azure/webhook.ts'

const after = 'Then make the pods anew that were created without it.'

export const check = defineCheck({
  meta: {
    id: 'azure/webhook-installed',
    title: 'The workload identity webhook is installed in the cluster',
    severity: 'error',
    scope: 'cluster',
    cloud: 'azure',
    section: 'Webhook',
    why: 'Labels and annotations give a pod nothing by themselves: the webhook adds environment and token while the pod is created.',
    fix: {
      safety: 'manual',
      does: 'Enable the add-on (az aks update --enable-workload-identity) or install the chart workload-identity-webhook; then make pods anew that were created before.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/1231',
      'https://github.com/Azure/azure-workload-identity/issues/1465',
    ],
  },
  only: { probe: azureInUse, otherwise: 'nothing here is bound to Azure' },
  needs: {},
  wants: { azureWebhooks, addOnCluster, azureWaiting },
  after: [],
  covers: ['cluster/webhook-is-configured'],
  messages: {
    'add-on-disabled': ({ cluster, observed }: AksName & { observed: string; count: number }) =>
      `securityProfile.workloadIdentity.enabled of AKS cluster ${cluster} is ${observed}, expected true, and no configuration serves ${webhookName}; the OIDC issuer is a separate switch`,
    'not-installed': ({ cluster, count }: AksName & { count: number; observed: string }) =>
      `none of the ${count} MutatingWebhookConfigurations of ${cluster === unseen.cluster ? 'the cluster' : `cluster ${cluster}`} serves ${webhookName}`,
  },
  remedies: {
    'add-on-disabled': (data) =>
      advice(
        `Enable the workload identity add-on of the cluster, and its OIDC issuer with it. ${after}`,
        updateAks(data, '--enable-workload-identity', '--enable-oidc-issuer'),
      ),
    'not-installed': (data) =>
      advice(
        `Install the webhook: on AKS by the add-on, elsewhere by its Helm chart with the tenant of the identities (TENANT_ID). ${after}`,
        ...(data.cluster === unseen.cluster
          ? []
          : [updateAks(data, '--enable-workload-identity', '--enable-oidc-issuer')]),
        sh`helm install workload-identity-webhook azure-workload-identity/workload-identity-webhook -n azure-workload-identity-system --create-namespace --set azureTenantID=TENANT_ID`,
      ),
  },
  judge: ({ want: { azureWebhooks, addOnCluster, azureWaiting } }) => {
    const aks = held(addOnCluster)
    const waiting = held(azureWaiting)
    const addOn: readonly Evidence[] =
      aks === undefined
        ? []
        : [
            {
              question: addOnCluster.from,
              path: 'securityProfile.workloadIdentity.enabled',
              observed: aks.addOnEnabled ?? null,
            },
          ]
    const list = held(azureWebhooks)
    const names = list?.hooks.map(({ configuration }) => configuration.name) ?? []
    if (names.length > 0)
      return {
        status: 'pass',
        evidence: [{ question: azureWebhooks.from, path: 'items[].metadata.name', observed: names }],
      }
    if (aks?.addOnEnabled === true && list?.complete !== true) return { status: 'pass', evidence: addOn }
    const { asking = [], lacking = [], selfMade = 0, open = true } = waiting ?? {}
    if (asking.length === 0 && selfMade > 0 && !open)
      return { status: 'not-applicable', reason: 'the pods carry environment and token in their own manifests' }
    if (asking.length > 0 && lacking.length === 0 && !open)
      return { status: 'not-applicable', reason: 'every pod that asks carries the environment already' }
    if (list === undefined || !list.complete)
      return asking.length > 0 || open
        ? {
            status: 'undecided',
            lacks: 'not all mutating webhooks were seen',
            lift: 'kubectl get mutatingwebhookconfigurations -o yaml',
          }
        : { status: 'not-applicable', reason: 'no pod waits for the webhook' }
    if (lacking.length === 0)
      return open
        ? {
            status: 'undecided',
            lacks: 'whether a pod waits for the webhook was not seen',
            lift: 'kubectl get pods -A -o yaml',
          }
        : { status: 'not-applicable', reason: 'no pod waits for the webhook' }
    const data = {
      cluster: aks?.name ?? unseen.cluster,
      group: aks?.resourceGroup ?? unseen.group,
      count: list.count,
      observed: String(aks?.addOnEnabled ?? 'not set'),
    }
    const evidence: readonly Evidence[] = [
      { question: azureWebhooks.from, path: 'items[].webhooks[].name', observed: list.count, expected: webhookName },
      { question: azureWaiting.from, path: 'items[].metadata.labels', observed: lacking.slice(0, 20) },
      ...addOn,
    ]
    return aks?.showsAddOn === true && !aks.isArc
      ? { status: 'fail', message: 'add-on-disabled', data, evidence }
      : { status: 'fail', message: 'not-installed', data, evidence }
  },
})
