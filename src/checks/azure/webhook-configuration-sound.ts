/** Whether the Azure identity webhook is there once, fails closed and is called again for later sidecars. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { type AksName, unseen, updateAks } from '../../domain/azure-advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { azureCluster } from '../../probes/azure/cluster.ts'
import { held, ofError } from '../../probes/azure/evidence.ts'
import { azureInUse } from '../../probes/azure/use.ts'
import { addOnRelease, azureWebhooks, deploymentName, webhookDeployments } from '../../probes/azure/webhook.ts'
import { observedErrors } from '../../probes/cluster/observed-errors.ts'

const refused =
  /mutatingwebhookconfigurations\.admissionregistration\.k8s\.io "(azure-wi-webhook-mutating-webhook-configuration)" is forbidden(?:: User "([^"]{1,200})")?/

type Seen = AksName & { readonly configuration: string; readonly observed: string }

const removeOne = (data: Seen): string =>
  advice(
    'Have whoever installed the chart remove it, and reconcile the add-on of the cluster; one of the two has to go.',
    'helm list -A --filter workload-identity',
    'helm uninstall workload-identity-webhook -n azure-workload-identity-system',
    updateAks(data),
  )
const upgrade = ({ configuration, observed }: Seen): string =>
  advice(
    `Bring the webhook to v1.0.0 or later, whose chart sets this right (${configuration} has ${observed}); do not patch the configuration by hand.`,
    'helm upgrade workload-identity-webhook azure-workload-identity/workload-identity-webhook -n azure-workload-identity-system --reuse-values',
    sh`kubectl get mutatingwebhookconfiguration ${configuration} -o yaml`,
  )

export const check = defineCheck({
  meta: {
    id: 'azure/webhook-configuration-sound',
    title: 'The webhook is installed once, holds pods back while it is away and sees later sidecars',
    severity: 'warning',
    scope: 'cluster',
    cloud: 'azure',
    section: 'Webhook',
    why: 'A webhook that fails open lets pods start without identity while it is away; two installations overwrite each other.',
    fix: {
      safety: 'manual',
      does: 'Uninstall the self-installed release and reconcile the add-on, or upgrade the webhook to v1.0.0 or later. Never patch the admission webhook by hand.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/856',
      'https://github.com/Azure/azure-workload-identity/issues/1023',
      'https://github.com/Azure/AKS/issues/5472',
      'https://github.com/Azure/azure-workload-identity/issues/709',
      'https://github.com/Azure/azure-workload-identity/issues/790',
      'https://github.com/Azure/azure-workload-identity/issues/791',
      'https://github.com/Azure/azure-workload-identity/issues/601',
    ],
  },
  only: { probe: azureInUse, otherwise: 'nothing here is bound to Azure' },
  needs: {},
  wants: { azureWebhooks, webhookDeployments, azureCluster, observedErrors },
  after: ['azure/webhook-installed'],
  covers: ['cluster/webhook-is-dependable'],
  messages: {
    'installed-twice': ({ observed, configuration }: Seen) =>
      `the webhook runs in namespaces ${observed}, expected one; add-on and Helm chart overwrite each other's ${configuration}`,
    'foreign-owner': ({ cluster, configuration, observed }: Seen) =>
      `the add-on of cluster ${cluster} is enabled, but ${configuration} belongs to Helm release ${observed}, expected ${addOnRelease}`,
    'certificate-not-written': ({ user, configuration }: Seen & { user: string }) =>
      `${user} may not update ${configuration}, so its caBundle goes stale; typical for a second installation next to the AKS add-on`,
    'fails-open': ({ configuration, observed }: Seen) =>
      `failurePolicy of ${configuration} is ${observed}, expected Fail; pods created while the webhook is away start without an identity`,
    'not-reinvoked': ({ configuration, observed }: Seen) =>
      `reinvocationPolicy of ${configuration} is ${observed}, expected IfNeeded; containers added by later webhooks (Dapr, Istio) get no identity`,
  },
  remedies: {
    'installed-twice': removeOne,
    'foreign-owner': removeOne,
    'certificate-not-written': removeOne,
    'fails-open': upgrade,
    'not-reinvoked': upgrade,
  },
  judge: ({ want: { azureWebhooks, webhookDeployments, azureCluster, observedErrors } }) => {
    const hooks = held(azureWebhooks)?.hooks ?? []
    const aks = held(azureCluster)
    const base = { cluster: aks?.name ?? unseen.cluster, group: aks?.resourceGroup ?? unseen.group }
    const configuration = hooks[0]?.configuration.name ?? 'azure-wi-webhook-mutating-webhook-configuration'
    const spaces = held(webhookDeployments) ?? []
    if (spaces.length > 1)
      return {
        status: 'fail',
        message: 'installed-twice',
        data: { ...base, configuration, observed: spaces.join(' and ') },
        evidence: [
          {
            question: webhookDeployments.from,
            path: `items["${deploymentName}"].metadata.namespace`,
            observed: spaces,
          },
        ],
      }
    const evidence: Evidence[] = []
    for (const { configuration: one } of hooks) {
      const release = one.annotations['meta.helm.sh/release-name']
      if (aks?.addOnEnabled === true && release !== undefined && release !== addOnRelease)
        return {
          status: 'fail',
          message: 'foreign-owner',
          data: { ...base, configuration: one.name, observed: release },
          evidence: [
            {
              question: azureWebhooks.from,
              path: `items["${one.name}"].metadata.annotations["meta.helm.sh/release-name"]`,
              observed: release,
              expected: addOnRelease,
            },
          ],
        }
    }
    for (const error of held(observedErrors) ?? []) {
      const [, name, user = 'the webhook'] = refused.exec(error.text) ?? []
      if (name !== undefined)
        return {
          status: 'fail',
          message: 'certificate-not-written',
          data: { ...base, configuration: name, user, observed: user },
          evidence: [ofError(error)],
        }
    }
    const see = (name: string, index: number, member: string, observed: string, expected: string): Evidence => ({
      question: azureWebhooks.from,
      path: `items["${name}"].webhooks[${index}].${member}`,
      observed,
      expected,
    })
    for (const {
      configuration: { name },
      webhook,
    } of hooks) {
      const { failurePolicy, index } = webhook
      if (failurePolicy === undefined) continue
      const seen = see(name, index, 'failurePolicy', failurePolicy, 'Fail')
      if (failurePolicy !== 'Fail')
        return {
          status: 'fail',
          message: 'fails-open',
          data: { ...base, configuration: name, observed: failurePolicy },
          evidence: [seen],
        }
      evidence.push(seen)
    }
    for (const {
      configuration: { name },
      webhook,
    } of hooks) {
      const { reinvocationPolicy, index } = webhook
      if (reinvocationPolicy === undefined) continue
      const seen = see(name, index, 'reinvocationPolicy', reinvocationPolicy, 'IfNeeded')
      if (reinvocationPolicy !== 'IfNeeded')
        return {
          status: 'fail',
          message: 'not-reinvoked',
          data: { ...base, configuration: name, observed: reinvocationPolicy },
          evidence: [seen],
        }
      evidence.push(seen)
    }
    if (hooks.length === 0)
      return azureWebhooks.state === 'known' && azureWebhooks.value.complete
        ? { status: 'not-applicable', reason: 'the webhook is not installed' }
        : {
            status: 'undecided',
            lacks: 'the webhook was not seen',
            lift: 'kubectl get mutatingwebhookconfigurations -o yaml',
          }
    return evidence.length < 2 * hooks.length
      ? { status: 'undecided', lacks: `not all of what ${configuration} says was seen`, evidence }
      : { status: 'pass', evidence }
  },
})
