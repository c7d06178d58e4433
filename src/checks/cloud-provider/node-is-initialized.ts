/** Whether a node's cloud has taken it in. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { uninitialized } from '../../domain/kubernetes-cloud-picks.ts'
import { sh } from '../../domain/shell-words.ts'
import { providerOf } from '../../knowledge/cloud-providers.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import {
  cloudNode,
  nodeConcerns,
  nodesMachine,
  otherNodes,
  saidOfNode,
  waited,
} from '../../probes/cloud-provider/node.ts'
import { declared } from '../../probes/cloud-provider/plan.ts'

type Named = { readonly node: string }

const patience = 5 * 60_000
const look = ({ node }: Named): string => sh`kubectl describe node/${node}`
const leave = 'Leave the taint on the node: without it its cloud never learns of it.'

export const check = defineCheck({
  meta: {
    id: 'cloud-provider/node-is-initialized',
    title: "Each node is initialised by its cloud and carries that cloud's providerID",
    severity: 'error',
    scope: 'node',
    cloud: 'any',
    section: 'Cloud provider',
    why: 'A node that its cloud has not taken in has no addresses, zones or volumes, and takes no pods.',
    fix: {
      safety: 'manual',
      does: 'Name the reason (name, tag, controller, permission) and put that right; never take the taint off by hand, which hides the node from its cloud.',
    },
    links: [
      'https://github.com/awslabs/amazon-eks-ami/issues/1446',
      'https://github.com/kubernetes/cloud-provider-aws/issues/72',
      'https://github.com/kubernetes/cloud-provider-openstack/issues/140',
      'https://github.com/rancher/rke2/issues/7822',
      'https://github.com/jlmeeker/kismatic/blob/57f9005a1f1a/docs/design-decisions/cloud-provider.md',
    ],
  },
  only: { probe: nodeConcerns, otherwise: 'no cloud is to initialise the node' },
  needs: {},
  wants: { cloudNode, saidOfNode, nodesMachine, waited, declared, otherNodes },
  after: ['cloud-provider/controller-manager-runs'],
  messages: {
    'name-differs': ({ node, instance, dns }: Named & { instance: string; dns: string }) =>
      `node ${node} is no private DNS name of an instance; instance ${instance} is ${dns}`,
    'cluster-tag-missing': ({ instance, node, cluster }: Named & { instance: string; cluster: string }) =>
      `instance ${instance} of node ${node} has no tag kubernetes.io/cluster/${cluster}`,
    'taint-stays': ({ node, age }: Named & { age: string }) =>
      `node ${node} has kept ${uninitialized} for ${age}: no controller has initialised it`,
    'provider-id-foreign': ({
      node,
      providerID,
      provider,
      form,
    }: Named & { providerID: string; provider: string; form: string }) =>
      `node ${node} has providerID ${providerID}; provider ${provider} writes ${form}`,
    'registered-without-taint': ({ node }: Named) =>
      `node ${node} has no providerID and was registered without the cloud taint, so the controller passes it by`,
    'provider-id-missing': ({ node }: Named) => `node ${node} has no providerID`,
    'shut-down': ({ node }: Named) => `node ${node} carries node.cloudprovider.kubernetes.io/shutdown`,
  },
  remedies: {
    'name-differs': (data) =>
      advice(
        `Register the node as ${data.dns} (--hostname-override of its kubelet, or the host's own name). ${leave}`,
        look(data),
      ),
    'cluster-tag-missing': ({ instance, cluster }) =>
      advice(
        `Tag the instance with kubernetes.io/cluster/${cluster}, value owned or shared, and its launch template too. ${leave}`,
        sh`aws ec2 create-tags --resources ${instance} --tags ${`Key=kubernetes.io/cluster/${cluster},Value=owned`}`,
      ),
    'taint-stays': (data) =>
      advice(
        `Read in the log of the cloud controller manager why it does not take the node in: its name, its tag, or a permission. ${leave}`,
        look(data),
        'kubectl get pods -A -o wide',
      ),
    'provider-id-foreign': (data) =>
      advice(
        'Register the node anew with the provider that is meant: a providerID does not change in place.',
        look(data),
      ),
    'registered-without-taint': (data) =>
      advice(
        'Start its kubelet with --cloud-provider=external. To have the controller look at this one node again, put the taint on it, and on no other meanwhile.',
        sh`kubectl taint node ${data.node} ${`${uninitialized}=true:NoSchedule`}`,
      ),
    'provider-id-missing': (data) =>
      advice(
        'Start its kubelet with --cloud-provider=external and register it anew, so that the controller takes it in.',
        look(data),
      ),
    'shut-down': (data) => advice('Start the machine again, or take the node out of the cluster.', look(data)),
  },
  judge: ({ want }) => {
    const said = want.saidOfNode.state === 'known' ? want.saidOfNode.value : []
    const heard = said.map(ofError)
    const node = want.cloudNode.state === 'known' ? want.cloudNode.value : undefined
    const passedBy = said.map(({ text }) => /[Tt]his node ([\w.-]{1,253}) is registered without/.exec(text)?.[1])
    const stranger = passedBy.find((name) => name !== undefined)
    const passes = said.some(({ text }) => /registered without the cloud taint/.test(text))
    if (node === undefined)
      return passes
        ? { status: 'fail', message: 'registered-without-taint', data: { node: stranger ?? 'NODE' }, evidence: heard }
        : {
            status: 'undecided',
            lacks: 'the node that is spoken of was not seen',
            lift: 'kubectl get nodes -o yaml > nodes.yaml',
            evidence: heard,
          }
    const { name, providerId } = node
    const seen = (path: string, observed: string): readonly Evidence[] => [
      { question: want.cloudNode.from, path, observed },
      ...heard,
    ]
    if (node.waits) {
      const machine = want.nodesMachine.state === 'known' ? want.nodesMachine.value : undefined
      if (machine !== undefined && machine.dns.length > 0 && !machine.dns.includes(name))
        return {
          status: 'fail',
          message: 'name-differs',
          data: { node: name, instance: machine.id, dns: machine.dns[0] ?? '' },
          evidence: [
            ...seen('metadata.name', name),
            { question: machine.from, path: 'PrivateDnsName', observed: machine.dns[0] ?? '' },
          ],
        }
      if (machine !== undefined && !machine.tagged)
        return {
          status: 'fail',
          message: 'cluster-tag-missing',
          data: { node: name, instance: machine.id, cluster: machine.cluster ?? 'CLUSTER' },
          evidence: [
            ...seen('metadata.name', name),
            { question: machine.from, path: 'Tags', observed: 'no kubernetes.io/cluster/…' },
          ],
        }
      const age = want.waited.state === 'known' ? want.waited.value : undefined
      if (age !== undefined && age > patience)
        return {
          status: 'fail',
          message: 'taint-stays',
          data: { node: name, age: inWords(age) },
          evidence: seen('spec.taints', uninitialized),
        }
      if (said.some(({ text }) => /instance not found/.test(text)))
        return {
          status: 'undecided',
          lacks: `its controller finds no machine by the name ${name}; the machine, with its private DNS name and its tags, was not seen`,
          lift: 'aws ec2 describe-instances > instances.json',
          evidence: heard,
        }
      return {
        status: 'undecided',
        lacks:
          age === undefined
            ? 'for how long the node has waited was not seen'
            : 'the node is new, and may still be taken in',
        lift: 'kubectl get nodes -o yaml > nodes.yaml',
      }
    }
    const provider = want.declared.state === 'known' ? want.declared.value.provider : undefined
    const expected = provider === undefined ? undefined : providerOf(provider)
    const scheme = providerId.split('://')[0] ?? ''
    if (providerId !== '' && provider !== undefined && expected?.scheme !== undefined && scheme !== expected.scheme)
      return {
        status: 'fail',
        message: 'provider-id-foreign',
        data: { node: name, providerID: providerId, provider, form: expected.form ?? '' },
        evidence: [...seen('spec.providerID', providerId)],
      }
    if (providerId === '' && passes)
      return {
        status: 'fail',
        message: 'registered-without-taint',
        data: { node: name },
        evidence: seen('spec.providerID', ''),
      }
    const wanted = (provider !== undefined && provider !== 'fake') || want.otherNodes.state === 'known'
    if (providerId === '' && wanted && !node.shutDown)
      return {
        status: 'fail',
        message: 'provider-id-missing',
        data: { node: name },
        evidence: seen('spec.providerID', ''),
      }
    if (node.shutDown)
      return { status: 'fail', message: 'shut-down', data: { node: name }, evidence: seen('spec.taints', 'shutdown') }
    if (heard.length > 0 && providerId === '')
      return { status: 'undecided', lacks: 'what was said of the node does not tell why', evidence: heard }
    return { status: 'pass', evidence: seen('spec.providerID', providerId) }
  },
})

const inWords = (milliseconds: number): string => {
  const minutes = Math.floor(milliseconds / 60_000)
  return minutes < 120
    ? `${minutes} minutes`
    : minutes < 2880
      ? `${Math.floor(minutes / 60)} hours`
      : `${Math.floor(minutes / 1440)} days`
}
