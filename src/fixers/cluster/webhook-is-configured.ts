/** Puts the webhook of EKS back where it is gone, or gives an identity webhook the rule that its chart has. */
import { check } from '../../checks/cluster/webhook-is-configured.ts'
import { at, type JsonObject, listAt, textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { createObject, patchObject, pinned } from '../../domain/kubernetes-changes.ts'
import { mechanismNames } from '../../domain/webhooks.ts'
import { eksAuthority, webhookObjects } from '../../probes/cluster/webhook-objects.ts'

const needs = { webhookObjects }
const wants = { eksAuthority }
type Brief<D> = ProposalBrief<typeof needs, typeof wants, D>

const resource = 'mutatingwebhookconfigurations'
const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }

/** As EKS makes it; the control plane itself answers: https://github.com/aws/amazon-eks-pod-identity-webhook/issues/135 */
const ofEks = (caBundle: string): JsonObject => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  metadata: { name: 'pod-identity-webhook' },
  webhooks: [
    {
      name: 'iam-for-pods.amazonaws.com',
      admissionReviewVersions: ['v1beta1'],
      clientConfig: { caBundle, url: 'https://127.0.0.1:23443/mutate' },
      failurePolicy: 'Ignore',
      matchPolicy: 'Equivalent',
      namespaceSelector: {},
      objectSelector: {
        matchExpressions: [{ key: 'eks.amazonaws.com/skip-pod-identity-webhook', operator: 'DoesNotExist' }],
      },
      reinvocationPolicy: 'IfNeeded',
      rules: [{ ...rule, scope: '*' }],
      sideEffects: 'None',
      timeoutSeconds: 10,
    },
  ],
})

function putBack({ want: { eksAuthority }, data: { mechanism } }: Brief<{ mechanism: string }>): Proposal {
  if (mechanism !== mechanismNames.AWS || eksAuthority.state !== 'known') return byHand
  const object = ofEks(eksAuthority.value)
  const summary =
    'Create the MutatingWebhookConfiguration pod-identity-webhook as EKS makes it, with the CA of the cluster'
  return [{ summary, safety: 'review', ...createObject({ resource, name: 'pod-identity-webhook' }, object) }]
}

function giveRule({ have, data }: Brief<{ webhook: string; configuration: string }>): Proposal {
  const held = have.webhookObjects.state === 'known' ? have.webhookObjects.value.get(data.configuration) : undefined
  const index = held?.findIndex((one) => textAt(one, 'name') === data.webhook) ?? -1
  if (held === undefined || index < 0) return byHand
  const before = at(held[index] ?? null, 'rules')
  const edit = {
    path: ['webhooks', index, 'rules'],
    ...(before === undefined ? {} : { before }),
    after: [...listAt(held[index], 'rules'), rule],
  }
  const summary = `Have webhook ${data.webhook} of ${data.configuration} called when a pod is created`
  return [
    {
      summary,
      safety: 'review',
      ...patchObject({ resource, name: data.configuration }, [edit, pinned(['webhooks', index, 'name'], data.webhook)]),
    },
  ]
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: { missing: putBack, 'no-pod-create-rule': giveRule },
})
