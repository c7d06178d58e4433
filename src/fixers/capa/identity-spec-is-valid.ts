/** Writes an identity as its schema has it, where it is certain what was meant; nobody is let in by it who was not named. */
import { check } from '../../checks/capa/identity-spec-is-valid.ts'
import { at, isList } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { renamed } from '../../domain/document-changes.ts'
import { identity } from '../../probes/capa/objects.ts'
import { changeIdentity, mayChange, placeText } from '../capa-change.ts'

const wants = { identity }
type Brief<D = unknown> = ProposalBrief<Record<never, never>, typeof wants, D>

/** The same names as an object. */
function asObject({ want: { identity } }: Brief): Proposal {
  if (identity.state !== 'known' || !mayChange(identity.value)) return byHand
  const before = at(identity.value.spec, 'allowedNamespaces')
  // An empty list admits nobody, and what it was to say nobody knows.
  if (!isList(before) || before.length === 0 || !before.every((one) => typeof one === 'string')) return byHand
  const edit = { path: ['spec', 'allowedNamespaces'], before, after: { list: before } }
  const summary = `Write the namespaces of allowedNamespaces below list in ${placeText(identity.value)}`
  return [{ summary, safety: 'review', ...changeIdentity(identity, [edit]) }]
}

function source({ data, want: { identity } }: Brief<{ readonly written: string }>): Proposal {
  if (identity.state !== 'known' || !mayChange(identity.value)) return byHand
  const value = at(identity.value.spec, data.written)
  const [first, ...rest] = renamed(value, ['spec', data.written], 'sourceIdentityRef')
  // Beside the spec the key was kept, not what stands under it.
  if (value === undefined || first === undefined) return byHand
  const summary = `Write sourceIdentityRef in the place of ${data.written} in ${placeText(identity.value)}`
  return [{ summary, safety: 'review', ...changeIdentity(identity, [first, ...rest]) }]
}

const hour = 3600
function session({ want: { identity } }: Brief): Proposal {
  if (identity.state !== 'known' || !mayChange(identity.value)) return byHand
  const before = at(identity.value.spec, 'durationSeconds')
  if (typeof before !== 'number') return byHand
  const edit = { path: ['spec', 'durationSeconds'], before, after: hour }
  const summary = `Ask for sessions of ${hour} s in ${placeText(identity.value)}`
  return [{ summary, safety: 'review', ...changeIdentity(identity, [edit]) }]
}

export const fixer = defineFixer(check, {
  needs: {},
  wants,
  // Text in the place of an object, a singleton of another name: what should stand there is for a person to say.
  proposals: { 'namespaces-not-an-object': asObject, 'source-misspelt': source, 'chained-session-too-long': session },
})
