/** Services that ask for an AWS load balancer, and who and what is there to honour it; each fact asked only where it matters. */
import { absent, defineProbe, type Fact, known, onward, reading, type Soon, unknown } from '../../core/fact.ts'
import { at, isObject, type Json, listAt, textAt } from '../../core/json.ts'
import { type LoadBalanced, prefix, responsibleFor, targetsOf } from '../../domain/aws-load-balancer.ts'
import { kubernetes } from '../../domain/questions.ts'
import { type Listed, listed } from '../lists.ts'

export type AwsService = LoadBalanced & {
  readonly namespace: string
  readonly name: string
  readonly selector: { readonly [label: string]: Json }
}

const texts = (json: Json | undefined): { readonly [key: string]: string } =>
  isObject(json)
    ? Object.fromEntries(
        Object.entries(json).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
      )
    : {}

/** Undefined for a Service that asks nothing of AWS. */
export function readAwsService(json: Json): AwsService | undefined {
  const name = textAt(json, 'metadata', 'name')
  const annotations = texts(at(json, 'metadata', 'annotations'))
  const loadBalancerClass = textAt(json, 'spec', 'loadBalancerClass')
  const marked =
    loadBalancerClass?.startsWith('service.k8s.aws/') === true ||
    Object.keys(annotations).some((key) => key.startsWith(prefix))
  if (name === undefined || textAt(json, 'spec', 'type') !== 'LoadBalancer' || !marked) return undefined
  const selector = at(json, 'spec', 'selector')
  return {
    namespace: textAt(json, 'metadata', 'namespace') ?? 'default',
    name,
    annotations,
    ...(loadBalancerClass === undefined ? {} : { loadBalancerClass }),
    selector: isObject(selector) ? selector : {},
    ports: listAt(json, 'spec', 'ports').flatMap((port) => {
      const number = at(port, 'port')
      const named = textAt(port, 'name')
      return [...(typeof number === 'number' ? [String(number)] : []), ...(named === undefined ? [] : [named])]
    }),
    hosts: listAt(json, 'status', 'loadBalancer', 'ingress').flatMap((one) => textAt(one, 'hostname') ?? []),
  }
}

export const awsService = defineProbe({
  id: 'eks/service',
  about: 'the Service',
  scope: 'object',
  needs: {},
  wants: {},
  ask: (_have, _want, { subject, ask }): Soon<Fact<AwsService>> => {
    const question = kubernetes.get('services', subject.namespace, subject.name)
    if (subject.kind !== 'Service') return absent(question)
    return onward(ask(question), (answer): Fact<AwsService> => {
      if (answer.state === 'known' && readAwsService(answer.value) === undefined) return absent(question)
      return reading(answer, readAwsService)
    })
  },
})

/** Whether the Service is seen to have no load balancer: a manifest, which has no status, does not tell. */
export const withoutBalancer = defineProbe({
  id: 'eks/service-without-balancer',
  about: 'whether the Service has a load balancer',
  scope: 'object',
  needs: {},
  wants: {},
  ask: (_have, _want, { subject, ask }): Soon<Fact<boolean>> => {
    const question = kubernetes.get('services', subject.namespace, subject.name)
    if (subject.kind !== 'Service') return absent(question)
    return onward(ask(question), (answer) =>
      reading(answer, (json) => {
        const status = at(json, 'status', 'loadBalancer')
        return isObject(status) && listAt(status, 'ingress').length === 0
      }),
    )
  },
})

type Workload = { readonly namespace: string; readonly name: string }
const readName = (json: Json): Workload | undefined => {
  const name = textAt(json, 'metadata', 'name')
  return name === undefined ? undefined : { name, namespace: textAt(json, 'metadata', 'namespace') ?? 'default' }
}

/** Helm puts the release's name before it. */
export const isController = ({ name }: { readonly name: string }): boolean =>
  /(?:^|-)(?:aws-load-balancer-controller|alb-ingress-controller)$/.test(name)

