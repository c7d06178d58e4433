/** Writes the version that is served, or the field that was meant, into a manifest or an AWSIAMConfiguration. */
import { check } from '../../checks/capa/manifests-are-current.ts'
import { at, type Json } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { editDocument, renamed } from '../../domain/document-changes.ts'
import { bootstrap } from '../../probes/capa/bootstrap.ts'
import { infrastructure } from '../../probes/capa/manifests.ts'
import { identity } from '../../probes/capa/objects.ts'
import { changeIdentity, mayChange, placeText } from '../capa-change.ts'

const wants = { identity, bootstrap }
type Brief<D> = ProposalBrief<Record<never, never>, typeof wants, D>
const current = `${infrastructure}/v1beta2`

/** Both versions have the same fields. */
function version({
  data,
  want: { identity },
}: Brief<{ readonly apiVersion: string; readonly served?: string }>): Proposal {
  if (identity.state !== 'known' || identity.value.served || identity.value.apiVersion !== data.apiVersion)
    return byHand
  // A cluster of another release may serve none of the two.
  if (data.served !== undefined && !data.served.split(', ').includes('v1beta2')) return byHand
  const edit = { path: ['apiVersion'], before: data.apiVersion, after: current }
  const summary = `Write apiVersion ${current} into ${placeText(identity.value)}`
  return [{ summary, safety: 'safe', ...changeIdentity(identity, [edit]) }]
}

const occurrences = (value: Json, key: string): number => JSON.stringify(value).split(`"${key}":`).length - 1

function field({ data, want }: Brief<{ readonly path: string; readonly expected: string }>): Proposal {
  const path = data.path.split('.')
  const written = path.at(-1) ?? ''
  const of = want.bootstrap.state === 'known' ? want.bootstrap : want.identity
  if (data.expected.startsWith('one of ') || of.state !== 'known') return byHand
  const spec: Json = of.value.spec
  const value = at(spec, ...path.slice(1))
  const taken = at(spec, ...path.slice(1, -1), data.expected)
  const [first, ...rest] = renamed(value, path, data.expected)
  if (value === undefined || taken !== undefined || first === undefined) return byHand
  const what = `${data.expected} in the place of ${data.path}`
  if (want.bootstrap.state === 'known') {
    const { name, file } = want.bootstrap.value
    const words = occurrences(spec, written) === 1 ? [{ from: `${written}:`, to: `${data.expected}:` }] : []
    const place = { kind: 'AWSIAMConfiguration', name, ...(file === undefined ? {} : { file }) }
    const summary = `Write ${what} into AWSIAMConfiguration ${name}`
    return [{ summary, safety: 'safe', ...editDocument(place, [first, ...rest], words) }]
  }
  if (want.identity.state !== 'known' || !mayChange(want.identity.value)) return byHand
  const summary = `Write ${what} into ${placeText(want.identity.value)}`
  return [{ summary, safety: 'safe', ...changeIdentity(want.identity, [first, ...rest]) }]
}

export const fixer = defineFixer(check, {
  needs: {},
  wants,
  proposals: { 'version-not-served': version, 'retired-version': version, 'unknown-field': field },
})
