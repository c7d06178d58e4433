/** Lets an init container wait for the metadata server, or gives the one client that was heard more time by its own setting. */
import { check } from '../../checks/gcp/client-waits-for-metadata-server.ts'
import { at, listAt, textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { withInitContainer, withVariable } from '../../domain/template-additions.ts'
import { changeTemplate, containersIn, named, type Template } from '../../domain/template-changes.ts'
import { template } from '../../probes/workload/template.ts'

const needs = { template }
type Brief = ProposalBrief<typeof needs, Record<never, never>, unknown>

const token = 'http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token'
/** https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity */
const waiting = {
  name: 'wait-for-metadata-server',
  image: 'gcr.io/google.com/cloudsdktool/google-cloud-cli:stable',
  imagePullPolicy: 'IfNotPresent',
  command: [
    '/bin/bash',
    '-c',
    `curl -sS -o /dev/null -H 'Metadata-Flavor: Google' '${token}' --retry 30 --retry-connrefused --retry-max-time 60 --connect-timeout 3 --fail --retry-all-errors`,
  ],
  resources: {},
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
}

/** Sidecars of the CSI driver that are init containers themselves start before any other. */
const sidecar = 'gke-gcsfuse-sidecar'

function wait({ have: { template } }: Brief): Proposal {
  const held = template.state === 'absent' ? undefined : template.value
  const isFirst = listAt(held?.template, 'spec', 'initContainers').some((one) => textAt(one, 'name') === sidecar)
  // On the host network the node's own metadata server answers.
  if (held === undefined || at(held.template, 'spec', 'hostNetwork') === true || isFirst) return byHand
  const edit = withInitContainer(held, waiting)
  const summary = `Have ${named(held)} wait for the metadata server in an init container`
  return edit === undefined ? byHand : [{ summary, safety: 'review', ...changeTemplate(held, [edit]) }]
}

/** Of several containers it is not known which one gave up. */
const only = (held: Template) => {
  const [one, ...others] = containersIn(held).filter(({ path }) => path[1] === 'containers')
  return others.length === 0 ? one : undefined
}

const patience =
  (name: string, value: string) =>
  (brief: Brief): Proposal => {
    const { template } = brief.have
    if (template.state === 'absent') return byHand
    const container = only(template.value)
    const edit = container === undefined ? undefined : withVariable(container, name, value)
    if (edit === undefined) return wait(brief)
    const summary = `Set ${name}=${value} in the pod template of ${named(template.value)}`
    return [{ summary, safety: 'review', ...changeTemplate(template.value, [edit]) }]
  }

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: {
    'asked-before-ready': wait,
    'gives-up-too-early': patience('GCE_METADATA_TIMEOUT', '30'),
    'remembers-absence': patience('DETECT_GCP_RETRIES', '10'),
  },
})
