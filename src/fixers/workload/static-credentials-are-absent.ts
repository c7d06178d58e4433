/** Takes out of the pod template what comes before the identity: variables that refer to a Secret, or a mount; the Secret itself stays. */
import { check } from '../../checks/workload/static-credentials-are-absent.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import type { Edit } from '../../domain/kubernetes-changes.ts'
import {
  changeTemplate,
  containerIn,
  type Held,
  named,
  withoutMount,
  withoutVariables,
} from '../../domain/template-changes.ts'
import { template } from '../../probes/workload/template.ts'

const needs = { template }
type Brief<D> = ProposalBrief<typeof needs, Record<never, never>, { readonly container: string } & D>

const take =
  <D>(what: (data: D) => string, edit: (container: Held, data: D) => Edit | undefined) =>
  ({ have: { template }, data }: Brief<D>): Proposal => {
    if (template.state === 'absent') return byHand
    const container = containerIn(template.value, data.container)
    const one = container === undefined ? undefined : edit(container, data)
    if (one === undefined) return byHand
    const summary = `Take ${what(data)} out of container ${data.container} of ${named(template.value)}`
    return [{ summary, safety: 'review', ...changeTemplate(template.value, [one]) }]
  }

type Named = { readonly names: string }
const unset = take<Named>(
  ({ names }) => names.replace(/, (?=[^,]*$)/, ' and '),
  (container, { names }) => withoutVariables(container, names.split(', ')),
)

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  // Keys that stand in the template itself are seen by nobody, so nothing could put them back.
  proposals: {
    'environment-from-secret': (brief: Brief<Named & { by: string }>) =>
      brief.data.by === 'valueFrom' ? unset(brief) : byHand,
    'credentials-file': take<{ source: string; path: string }>(
      ({ source, path }) => `the mount of ${source} at ${path}`,
      (container, { path }) => withoutMount(container, path),
    ),
    'client-secret': unset,
    'key-file-variable': unset,
  },
})
