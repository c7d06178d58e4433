/** Adds the missing one of the two paths to the Ingress, with the backend of the other; nothing beyond them is published. */
import { check } from '../../checks/interlink/api-route-is-complete.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { patchObject } from '../../domain/kubernetes-changes.ts'
import { route } from '../../probes/interlink/route.ts'

const needs = { route }
type Brief = ProposalBrief<typeof needs, Record<never, never>, { readonly missing: string }>

function publish({ data: { missing }, have: { route } }: Brief): Proposal {
  const model = route.state === 'absent' ? undefined : route.value.model
  // A path with a pattern in it is rewritten on its way, which only its author knows how to do for another.
  if (route.state === 'absent' || model === undefined || !/^\/apis?$/.test(missing)) return byHand
  const { namespace, name } = route.value
  const edit = { path: ['spec', 'rules', model.rule, 'http', 'paths', '-'], after: { ...model.entry, path: missing } }
  const summary = `Publish ${missing} in Ingress ${name} of namespace ${namespace}, to where ${model.path} leads`
  const place = { resource: 'ingresses', namespace, name }
  return [{ summary, safety: 'review', ...patchObject(place, [edit]) }]
}

export const fixer = defineFixer(check, { needs, wants: {}, proposals: { 'path-missing': publish } })
