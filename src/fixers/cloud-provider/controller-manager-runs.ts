/** Has the cloud controller manager tolerate the nodes that it is to take in, and watch them; the taint stays on the nodes. */
import { check } from '../../checks/cloud-provider/controller-manager-runs.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { type Changed, patchObject, rolling } from '../../domain/kubernetes-changes.ts'
import { uninitialized } from '../../domain/kubernetes-cloud-picks.ts'
import { ccm } from '../../probes/cloud-provider/controller.ts'

const needs = { ccm }
type Brief = ProposalBrief<
  typeof needs,
  Record<never, never>,
  { readonly workload: string; readonly namespace: string }
>

function found({ data, have: { ccm } }: Brief) {
  const place = rolling(data.workload, data.namespace)
  const held = ccm.state === 'absent' ? [] : ccm.value.workloads
  const own = held.find(({ workload, namespace }) => workload === data.workload && namespace === data.namespace)
  return place === undefined || own === undefined ? undefined : { place, own }
}

function tolerate(brief: Brief): Proposal {
  const one = found(brief)
  if (one === undefined) return byHand
  const toleration = { key: uninitialized, operator: 'Exists', effect: 'NoSchedule' }
  const path = ['spec', 'template', 'spec', 'tolerations']
  const edit = one.own.hasTolerations ? { path: [...path, '-'], after: toleration } : { path, after: [toleration] }
  const { workload, namespace } = brief.data
  const summary = `Have ${workload} in namespace ${namespace} tolerate ${uninitialized}`
  return [{ summary, safety: 'review', ...anew(patchObject(one.place, [edit])) }]
}

/** Whether its new pods are ready nobody knows before. */
function anew({ effects: [own, ...others], ...changed }: Changed): Changed {
  return { ...changed, effects: [own, ...others, { question: own.question, path: ['status'] }] }
}

/** What somebody has switched off by name is for that person to switch on. */
function watch(brief: Brief): Proposal {
  const one = found(brief)
  const flag = one?.own.flag
  if (one === undefined || flag === undefined || flag.word.includes('-cloud-node')) return byHand
  const edit = { path: flag.path, before: flag.word, after: `${flag.word},cloud-node-controller` }
  const { workload, namespace } = brief.data
  const summary = `Have ${workload} in namespace ${namespace} run the controller that initialises nodes`
  return [{ summary, safety: 'review', ...anew(patchObject(one.place, [edit])) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: { 'toleration-missing': tolerate, 'node-controller-off': watch },
})
