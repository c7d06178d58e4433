/** Makes the ServiceAccount that a workload names, plain: it gets no identity by that. */
import { check } from '../../checks/workload/service-account-exists.ts'
import { byHand, defineFixer, type Proposal } from '../../core/plan.ts'
import type { Subject } from '../../core/subject.ts'
import { createObject } from '../../domain/kubernetes-changes.ts'
import { namedBy } from '../../probes/workload/namesakes.ts'

type Brief = {
  readonly subject: Subject
  readonly have: { readonly namedBy: { readonly state: string; readonly value?: readonly string[] } }
}

/** Only where a workload that was seen names it; a name out of a log alone may be long gone. */
function create({ subject, have: { namedBy } }: Brief): Proposal {
  const { kind, namespace, name } = subject
  if (kind !== 'ServiceAccount' || namespace === undefined || !namedBy.value?.length) return byHand
  const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } }
  const summary = `Create ServiceAccount ${namespace}/${name}, without an identity`
  return [{ summary, safety: 'review', ...createObject({ resource: 'serviceaccounts', namespace, name }, object) }]
}

export const fixer = defineFixer(check, {
  needs: { namedBy },
  wants: {},
  proposals: { 'in-another-namespace': create, missing: create },
})