/** Whether the AWS Load Balancer Controller is there; absent where the Service does not need it. */
export const controllers = defineProbe({
  id: 'eks/load-balancer-controllers',
  about: 'the Deployment of the AWS Load Balancer Controller',
  scope: 'object',
  needs: {},
  wants: { awsService },
  ask: (_have, { awsService }, { ask }): Soon<Fact<readonly string[]>> => {
    const question = kubernetes.list('deployments')
    if (awsService.state !== 'known' || responsibleFor(awsService.value) !== 'controller') return absent(question)
    return onward(ask(question), (answer): Fact<readonly string[]> => {
      const list = listed(answer, readName)
      if (list.state !== 'known') return list
      const found = list.value.items.filter(isController).map(({ namespace, name }) => `${namespace}/${name}`)
      return found.length > 0 || list.value.complete
        ? known(found, question)
        : unknown(
            'not-collected',
            'not all Deployments of the cluster were seen',
            question,
            'kubectl get deployments -A -o yaml',
          )
    })
  },
})

/** Networks whose pods have addresses that the VPC does not know. */
const overlay = /^(?:calico-node|kube-flannel-ds|kube-flannel|weave-net)$/

/** The DaemonSets of kube-system, asked where pods are targets by their own address. */
export const networks = defineProbe({
  id: 'eks/pod-network',
  about: 'the DaemonSets of the pod network',
  scope: 'object',
  needs: {},
  wants: { awsService },
  ask: (_have, { awsService }, { ask }): Soon<Fact<{ readonly vpc: boolean; readonly overlay?: string }>> => {
    const question = kubernetes.list('daemonsets', 'kube-system')
    if (awsService.state !== 'known' || targetsOf(awsService.value) !== 'ip') return absent(question)
    return onward(ask(question), (answer): Fact<{ readonly vpc: boolean; readonly overlay?: string }> => {
      const list: Fact<Listed<Workload>> = listed(answer, readName)
      if (list.state !== 'known') return list
      const vpc = list.value.items.some(({ name }) => name === 'aws-node')
      const other = list.value.items.find(({ name }) => overlay.test(name))?.name
      if (vpc) return known({ vpc: true }, question)
      return list.value.complete && other !== undefined
        ? known({ vpc: false, overlay: other }, question)
        : unknown(
            'not-collected',
            'which network the pods have was not seen',
            question,
            'kubectl get daemonsets -n kube-system -o yaml',
          )
    })
  },
})

/** Pods of the Service that run on Fargate; asked where nodes are the targets. */
export const onFargate = defineProbe({
  id: 'eks/pods-on-fargate',
  about: 'the pods of the Service',
  scope: 'object',
  needs: {},
  wants: { awsService },
  ask: (_have, { awsService }, { ask }): Soon<Fact<readonly string[]>> => {
    if (awsService.state !== 'known') return absent(awsService.from)
    const { namespace, selector } = awsService.value
    const question = kubernetes.list('pods', namespace)
    const wanted = Object.entries(selector)
    const { value } = awsService
    if (wanted.length === 0 || responsibleFor(value) === 'other' || targetsOf(value) === 'ip') return absent(question)
    return onward(ask(question), (answer): Fact<readonly string[]> => {
      if (answer.state !== 'known') return answer
      const found = listAt(answer.value, 'items').filter(
        (pod) =>
          textAt(pod, 'metadata', 'namespace') === namespace &&
          wanted.every(([label, text]) => at(pod, 'metadata', 'labels', label) === text) &&
          /^fargate-/.test(textAt(pod, 'spec', 'nodeName') ?? ''),
      )
      if (found.length === 0 && at(answer.value, 'complete') === false)
        return unknown(
          'not-collected',
          'not all pods of the namespace were seen',
          question,
          `kubectl get pods -n ${namespace} -o yaml`,
        )
      return known(
        found.flatMap((pod) => textAt(pod, 'metadata', 'name') ?? []),
        question,
      )
    })
  },
})
