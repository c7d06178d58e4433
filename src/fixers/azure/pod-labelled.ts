/** Puts the label that the webhook goes by on the pod template. */
import { check } from '../../checks/azure/pod-labelled.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { useLabel } from '../../domain/azure-pods.ts'
import { patchObject } from '../../domain/kubernetes-changes.ts'
import { kubernetes } from '../../domain/questions.ts'
import { podView, type View } from '../../probes/azure/pods.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'

const needs = { podView }
type Brief = ProposalBrief<typeof needs, Record<never, never>, { readonly workload: string }>

/** Jobs cannot be changed, and bare pods are made anew by nobody. */
const templateAt: { readonly [kind: string]: { readonly resource: string; readonly path: readonly string[] } } = {
  deployment: { resource: 'deployments', path: ['spec', 'template'] },
  statefulset: { resource: 'statefulsets', path: ['spec', 'template'] },
  daemonset: { resource: 'daemonsets', path: ['spec', 'template'] },
  cronjob: { resource: 'cronjobs', path: ['spec', 'jobTemplate', 'spec', 'template'] },
}

function label({ have: { podView }, data: { workload } }: Brief): Proposal {
  if (podView.state === 'absent') return byHand
  const view: View = podView.value
  const template = [...view.templates, ...view.idle].find((one) => workloadOf(one) === workload)
  const [kind = '', name = ''] = workload.split('/')
  const place = templateAt[kind]
  if (template === undefined || place === undefined || name === '') return byHand
  const before = template.labels[useLabel]
  // The template is right already: it is the pod that is old.
  if (before === 'true') return byHand
  const { namespace } = template
  const edit = { path: [...place.path, 'metadata', 'labels', useLabel], after: 'true' }
  const changed = patchObject({ resource: place.resource, namespace, name }, [
    before === undefined ? edit : { ...edit, before },
  ])
  // Only the pods of this template are made anew.
  const pod = view.templates.includes(template) ? view.born?.name : undefined
  const gone = pod === undefined ? [] : [{ question: kubernetes.get('pods', namespace, pod), path: [] }]
  const [own, ...others] = changed.effects
  const summary = `Label the pod template of ${workload} in namespace ${namespace} with ${useLabel}=true`
  return [{ summary, safety: 'review', ...changed, effects: [own, ...others, ...gone] }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: {
    'label-on-workload': label,
    'label-on-service-account': label,
    'label-value': label,
    'label-missing': label,
  },
})
