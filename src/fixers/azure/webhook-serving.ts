/** Has the Deployment of a self-installed webhook make its pods anew. */
import { check } from '../../checks/azure/webhook-serving.ts'
import { type Action, byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { restartWorkload } from '../../domain/kubernetes-changes.ts'
import { kubernetes } from '../../domain/questions.ts'
import { azureWebhookService, azureWebhooks, calledDeployment, deploymentName } from '../../probes/azure/webhook.ts'

const needs = { azureWebhooks, azureWebhookService, calledDeployment }
type Data = { readonly namespace: string; readonly addOn: string }
type Brief = ProposalBrief<typeof needs, Record<never, never>, Data>

/** What the add-on runs, Azure puts right; and where no pod is there is none to make anew. */
function restart({ have, data: { addOn } }: Brief): Proposal {
  const { azureWebhooks, azureWebhookService, calledDeployment } = have
  if (azureWebhooks.state === 'absent' || azureWebhookService.state === 'absent' || calledDeployment.state === 'absent')
    return byHand
  const pods = azureWebhookService.value.behind[0]?.pods ?? []
  // A bundle that nobody writes is kept from being written: a running webhook would do it by itself.
  if (addOn === 'yes' || azureWebhooks.value.hooks[0]?.webhook.caBundle === '' || pods.length === 0) return byHand
  const { namespace } = calledDeployment.value
  const place = { resource: 'deployments', namespace, name: deploymentName }
  const changed = restartWorkload(
    place,
    pods.map(({ name }) => name),
  )
  // Which endpoints the new pods have is not known before they are there.
  const endpoints = { question: kubernetes.list('endpointslices', namespace), path: [] }
  const action: Action = {
    summary: `Restart deployment/${deploymentName} in namespace ${namespace}, so that the webhook comes up anew`,
    safety: 'review',
    ...changed,
    effects: [...changed.effects, endpoints],
  }
  return [action]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  // Firewalls, policies and memory limits are for whoever runs the webhook.
  proposals: { 'no-endpoints': restart, 'tls-broken': restart, 'call-failed': restart },
})
