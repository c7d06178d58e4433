/** Whether whoever is responsible for a Service's load balancer honours the annotations on it. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import {
  annotated,
  annotationFaults,
  prefix,
  presentKind,
  responsibleFor,
  targetsOf,
  wantedKind,
} from '../../domain/aws-load-balancer.ts'
import { sh } from '../../domain/shell-words.ts'
import { awsService, controllers, networks, onFargate } from '../../probes/eks/services.ts'

type Service = { readonly namespace: string; readonly name: string }
type Annotation = Service & { readonly annotation: string }

const edit = ({ namespace, name }: Service): string => sh`kubectl edit ${`service/${name}`} -n ${namespace}`
const show = ({ namespace, name }: Service): string => sh`kubectl get ${`service/${name}`} -n ${namespace} -o yaml`
const annotate = ({ namespace, name }: Service, ...words: readonly string[]): string =>
  [sh`kubectl annotate ${`service/${name}`} -n ${namespace}`, ...words, '--overwrite'].join(' ')

/** A load balancer is not made over for its annotation. */
const ifNone = 'on a Service that has no load balancer yet; where it has one, make a new Service beside it'

export const check = defineCheck({
  meta: {
    id: 'eks/load-balancer-annotations-are-honoured',
    title: "A Service's load-balancer annotations are ones that the responsible controller honours",
    severity: 'warning',
    scope: 'object',
    kinds: ['Service'],
    cloud: 'aws',
    section: 'Load balancers',
    why: 'Two controllers read annotations of the same prefix, and each passes over what is for the other, or misspelt, without a word.',
    fix: {
      safety: 'review',
      does: 'Rewrite the annotation to its present form on a Service that has no load balancer yet; where it has one, make a new Service, since the type may not change in place.',
    },
    links: [
      'https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/',
      'https://github.com/kubernetes-sigs/aws-load-balancer-controller',
      'https://container.training/',
    ],
  },
  needs: { awsService },
  wants: { controllers, networks, onFargate },
  after: [],
  messages: {
    'controller-missing': ({ namespace, name, type }: Service & { type: string }) =>
      `Service ${namespace}/${name} asks for ${type}, which only the AWS Load Balancer Controller serves, and it is not installed`,
    'type-changed': ({ namespace, name, from, to }: Service & { from: string; to: string }) =>
      `the type of Service ${namespace}/${name} would change from ${from} to ${to}; it may not on an existing Service, make a new one`,
    'instance-targets-on-fargate': ({ namespace, name }: Service) =>
      `Service ${namespace}/${name} has instance targets, and its pods run on Fargate, which has no NodePort`,
    'ip-targets-without-vpc-cni': ({ namespace, name }: Service) =>
      `Service ${namespace}/${name} has ip targets, and pods have no VPC addresses: the VPC CNI is not installed`,
    'certificate-arn-malformed': ({ annotation, value }: Annotation & { value: string }) =>
      `${annotation}: ${value} is no ACM certificate ARN`,
    'ssl-port-not-exposed': ({ annotation, port, ports }: Annotation & { port: string; ports: string }) =>
      `${annotation} names ${port}; the Service exposes ${ports}`,
    'value-not-allowed': ({ annotation, value, allowed }: Annotation & { value: string; allowed: string }) =>
      `${annotation}: ${value} is none of ${allowed}`,
    'deprecated-nlb-ip': (_: Service) =>
      'aws-load-balancer-type nlb-ip is deprecated: write external, with aws-load-balancer-nlb-target-type ip',
    'deprecated-internal': (_: Service) =>
      'aws-load-balancer-internal is deprecated: write aws-load-balancer-scheme internal',
  },
  remedies: {
    'controller-missing': (data) =>
      advice(
        'Install the AWS Load Balancer Controller with a role of its own; until then nobody makes the load balancer.',
        'kubectl get deployments -A -l app.kubernetes.io/name=aws-load-balancer-controller',
        show(data),
      ),
    'type-changed': (data) =>
      advice(
        'Make a Service of another name with the new annotations, move what points at the old one, and delete that last; put the annotations of the old one back until then.',
        show(data),
      ),
    'instance-targets-on-fargate': (data) =>
      advice(
        `Ask for ip targets by the AWS Load Balancer Controller, ${ifNone}.`,
        annotate(data, `${prefix}type=external`, `${prefix}nlb-target-type=ip`),
      ),
    'ip-targets-without-vpc-cni': (data) =>
      advice(
        `Ask for instance targets, ${ifNone}; or give the pods addresses of the VPC, which is a change of the cluster's network.`,
        annotate(data, `${prefix}type=external`, `${prefix}nlb-target-type=instance`),
      ),
    'certificate-arn-malformed': (data) =>
      advice(
        `Write the whole ARN of a certificate of the same region into ${data.annotation}; the first command lists them.`,
        'aws acm list-certificates',
        edit(data),
      ),
    'ssl-port-not-exposed': (data) =>
      advice(`Name ports of the Service in ${data.annotation}: ${data.ports}.`, edit(data)),
    'value-not-allowed': (data) =>
      advice(`Write one of ${data.allowed} into ${data.annotation}, ${ifNone}.`, edit(data)),
    'deprecated-nlb-ip': (data) =>
      advice(
        `Write the present form, ${ifNone}.`,
        annotate(data, `${prefix}type=external`, `${prefix}nlb-target-type=ip`),
      ),
    'deprecated-internal': (data) =>
      advice(`Write the present form, ${ifNone}.`, annotate(data, `${prefix}scheme=internal`, `${prefix}internal-`)),
  },
  judge: ({ have, want }) => {
    if (have.awsService.state === 'absent')
      return { status: 'not-applicable', reason: 'it is no Service that asks for an AWS load balancer' }
    const { value: service, from } = have.awsService
    const { namespace, name } = service
    const responsible = responsibleFor(service)
    if (responsible === 'other')
      return { status: 'not-applicable', reason: `its class ${service.loadBalancerClass} is served by somebody else` }
    const type = service.loadBalancerClass ?? annotated(service, 'type') ?? 'a Classic Load Balancer'
    const seen: Evidence = {
      question: from,
      path: 'metadata.annotations',
      observed: Object.entries(service.annotations)
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, value]) => `${key.slice(prefix.length)}: ${value}`),
    }
    const { controllers, networks, onFargate } = want
    if (controllers.state === 'known' && controllers.value.length === 0) {
      const evidence = [seen, { question: controllers.from, path: 'items[].metadata.name', observed: [] }]
      return { status: 'fail', message: 'controller-missing', data: { namespace, name, type }, evidence }
    }
    const present = presentKind(service)
    const wanted = wantedKind(service)
    if (present !== undefined && present !== wanted) {
      const evidence = [
        seen,
        { question: from, path: 'status.loadBalancer.ingress[].hostname', observed: [...service.hosts] },
      ]
      return { status: 'fail', message: 'type-changed', data: { namespace, name, from: present, to: wanted }, evidence }
    }
    if (onFargate.state === 'known' && onFargate.value.length > 0) {
      const evidence = [
        seen,
        { question: onFargate.from, path: 'items[].spec.nodeName', observed: [...onFargate.value] },
      ]
      return { status: 'fail', message: 'instance-targets-on-fargate', data: { namespace, name }, evidence }
    }
    if (networks.state === 'known' && !networks.value.vpc) {
      const observed = networks.value.overlay ?? ''
      const evidence = [
        seen,
        { question: networks.from, path: 'items[].metadata.name', observed, expected: 'aws-node' },
      ]
      return { status: 'fail', message: 'ip-targets-without-vpc-cni', data: { namespace, name }, evidence }
    }
    const [fault] = annotationFaults(service)
    if (fault === undefined)
      return { status: 'pass', evidence: [seen, { question: from, path: 'targets', observed: targetsOf(service) }] }
    const data = { namespace, name }
    const evidence = [seen]
    switch (fault.message) {
      case 'certificate-arn-malformed':
        return { status: 'fail', message: fault.message, data: { ...data, ...fault.data }, evidence }
      case 'ssl-port-not-exposed':
        return { status: 'fail', message: fault.message, data: { ...data, ...fault.data }, evidence }
      case 'value-not-allowed':
        return { status: 'fail', message: fault.message, data: { ...data, ...fault.data }, evidence }
      default:
        return { status: 'fail', message: fault.message, data, evidence }
    }
  },
})
