/** Makes a self-installed webhook one that pods can rely on: failing closed, called again, on two replicas. */
import { check } from '../../checks/cluster/webhook-is-dependable.ts'
import { at } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { patchObject, pinned } from '../../domain/kubernetes-changes.ts'
import { webhookDeployments } from '../../probes/cluster/webhook-replicas.ts'
import { webhookService } from '../../probes/cluster/webhook-service.ts'
import { webhookConfiguration } from '../../probes/cluster/webhooks.ts'

const needs = { webhookConfiguration }
const wants = { webhookDeployments, webhookService }
type Hook = { readonly webhook: string; readonly configuration: string }
type Brief<D = unknown> = ProposalBrief<typeof needs, typeof wants, Hook & D>

const hookOf = ({ have: { webhookConfiguration: held }, data }: Brief) =>
  held.state === 'known' ? held.value.webhooks.find(({ name }) => name === data.webhook) : undefined

function set(brief: Brief, member: string, before: string, after: string): Proposal {
  const index = hookOf(brief)?.index
  if (index === undefined) return byHand
  const { webhook, configuration } = brief.data
  const place = { resource: 'mutatingwebhookconfigurations', name: configuration }
  const summary = `Set ${member} ${after} for webhook ${webhook} of ${configuration}`
  return [
    {
      summary,
      safety: 'review',
      ...patchObject(place, [
        { path: ['webhooks', index, member], before, after },
        pinned(['webhooks', index, 'name'], webhook),
      ]),
    },
  ]
}

/** Only where pods without an identity are left out already, and the webhook has somebody to answer: else it would keep all pods from starting. */
function failClosed(brief: Brief): Proposal {
  const hook = hookOf(brief)
  const { webhookService: seen } = brief.want
  const behind = seen.state === 'known' ? seen.value.behind.find(({ webhook }) => webhook === hook?.name) : undefined
  const asksLabel =
    Object.keys(hook?.objectSelector.labels ?? {}).length > 0 ||
    hook?.objectSelector.expressions.some(({ operator }) => operator === 'In' || operator === 'Exists') === true
  return asksLabel && (behind?.ready ?? 0) > 0 ? set(brief, 'failurePolicy', 'Ignore', 'Fail') : byHand
}

function twice({
  want: { webhookDeployments },
  data: { webhook, count, namespace },
}: Brief<{ count: number; namespace: string }>): Proposal {
  const held = webhookDeployments.state === 'known' ? webhookDeployments.value.get(webhook) : undefined
  if (held === undefined || at(held.object, 'spec', 'replicas') !== count) return byHand
  const summary = `Scale deployment/${held.name} in namespace ${namespace} to 2 replicas`
  const place = { resource: 'deployments', namespace, name: held.name }
  return [
    { summary, safety: 'review', ...patchObject(place, [{ path: ['spec', 'replicas'], before: count, after: 2 }]) },
  ]
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  // Which of two installations goes is for whoever made them.
  proposals: {
    'fails-open': failClosed,
    'never-reinvoked': (brief) => set(brief, 'reinvocationPolicy', 'Never', 'IfNeeded'),
    'single-replica': twice,
  },
})
