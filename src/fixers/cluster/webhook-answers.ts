/** Opens the port of the identity webhook in the policy that closes it, and nothing else. */
import { check } from '../../checks/cluster/webhook-answers.ts'
import { at, listAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { patchObject } from '../../domain/kubernetes-changes.ts'
import { policiesOfWebhook } from '../../probes/cluster/webhook-objects.ts'

const needs = { policiesOfWebhook }
type Brief = ProposalBrief<typeof needs, Record<never, never>, { namespace: string; policy: string; port: string }>

function open({ have: { policiesOfWebhook }, data: { namespace, policy: name, port } }: Brief): Proposal {
  if (policiesOfWebhook.state === 'absent') return byHand
  const policy = policiesOfWebhook.value.get(`${namespace}/${name}`)
  if (policy === undefined) return byHand
  const before = at(policy, 'spec', 'ingress')
  // Without a from: the API server is no pod, and has no address that a policy could name.
  const rule = { ports: [{ protocol: 'TCP', port: /^\d+$/.test(port) ? Number(port) : port }] }
  const edit = {
    path: ['spec', 'ingress'],
    ...(before === undefined ? {} : { before }),
    after: [...listAt(policy, 'spec', 'ingress'), rule],
  }
  const summary = `Let NetworkPolicy ${name} in namespace ${namespace} admit TCP port ${port} to the pods that it selects`
  return [{ summary, safety: 'review', ...patchObject({ resource: 'networkpolicies', namespace, name }, [edit]) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  // Pods that do not come up, firewalls, certificates and limits are for whoever runs the webhook.
  proposals: { 'network-policy-blocks': open },
})
