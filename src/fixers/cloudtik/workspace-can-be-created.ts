/** Writes the region of the cluster into the workspace; what the cluster lacks its owner switches on. */
import { check } from '../../checks/cloudtik/workspace-can-be-created.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { editDocument } from '../../domain/document-changes.ts'
import { workspace } from '../../probes/cloudtik/workspace.ts'

const needs = { workspace }
type Data = { readonly key: string; readonly written: string; readonly cluster: string; readonly actual: string }
type Brief = ProposalBrief<typeof needs, Record<never, never>, Data>

function place({ data, have: { workspace } }: Brief): Proposal {
  if (workspace.state === 'absent') return byHand
  const { name, cloud, file } = workspace.value
  const { key, written, cluster } = data
  // A zone of Google's is its region and a letter; a workspace takes regions.
  const actual = cloud === 'gcp' ? data.actual.replace(/^([a-z]+-[a-z]+\d+)-[a-z]$/, '$1') : data.actual
  const edit = { path: ['cloud', key], written: ['provider', 'cloud_provider', key], before: written, after: actual }
  const summary = `Write ${key} ${actual}, where cluster ${cluster} is, into workspace ${name}`
  const document = { kind: 'Workspace', name, ...(file === undefined ? {} : { file }) }
  return [{ summary, safety: 'review', ...editDocument(document, [edit]) }]
}

export const fixer = defineFixer(check, { needs, wants: {}, proposals: { 'region-differs': place } })
