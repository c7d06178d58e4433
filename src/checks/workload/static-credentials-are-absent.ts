/** Nothing static shadows the identity. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, editTemplate, type Place, unsetVariables } from '../../domain/advice.ts'
import { boundOf, nameOfObject, type Shadow, shadowsOf } from '../../domain/static-credentials.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { pod } from '../../probes/workload/pod.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'
import { variableSources } from '../../probes/workload/variable-sources.ts'

type In = Place & { readonly container: string }
type Named = In & { readonly names: string }

const unset = (data: Named): string =>
  advice(
    `Take ${data.names} of container ${data.container} out of ${editTemplate(data).where}.`,
    ...unsetVariables(data, data.names.split(', '), data.container),
  )

export const check = defineCheck({
  meta: {
    id: 'workload/static-credentials-are-absent',
    title: 'Nothing static shadows the identity of the workload',
    severity: 'error',
    scope: 'pod',
    cloud: 'any',
    section: 'Workload',
    why: 'SDKs take the first credentials they find, and keys in variables and files come before the identity of the workload.',
    fix: {
      safety: 'review',
      does: 'Remove the named variables or mount from the pod template, with a rollout; never delete or read the Secret itself.',
    },
    links: [
      'https://github.com/hashicorp/go-secure-stdlib/pull/45',
      'https://github.com/vmware-tanzu/helm-charts/pull/242',
      'https://github.com/Azure-Samples/holiday-peak-hub/pull/179',
    ],
  },
  needs: { pod },
  wants: { serviceAccount, variableSources },
  after: [],
  messages: {
    'environment-keys': ({ container, names, mechanism }: Named & { mechanism: string }) =>
      `container ${container} sets ${names}, which come before ${mechanism} in every SDK`,
    'environment-from-secret': (data: Named & { mechanism: string; kind: string; source: string; by: string }) =>
      `container ${data.container} takes ${data.names} from ${data.kind} ${data.source}; they come before ${data.mechanism}`,
    'credentials-file': ({
      container,
      source,
      path,
      mechanism,
    }: In & { source: string; path: string; mechanism: string }) =>
      `container ${container} mounts ${source} at ${path}, which the SDK reads before ${mechanism}`,
    'client-secret': ({ container, names, declared }: Named & { declared: string }) =>
      `container ${container} sets ${names}, so the SDK signs in as that application and not as ${declared}`,
    'key-file-variable': ({ container, names, path }: Named & { path: string }) =>
      `container ${container} sets ${names} to ${path}, so the metadata server is not asked`,
  },
  remedies: {
    'environment-keys': unset,
    'environment-from-secret': (data) =>
      data.by === 'envFrom'
        ? advice(
            `Take ${data.kind} ${data.source} out of envFrom of container ${data.container} in ${editTemplate(data).where}, and name there one by one the variables that it still needs; leave out ${data.names}.`,
            ...editTemplate(data).commands,
          )
        : unset(data),
    'credentials-file': (data) =>
      advice(
        `Remove the mount of ${data.source} at ${data.path} from container ${data.container} in ${editTemplate(data).where}.`,
        ...editTemplate(data).commands,
      ),
    'client-secret': unset,
    'key-file-variable': unset,
  },
  judge: ({ have, want: { serviceAccount, variableSources } }) => {
    if (have.pod.state === 'absent') return { status: 'not-applicable', reason: 'the pod does not exist' }
    const { value, from } = have.pod
    const place: Place = { workload: workloadOf(value), namespace: value.namespace }
    const account = serviceAccount.state === 'known' ? serviceAccount.value : undefined
    const sources = variableSources.state === 'known' ? variableSources.value : undefined
    const bound = value.containers.map((container) => ({ container, bounds: boundOf(value, container, account) }))
    if (bound.every(({ bounds }) => bounds.length === 0))
      // What the ServiceAccount binds has to be seen before nobody is said to be bound.
      return serviceAccount.state === 'unknown'
        ? { status: 'pass', evidence: [] }
        : { status: 'not-applicable', reason: 'the pod is bound to no identity' }
    const all = bound.map(({ container, bounds }) =>
      shadowsOf(value, container, bounds, (object) => sources?.keys.get(nameOfObject(object))),
    )
    const found = all.flatMap((one) => one.found)
    const evidence: readonly Evidence[] =
      found.length > 0
        ? found.map((one) => ({ question: from, path: `spec.containers[${one.container}]`, observed: whatOf(one) }))
        : bound.map(({ container }) => ({
            question: from,
            path: `spec.containers[${container.name}].env`,
            observed: Object.keys(container.env).sort(),
          }))
    const of = <B extends Shadow['by']>(by: B) => found.find((one): one is Extract<Shadow, { by: B }> => one.by === by)
    const literal = found.find((one) => one.by === 'variables' && one.bound.cloud === 'aws')
    if (literal?.by === 'variables') {
      const { container, names, bound } = literal
      return {
        status: 'fail',
        message: 'environment-keys',
        data: { ...place, container, names: names.join(', '), mechanism: bound.mechanism },
        evidence,
      }
    }
    const object = of('object')
    if (object !== undefined)
      return {
        status: 'fail',
        message: 'environment-from-secret',
        data: {
          ...place,
          container: object.container,
          names: object.names.join(', '),
          kind: object.object.kind,
          source: object.object.name,
          mechanism: object.bound.mechanism,
          by: object.wholesale ? 'envFrom' : 'valueFrom',
        },
        evidence,
      }
    const file = of('file')
    if (file !== undefined) {
      const { container, source, path, bound } = file
      return {
        status: 'fail',
        message: 'credentials-file',
        data: { ...place, container, source, path, mechanism: bound.mechanism },
        evidence,
      }
    }
    const secret = of('variables')
    if (secret !== undefined)
      return {
        status: 'fail',
        message: 'client-secret',
        data: {
          ...place,
          container: secret.container,
          names: secret.names.join(', '),
          declared: secret.bound.declared,
        },
        evidence,
      }
    const key = of('key-file')
    if (key !== undefined)
      return {
        status: 'fail',
        message: 'key-file-variable',
        data: { ...place, container: key.container, names: key.variable, path: key.path },
        evidence,
      }
    const [unseen] = sources?.unseen ?? []
    if (unseen !== undefined)
      return {
        status: 'undecided',
        lacks: `the names of the variables that come from ${nameOfObject(unseen.object)} were not seen: ${unseen.fact.detail}`,
        ...(unseen.fact.lift === undefined ? {} : { lift: unseen.fact.lift }),
        evidence,
      }
    const open = all.map((one) => one.open).find((one) => one !== undefined)
    return open === undefined ? { status: 'pass', evidence } : { status: 'undecided', lacks: open, evidence }
  },
})

const whatOf = (one: Shadow): string =>
  one.by === 'variables'
    ? one.names.join(', ')
    : one.by === 'object'
      ? `${one.names.join(', ')} from ${nameOfObject(one.object)}`
      : one.by === 'file'
        ? `${one.source} at ${one.path}`
        : `${one.variable}=${one.path}`
