/** One member of the configuration of a virtual kubelet: in its ConfigMap, in a file, or as the value of the Helm release that owns it. */
import type { Known } from '../core/fact.ts'
import { at } from '../core/json.ts'
import { byHand, type Proposal } from '../core/plan.ts'
import { editDocument } from '../domain/document-changes.ts'
import { withMember } from '../domain/interlink-edits.ts'
import { patchObject } from '../domain/kubernetes-changes.ts'
import { sh } from '../domain/shell-words.ts'
import type { Held } from '../probes/interlink/held.ts'

export type Setting = {
  /** As InterLinkConfig.yaml has it, and as the values of the chart do. */
  readonly member: 'DisableProjectedVolumes' | 'KubernetesApiCaCrt'
  readonly value: string | boolean
  readonly summary: string
}

const valueName = (member: string): string => `${member.charAt(0).toLowerCase()}${member.slice(1)}`

/** Helm writes what its values say again with the next upgrade: there the value is what has to change. */
function inRelease(
  { name, namespace }: { readonly name: string; readonly namespace: string },
  { member, value }: Setting,
): Proposal {
  const path = `interlink.${valueName(member)}`
  const upgrade = sh`helm upgrade ${name} CHART -n ${namespace} --reuse-values`
  const how =
    typeof value === 'boolean'
      ? [`${upgrade} --set ${path}=${value}`]
      : [sh`printf %s ${value} > kubernetes-api-ca.crt`, `${upgrade} --set-file ${path}=kubernetes-api-ca.crt`]
  const words = `Release ${name} of Helm owns the ConfigMap: set ${path} in it, with the chart that it was installed from for CHART, then restart the virtual kubelet and make remote pods anew.`
  return { manual: [words, ...how].join('\n') }
}

export function setMember({ value: held }: Known<Held>, setting: Setting): Proposal {
  const { member, value, summary } = setting
  if (held.in === 'file') {
    const before = at(held.config, member)
    const edit = {
      path: ['config', member],
      written: [member],
      ...(before === undefined ? {} : { before }),
      after: value,
    }
    const place = { kind: 'InterLinkConfig', name: held.name, file: held.file }
    return [{ summary: `${summary} in ${held.file}`, safety: 'review', ...editDocument(place, [edit]) }]
  }
  if (held.release !== undefined) return inRelease(held.release, setting)
  const after = withMember(held.text, member, value)
  if (after === undefined) return byHand
  const place = { resource: 'configmaps', namespace: held.namespace, name: held.name }
  const edit = { path: ['data', 'InterLinkConfig.yaml'], before: held.text, after }
  const where = `ConfigMap ${held.name} of namespace ${held.namespace}`
  return [{ summary: `${summary} in ${where}`, safety: 'review', ...patchObject(place, [edit]) }]
}
