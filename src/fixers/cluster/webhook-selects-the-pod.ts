/** Gives the pod template the one label that the webhook's selector asks for; the selector stays as it is. */
import { check } from '../../checks/cluster/webhook-selects-the-pod.ts'
import { at, isObject, textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { changeTemplate, named } from '../../domain/template-changes.ts'
import { unmet } from '../../domain/webhooks.ts'
import { mutatingWebhooks } from '../../probes/cluster/webhooks.ts'
import { template } from '../../probes/workload/template.ts'

const needs = { template, mutatingWebhooks }
type Brief = ProposalBrief<typeof needs, Record<never, never>, { webhook: string }>

function label({ have: { template, mutatingWebhooks }, data: { webhook } }: Brief): Proposal {
  if (template.state === 'absent' || mutatingWebhooks.state === 'absent') return byHand
  const hook = mutatingWebhooks.value.items.flatMap(({ webhooks }) => webhooks).find(({ name }) => name === webhook)
  const labels = at(template.value.template, 'metadata', 'labels')
  const held = Object.fromEntries(
    Object.entries(isObject(labels) ? labels : {}).flatMap(([key]) => {
      const value = textAt(labels, key)
      return value === undefined ? [] : [[key, value]]
    }),
  )
  const asked = hook === undefined ? undefined : unmet(hook.objectSelector, held)
  const value = asked?.operator === 'Exists' ? 'true' : asked?.values.length === 1 ? asked.values[0] : undefined
  // Another value that is there already may be what Services and other policies go by.
  if (hook === undefined || asked === undefined || value === undefined || asked.key in held) return byHand
  if (asked.operator !== 'In' && asked.operator !== 'Exists') return byHand
  if (unmet(hook.objectSelector, { ...held, [asked.key]: value }) !== undefined) return byHand
  const edit = { path: ['metadata', 'labels', asked.key], after: value }
  const summary = `Label the pod template of ${named(template.value)} ${asked.key}=${value}, as ${webhook} asks`
  return [{ summary, safety: 'review', ...changeTemplate(template.value, [edit]) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  // A label on a namespace is about everybody in it.
  proposals: { 'object-not-selected': label },
})
