/** Whether somebody takes new nodes in: the cloud controller manager is there, may run on them and looks after them. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { uninitialized } from '../../domain/kubernetes-cloud-picks.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { controllerConcerns } from '../../probes/cloud-provider/concerns.ts'
import { ccm, type Workload } from '../../probes/cloud-provider/controller.ts'
import { ofController } from '../../probes/cloud-provider/errors.ts'

type Named = { readonly workload: string; readonly namespace: string }

const edit = ({ workload, namespace }: Named): string => sh`kubectl edit ${workload} -n ${namespace}`

export const check = defineCheck({
  meta: {
    id: 'cloud-provider/controller-manager-runs',
    title: 'The cloud controller manager runs, tolerates new nodes and watches them',
    severity: 'error',
    scope: 'cluster',
    cloud: 'any',
    section: 'Cloud provider',
    why: 'A node of an external cloud provider takes no pods until the cloud controller manager has taken it in.',
    fix: {
      safety: 'review',
      does: 'Add the toleration of node.cloudprovider.kubernetes.io/uninitialized to the pod template, or cloud-node to --controllers; never take the taint off the nodes instead.',
    },
    links: [
      'https://github.com/stackitcloud/cloud-provider-stackit/pull/1517',
      'https://github.com/kubernetes/cloud-provider-openstack/issues/140',
    ],
  },
  only: { probe: controllerConcerns, otherwise: 'no node waits for a cloud controller manager, and none is there' },
  needs: {},
  wants: { ccm, ofController },
  after: ['cloud-provider/flags-fit-the-version'],
  messages: {
    absent: ({ count }: { count: number }) =>
      `${count} ${count === 1 ? 'node waits' : 'nodes wait'} for a cloud controller manager, and none is installed`,
    'toleration-missing': ({ workload }: Named) =>
      `${workload} does not tolerate ${uninitialized}, the taint that only it removes`,
    'node-controller-off': ({ workload, value }: Named & { value: string }) =>
      `${workload} runs with --controllers=${value}, without the controller that initialises nodes`,
    'not-ready': ({ workload, ready, desired, reason }: Named & { ready: number; desired: number; reason: string }) =>
      `${workload} has ${ready} of ${desired} pods ready (${reason})`,
    'permissions-missing': ({ role, workload, actions }: { role: string; workload: string; actions: string }) =>
      `${role} of ${workload} lacks ${actions}`,
  },
  remedies: {
    absent: () =>
      advice(
        'Install the cloud controller manager of the cloud, with an identity of its own. Leave the taint on the nodes: without it their cloud never learns of them.',
        'kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints[*].key',
      ),
    'toleration-missing': (data) =>
      advice(
        `Add {key: ${uninitialized}, operator: Exists, effect: NoSchedule} to the tolerations of the pod template of ${data.workload}. Leave the taint on the nodes.`,
        edit(data),
      ),
    'node-controller-off': (data) =>
      advice(`Add cloud-node to --controllers of ${data.workload}, or take the flag out.`, edit(data)),
    'not-ready': ({ workload, namespace }) =>
      advice(
        `Look at what keeps the pods of ${workload} from being ready.`,
        sh`kubectl describe ${workload} -n ${namespace}`,
        sh`kubectl logs ${workload} -n ${namespace} --tail=100`,
      ),
    'permissions-missing': ({ role, actions }) =>
      advice(`Allow ${actions} to ${role}; the documentation of the provider lists what its controller needs.`),
  },
  judge: ({ want }) => {
    const said = want.ofController.state === 'known' ? want.ofController.value : []
    const heard = said.map(ofError)
    const state = want.ccm.state === 'known' ? want.ccm.value : undefined
    const [, role, action] =
      said
        .map(({ text }) => /([\w+=,.@/:-]{3,200}) is not authorized to perform: ([a-z0-9-]{2,40}:\w{2,80})/.exec(text))
        .find((found) => found !== null) ?? []
    if (state === undefined) {
      if (role !== undefined && action !== undefined)
        return {
          status: 'fail',
          message: 'permissions-missing',
          data: { role: roleIn(role), workload: 'the cloud controller manager', actions: action },
          evidence: heard,
        }
      return said.some(({ text }) => /failed to get instance metadata/.test(text))
        ? {
            status: 'undecided',
            lacks: 'the cloud controller manager was not seen',
            lift: 'kubectl get deployments,daemonsets -A -o yaml > workloads.yaml',
            evidence: heard,
          }
        : { status: 'not-applicable', reason: 'no node waits for a cloud controller manager, and none was seen' }
    }
    const { workloads, waiting, managed, complete, unseen } = state
    const seen = ({ workload, namespace, from }: Workload, path: string, observed: string | number): Evidence => ({
      question: from,
      path: `${namespace}/${workload}: ${path}`,
      observed,
    })
    if (workloads.length === 0) {
      if (managed) return { status: 'not-applicable', reason: 'the cluster is managed and runs it elsewhere' }
      if (complete && waiting.length > 0)
        return {
          status: 'fail',
          message: 'absent',
          data: { count: waiting.length },
          evidence: [{ question: want.ccm.from, path: 'items', observed: [] }, ...heard],
        }
      return {
        status: 'undecided',
        lacks: unseen?.detail ?? 'whether a cloud controller manager is installed was not seen',
        lift: 'kubectl get deployments,daemonsets -A -o yaml > workloads.yaml, and kubectl get nodes -o yaml > nodes.yaml',
      }
    }
    const kept = workloads.find(({ tolerates }) => !tolerates)
    if (kept !== undefined)
      return {
        status: 'fail',
        message: 'toleration-missing',
        data: { workload: kept.workload, namespace: kept.namespace },
        evidence: [
          { ...seen(kept, 'spec.template.spec.tolerations', 'none that fits'), expected: uninitialized },
          ...heard,
        ],
      }
    const off = workloads.find((one) => !watchesNodes(one))
    if (off !== undefined && workloads.every((one) => !watchesNodes(one)))
      return {
        status: 'fail',
        message: 'node-controller-off',
        data: { workload: off.workload, namespace: off.namespace, value: off.controllers ?? '' },
        evidence: [seen(off, '--controllers', off.controllers ?? ''), ...heard],
      }
    const idle = workloads.find(({ ready, desired }) => ready !== undefined && desired !== undefined && ready < desired)
    if (idle !== undefined) {
      const { workload, namespace, ready = 0, desired = 0 } = idle
      const reason = said[0] === undefined ? 'its pods tell why' : 'what was logged tells why'
      return {
        status: 'fail',
        message: 'not-ready',
        data: { workload, namespace, ready, desired, reason },
        evidence: [{ ...seen(idle, 'status.readyReplicas', ready), expected: desired }, ...heard],
      }
    }
    if (role !== undefined && action !== undefined)
      return {
        status: 'fail',
        message: 'permissions-missing',
        data: { role: roleIn(role), workload: workloads[0]?.workload ?? '', actions: action },
        evidence: heard,
      }
    const silent = workloads.find(({ ready }) => ready === undefined)
    if (silent !== undefined)
      return {
        status: 'undecided',
        lacks: `whether ${silent.workload} runs was not seen`,
        lift: sh`kubectl get ${silent.workload} -n ${silent.namespace} -o yaml > controller.yaml`,
      }
    return { status: 'pass', evidence: workloads.map((one) => seen(one, 'status.readyReplicas', one.ready ?? 0)) }
  },
})

/** `arn:aws:sts::111122223333:assumed-role/control-plane/i-0…` → `control-plane`. */
const roleIn = (principal: string): string => /assumed-role\/([^/]{1,80})/.exec(principal)?.[1] ?? principal

/** A name with a minus before it is off, whatever the star says: https://kubernetes.io/docs/reference/command-line-tools-reference/cloud-controller-manager/ */
function watchesNodes({ controllers }: Workload): boolean {
  const names = (controllers ?? '*').split(',').map((one) => one.trim())
  const own = ['cloud-node', 'cloud-node-controller']
  return !own.some((name) => names.includes(`-${name}`)) && ['*', ...own].some((name) => names.includes(name))
}
