/** What a Service asks of AWS load balancers by annotation, who would honour it, and what nobody does. */

export const prefix = 'service.beta.kubernetes.io/aws-load-balancer-'

export type LoadBalanced = {
  readonly annotations: { readonly [key: string]: string }
  readonly loadBalancerClass?: string
  /** Numbers and names of its ports. */
  readonly ports: readonly string[]
  /** Host names of the load balancer that it has. */
  readonly hosts: readonly string[]
}

/** `controller` is the AWS Load Balancer Controller, `cloud` the one in or beside the API server, `other` somebody else's class. */
export type Responsible = 'controller' | 'cloud' | 'other'

export const annotated = ({ annotations }: LoadBalanced, suffix: string): string | undefined =>
  annotations[`${prefix}${suffix}`]?.trim()

export function responsibleFor(service: LoadBalanced): Responsible {
  const { loadBalancerClass } = service
  if (loadBalancerClass !== undefined) return loadBalancerClass === 'service.k8s.aws/nlb' ? 'controller' : 'other'
  const type = annotated(service, 'type')
  return type === 'external' || type === 'nlb-ip' ? 'controller' : 'cloud'
}

/** Whether traffic goes to the pods' own addresses or to a port of their node. */
export function targetsOf(service: LoadBalanced): 'ip' | 'instance' {
  if (responsibleFor(service) !== 'controller') return 'instance'
  return annotated(service, 'type') === 'nlb-ip' || annotated(service, 'nlb-target-type') === 'ip' ? 'ip' : 'instance'
}

type Kind = 'classic' | 'nlb' | 'external'

/** What the Service asks for now. */
export const wantedKind = (service: LoadBalanced): Kind =>
  responsibleFor(service) === 'controller' ? 'external' : annotated(service, 'type') === 'nlb' ? 'nlb' : 'classic'

/** What its host name says that it has: the cloud's own controller calls it after the uid, a Classic one names its region first. */
export function presentKind({ hosts }: LoadBalanced): Kind | undefined {
  for (const host of hosts) {
    if (/^(?:internal-)?a[0-9a-f]{31}-\d+\.[a-z0-9-]+\.elb\.amazonaws\.com(?:\.cn)?$/.test(host)) return 'classic'
    if (/^a[0-9a-f]{31}-[0-9a-f]+\.elb\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/.test(host)) return 'nlb'
    if (/^k8s-[a-z0-9-]+\.elb\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/.test(host)) return 'external'
  }
  return undefined
}

const certificate =
  /^arn:aws[a-z-]*:(?:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+|iam::\d{12}:server-certificate\/[\w+=,.@/-]+)$/

const allowed: { readonly [suffix: string]: readonly string[] } = {
  type: ['external', 'nlb', 'nlb-ip'],
  'nlb-target-type': ['ip', 'instance'],
  scheme: ['internal', 'internet-facing'],
  'backend-protocol': ['http', 'https', 'ssl', 'tcp'],
  'proxy-protocol': ['*'],
}

export type AnnotationFault =
  | {
      readonly message: 'certificate-arn-malformed'
      readonly data: { readonly annotation: string; readonly value: string }
    }
  | {
      readonly message: 'ssl-port-not-exposed'
      readonly data: { readonly annotation: string; readonly port: string; readonly ports: string }
    }
  | {
      readonly message: 'value-not-allowed'
      readonly data: { readonly annotation: string; readonly value: string; readonly allowed: string }
    }
  | { readonly message: 'deprecated-nlb-ip' | 'deprecated-internal'; readonly data: Record<never, never> }

const shown = (value: string): string =>
  /^[\x21-\x7e]{1,200}$/.test(value) ? value : JSON.stringify(value.slice(0, 200))
const members = (list: string | undefined): readonly string[] =>
  (list ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')

/** What is wrong with the annotations as such, in order of precedence. Pure. */
export function annotationFaults(service: LoadBalanced): readonly AnnotationFault[] {
  const found: AnnotationFault[] = []
  for (const value of members(annotated(service, 'ssl-cert')))
    if (!certificate.test(value))
      found.push({
        message: 'certificate-arn-malformed',
        data: { annotation: 'aws-load-balancer-ssl-cert', value: shown(value) },
      })
  const ports = service.ports.join(', ')
  for (const port of members(annotated(service, 'ssl-ports')))
    if (port !== '*' && !service.ports.includes(port))
      found.push({
        message: 'ssl-port-not-exposed',
        data: { annotation: 'aws-load-balancer-ssl-ports', port: shown(port), ports },
      })
  for (const [suffix, values] of Object.entries(allowed)) {
    const value = annotated(service, suffix)
    if (value !== undefined && !values.includes(suffix === 'backend-protocol' ? value.toLowerCase() : value))
      found.push({
        message: 'value-not-allowed',
        data: { annotation: `aws-load-balancer-${suffix}`, value: shown(value), allowed: values.join(', ') },
      })
  }
  if (annotated(service, 'type') === 'nlb-ip') found.push({ message: 'deprecated-nlb-ip', data: {} })
  // The cloud's own controller knows no other way to an internal load balancer.
  if (responsibleFor(service) === 'controller' && annotated(service, 'internal') !== undefined)
    found.push({ message: 'deprecated-internal', data: {} })
  return found
}
