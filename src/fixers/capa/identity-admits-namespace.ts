/** Adds the one namespace to every identity of the chain that refuses it. */
import { check } from '../../checks/capa/identity-admits-namespace.ts'
import type { Known } from '../../core/fact.ts'
import { at, isList, isObject } from '../../core/json.ts'
import { type Action, byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { admission, type Identity } from '../../domain/capa.ts'
import type { Edit } from '../../domain/kubernetes-changes.ts'
import { identityChain, namespaceLabels, strictness, user } from '../../probes/capa/objects.ts'
import { changeIdentity, mayChange, placeText } from '../capa-change.ts'

const needs = { user, identityChain }
const wants = { namespaceLabels, strictness }
type Brief = ProposalBrief<typeof needs, typeof wants, unknown>

const path = ['spec', 'allowedNamespaces']
/** One name more; `{}`, which is everybody, is never written. */
function widenedBy(namespace: string, { value: { spec } }: Known<Identity>): Edit | undefined {
  const allowed = at(spec, 'allowedNamespaces')
  if (allowed === undefined || allowed === null)
    return { path, ...(allowed === null ? { before: null } : {}), after: { list: [namespace] } }
  if (!isObject(allowed)) return undefined
  const { list } = allowed
  if (isList(list)) return { path: [...path, 'list', '-'], after: namespace }
  return { path: [...path, 'list'], ...(list === null ? { before: null } : {}), after: [namespace] }
}

function admit({ have: { user, identityChain }, want }: Brief): Proposal {
  if (user.state === 'absent' || identityChain.state === 'absent') return byHand
  const { namespace, placed } = user.value
  if (!placed || namespace === '') return byHand
  const labels = want.namespaceLabels.state === 'known' ? want.namespaceLabels.value : undefined
  const strict = want.strictness.state === 'known' ? want.strictness.value : true
  const actions: Action[] = []
  for (const { identity } of identityChain.value.hops) {
    if (identity.state !== 'known' || admission(identity.value.spec, namespace, { labels, strict }).admits !== 'no')
      continue
    const edit = mayChange(identity.value) ? widenedBy(namespace, identity) : undefined
    if (edit === undefined) return byHand
    const summary = `Admit namespace ${namespace} in ${placeText(identity.value)}`
    actions.push({ summary, safety: 'review', ...changeIdentity(identity, [edit]) })
  }
  return actions
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: {
    'admits-nobody': admit,
    'empty-selector': admit,
    'empty-list': admit,
    'source-refuses': admit,
    'not-admitted': admit,
  },
})
