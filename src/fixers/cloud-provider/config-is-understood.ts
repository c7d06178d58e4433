/** Renames a key of a cloud config to the one that its provider reads; no value is looked at. */
import { check } from '../../checks/cloud-provider/config-is-understood.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { editDocument } from '../../domain/document-changes.ts'
import { configs } from '../../probes/cloud-provider/configs.ts'

const needs = { configs }
type Data = { readonly section: string; readonly key: string; readonly expected: string }
type Brief = ProposalBrief<typeof needs, Record<never, never>, Data>

function rename({ data, finding, have: { configs } }: Brief): Proposal {
  const { section, key, expected } = data
  const where = finding.evidence?.[0]?.path ?? ''
  const held = configs.state === 'absent' ? [] : configs.value
  const config = held.find(({ path }) => where === path || where.startsWith(`${path}:`))
  // Several names to choose from; a Secret or a ConfigMap, whose text is not kept.
  if (/[, ]/.test(expected) || config?.file === undefined) return byHand
  const sections = config.sections.flatMap((one, index) => (one.name === section ? [{ ...one, index }] : []))
  const [own] = sections
  const index = own?.keys.findIndex((one) => one.key === key) ?? -1
  const isTaken = own?.keys.some((one) => one.key.toLowerCase() === expected.toLowerCase())
  const isLeft = config.sections.some(({ keys }) => keys.some(({ state }) => state === 'placeholder'))
  if (own === undefined || sections.length > 1 || index < 0 || isTaken === true) return byHand
  // Somebody has to go through such a file anyway.
  if (isLeft) return byHand
  const written = [section, expected]
  const edit = { path: ['sections', own.index, 'keys', index, 'key'], written, before: key, after: expected }
  const isIni = !/\.(?:ya?ml|json)$/i.test(config.file) && section !== ''
  const words = isIni ? [{ section, from: key, to: expected }] : []
  const summary = `Rename ${key} to ${expected} in [${section}] of ${config.path}`
  const place = { kind: 'CloudConfig', name: config.path, file: config.file }
  return [{ summary, safety: 'review', ...editDocument(place, [edit], words) }]
}

export const fixer = defineFixer(check, { needs, wants: {}, proposals: { 'key-of-another-provider': rename } })
