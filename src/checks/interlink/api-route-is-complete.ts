/** Whether the Ingress that publishes the Kubernetes API for remote pods leads there. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { covers } from '../../domain/certificate-names.ts'
import { sh } from '../../domain/shell-words.ts'
import { type Route, route, routeAnswer, surroundings } from '../../probes/interlink/route.ts'

type Named = { readonly namespace: string; readonly name: string }

const edit = ({ namespace, name }: Named): string => sh`kubectl edit ingress/${name} -n ${namespace}`

export const check = defineCheck({
  meta: {
    id: 'interlink/api-route-is-complete',
    title: 'The published route leads to the Kubernetes API',
    severity: 'error',
    scope: 'object',
    kinds: ['Ingress'],
    cloud: 'any',
    section: 'interLink',
    why: 'A remote pod reaches the Kubernetes API only by this route, and each gap in it looks like another fault there.',
    fix: {
      safety: 'review',
      does: "Add the path that is not there with the backend of the others, or make the Issuer in the Ingress's namespace; publish no path beyond /api and /apis.",
    },
    links: [
      'https://github.com/interlink-hq/interLink/tree/f6321757',
      'https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types',
    ],
  },
  only: { probe: route, otherwise: 'it does not publish the Kubernetes API' },
  needs: { route },
  wants: { surroundings, routeAnswer },
  after: [],
  messages: {
    'path-missing': ({ namespace, name, paths, missing }: Named & { paths: string; missing: string }) =>
      `Ingress ${namespace}/${name} publishes ${paths}, not ${missing}: clients of that API group get 404`,
    'backend-missing': ({
      namespace,
      name,
      path,
      service,
      port,
      reason,
    }: Named & { path: string; service: string; port: string; reason: string }) =>
      `Ingress ${namespace}/${name} sends ${path} to Service ${service}:${port}, which ${reason}`,
    'class-unknown': ({ namespace, name, class: named, classes }: Named & { class: string; classes: string }) =>
      `Ingress ${namespace}/${name} has class ${named}; the classes are ${classes}`,
    'issuer-in-another-namespace': ({ namespace, name, issuer, found }: Named & { issuer: string; found: string }) =>
      `Ingress ${namespace}/${name} asks Issuer ${issuer} for its certificate; that Issuer is in ${found}, and serves only there`,
    'tls-secret-missing': ({ namespace, name, secret }: Named & { secret: string }) =>
      `Ingress ${namespace}/${name} serves Secret ${secret}, which does not exist`,
    'address-differs': ({ hosts, address }: Named & { hosts: string; address: string }) =>
      `the Ingress serves ${hosts}; KubernetesApiAddr is ${address}`,
    'no-answer': ({ address, port, place }: { address: string; port: string; place: string }) =>
      `${address}:${port} does not answer from ${place}`,
  },
  remedies: {
    'path-missing': (data) =>
      advice(
        /^\/apis?$/.test(data.missing)
          ? `Add the path ${data.missing} with the backend that the others use.`
          : 'Publish /api and /apis with pathType Prefix and without a rewrite, both to where the API is.',
        edit(data),
      ),
    'backend-missing': (data) =>
      advice(
        `Correct the backend of ${data.path}, or make the Service that it names.`,
        sh`kubectl get services -n ${data.namespace}`,
        edit(data),
      ),
    'class-unknown': (data) =>
      advice(
        `Write the class of the ingress controller that is meant (${data.classes}).`,
        'kubectl get ingressclasses',
        edit(data),
      ),
    'issuer-in-another-namespace': (data) =>
      advice(
        `Make an Issuer ${data.issuer} of the same CA in namespace ${data.namespace}, with a copy of the CA's Secret there; or make it a ClusterIssuer, named by cert-manager.io/cluster-issuer.`,
        sh`kubectl get issuer/${data.issuer} -n ${data.found} -o yaml`,
      ),
    'tls-secret-missing': (data) =>
      advice(
        `Find out why nobody has made Secret ${data.secret}: its Certificate tells.`,
        sh`kubectl get certificates,certificaterequests -n ${data.namespace}`,
      ),
    'address-differs': (data) =>
      advice(
        `Add ${data.address} to the hosts of the Ingress, or hand out one that it serves as interlink.kubernetesApiAddr.`,
        edit(data),
      ),
    'no-answer': () =>
      advice(
        'Look at the ingress controller, its Service and the firewall before it, from where the jobs run.',
        'kubectl get services -A -o wide',
      ),
  },
  judge: ({ have, want }) => {
    if (have.route.state === 'absent')
      return { status: 'not-applicable', reason: 'it does not publish the Kubernetes API' }
    const { value, from } = have.route
    const { namespace, name, backends, hosts, className, told } = value
    const ingress = { namespace, name }
    const paths = [...new Set(backends.map(({ path }) => path))]
    const seen = (path: string, observed: Evidence['observed'], expected?: string): readonly Evidence[] => [
      { question: from, path, observed, ...(expected === undefined ? {} : { expected }) },
    ]
    const lost = lostPaths(value)
    if (lost !== undefined)
      return {
        status: 'fail',
        message: 'path-missing',
        data: { ...ingress, ...lost },
        evidence: seen('spec.rules', paths, lost.missing),
      }
    const around = want.surroundings.state === 'known' ? want.surroundings.value : undefined
    const bad = around?.badBackends[0]
    if (bad !== undefined)
      return {
        status: 'fail',
        message: 'backend-missing',
        data: { ...ingress, path: bad.path, service: bad.service, port: bad.port, reason: bad.reason },
        evidence: seen('spec.rules', `${bad.service}:${bad.port}`),
      }
    if (around?.classes !== undefined)
      return {
        status: 'fail',
        message: 'class-unknown',
        data: { ...ingress, class: className ?? '', classes: around.classes.join(', ') || 'none' },
        evidence: seen('spec.ingressClassName', className ?? ''),
      }
    if (around?.issuer !== undefined) {
      const { name: issuer, found, from: where } = around.issuer
      return {
        status: 'fail',
        message: 'issuer-in-another-namespace',
        data: { ...ingress, issuer, found },
        evidence: [
          ...seen('metadata.annotations["cert-manager.io/issuer"]', issuer),
          {
            question: where,
            path: `items[metadata.name=${issuer}].metadata.namespace`,
            observed: found,
            expected: namespace,
          },
        ],
      }
    }
    if (around?.missingSecret !== undefined)
      return {
        status: 'fail',
        message: 'tls-secret-missing',
        data: { ...ingress, secret: around.missingSecret },
        evidence: seen('spec.tls', around.missingSecret),
      }
    const named = [...new Set(backends.flatMap(({ host }) => host ?? []))]
    if (
      told !== undefined &&
      named.length > 0 &&
      backends.every(({ host }) => host !== undefined && !covers(host, told.address))
    )
      return {
        status: 'fail',
        message: 'address-differs',
        data: { ...ingress, hosts: named.join(', '), address: told.address },
        evidence: seen('spec.rules', named, told.address),
      }
    if (told !== undefined && hosts.length > 0 && !hosts.some((host) => covers(host, told.address)))
      return {
        status: 'fail',
        message: 'address-differs',
        data: { ...ingress, hosts: hosts.join(', '), address: told.address },
        evidence: seen('spec.tls', [...hosts], told.address),
      }
    const answered = want.routeAnswer.state === 'known' ? want.routeAnswer.value.lost : []
    if (answered.length > 0)
      return {
        status: 'fail',
        message: 'path-missing',
        data: {
          ...ingress,
          paths: `${paths.join(' and ')} as it is written`,
          missing: `${answered.join(' and ')} where it answers`,
        },
        evidence: [{ question: want.routeAnswer.from, path: 'status', observed: 404 }],
      }
    if (want.routeAnswer.state === 'known' && want.routeAnswer.value.silent && told !== undefined)
      return {
        status: 'fail',
        message: 'no-answer',
        data: { address: told.address, port: told.port, place: 'where the doctor ran' },
        evidence: [{ question: want.routeAnswer.from, path: 'failure', observed: 'nobody answers' }],
      }
    const [unseen] = around?.unseen ?? []
    if (unseen !== undefined)
      return {
        status: 'undecided',
        lacks: `what the Ingress names was not seen: ${unseen.detail}`,
        ...(unseen.lift === undefined ? {} : { lift: unseen.lift }),
      }
    if (told === undefined)
      return {
        status: 'undecided',
        lacks: 'which address remote pods are told was not seen',
        lift: 'kubectl get configmaps -A -o yaml > configmaps.yaml',
      }
    return { status: 'pass', evidence: seen('spec.rules', paths) }
  },
})

const both = ['/api', '/apis'] as const

/** What clients need and do not get, in the words of the message. A controller may match a path in its own way, as a beginning of others. */
function lostPaths({ backends, rewrite }: Route): { readonly paths: string; readonly missing: string } | undefined {
  const written = [...new Set(backends.map(({ path }) => path))]
  const has = (path: string): boolean =>
    backends.some(
      (one) =>
        one.path === path || one.path === '/' || (one.type === 'ImplementationSpecific' && path.startsWith(one.path)),
    )
  const missing = both.filter((path) => !has(path))
  if (missing.length > 0) return { paths: written.join(' and ') || 'nothing', missing: missing.join(' and ') }
  if (rewrite !== undefined)
    return { paths: `${rewrite.paths.join(' and ')} rewritten to ${rewrite.to}`, missing: 'the path itself' }
  const cut = both.filter((path) =>
    backends.every((one) => (one.path !== path && one.path !== '/') || one.type === 'Exact'),
  )
  return cut.length === 0
    ? undefined
    : { paths: `${written.join(' and ')} exactly`, missing: `what is below ${cut.join(' and ')}` }
}
