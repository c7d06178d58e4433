/** An Ingress that publishes the Kubernetes API for remote pods, and what it leans on. */
import { absent, defineProbe, type Fact, type Inquiry, known, type Question, type Unknown } from '../../core/fact.ts'
import { at, isObject, type Json, type JsonObject, listAt, textAt, textsAt } from '../../core/json.ts'
import { interLinkIn, parseInterLink } from '../../domain/interlink-config.ts'
import { documents, kubernetes, oidc } from '../../domain/questions.ts'

export type Backend = { readonly path: string; readonly service: string; readonly port: string }
export type Route = {
  readonly namespace: string
  readonly name: string
  readonly annotations: { readonly [key: string]: string }
  readonly className?: string
  readonly backends: readonly Backend[]
  /** One of the two paths as it is written, without a pattern, and the rule that it stands in. */
  readonly model?: { readonly rule: number; readonly path: string; readonly entry: JsonObject }
  readonly hosts: readonly string[]
  readonly secrets: readonly string[]
  /** What remote pods are told, where a configuration of interLink was seen. */
  readonly told?: { readonly address: string; readonly port: string }
  readonly from: Question
}

/** `/api(/|$)(.*)`, `/api/` and `/api` are one path. */
const normal = (path: string): string => path.replace(/\(.*$/, '').replace(/(.)\/$/, '$1')

function backendsOf(ingress: Json): readonly Backend[] {
  return listAt(ingress, 'spec', 'rules').flatMap((rule) =>
    listAt(rule, 'http', 'paths').map((one) => {
      const port = at(one, 'backend', 'service', 'port', 'number') ?? at(one, 'backend', 'service', 'port', 'name')
      return {
        path: normal(textAt(one, 'path') ?? '/'),
        service: textAt(one, 'backend', 'service', 'name') ?? '',
        port: port === undefined || port === null ? '' : String(port),
      }
    }),
  )
}

function modelOf(ingress: Json): Route['model'] {
  const found = listAt(ingress, 'spec', 'rules').flatMap((one, rule) =>
    listAt(one, 'http', 'paths').flatMap((entry) => {
      const path = textAt(entry, 'path') ?? ''
      return isObject(entry) && isApi(path) ? [{ rule, path, entry }] : []
    }),
  )
  // Rules of several hosts may lead to several places.
  return found.length === 1 ? found[0] : undefined
}

/** The address and port that some virtual kubelet hands out. */
export async function toldAddress(
  ask: Inquiry['ask'],
): Promise<{ readonly address: string; readonly port: string } | undefined> {
  const [maps, files] = await Promise.all([
    ask(kubernetes.list('configmaps')),
    ask(documents.ofKind('InterLinkConfig')),
  ])
  const configs = [
    ...(maps.state === 'known' ? listAt(maps.value, 'items') : []).flatMap((one) => {
      const yaml = textAt(one, 'data', 'InterLinkConfig.yaml')
      return yaml === undefined ? [] : [parseInterLink(yaml)]
    }),
    ...(files.state === 'known' ? listAt(files.value, 'items') : []).map((one) =>
      interLinkIn(at(one, 'config') ?? null),
    ),
  ]
  for (const config of configs)
    if ('address' in config && config.address !== '') return { address: config.address, port: config.port }
  return undefined
}

const isApi = (path: string): boolean => path === '/api' || path === '/apis'

/** Absent for an Ingress that publishes something else: an application may well have a path /api of its own. */
export const route = defineProbe({
  id: 'interlink/route',
  about: 'the published route to the Kubernetes API',
  scope: 'object',
  needs: {},
  wants: {},
  ask: async (_have, _want, { subject, ask }: Inquiry): Promise<Fact<Route>> => {
    const question = kubernetes.get('ingresses', subject.namespace, subject.name)
    if (subject.kind !== 'Ingress') return absent(question)
    const answer = await ask(question)
    if (answer.state !== 'known') return answer
    const ingress = answer.value
    const backends = backendsOf(ingress)
    const paths = new Set(backends.map(({ path }) => path))
    const model = modelOf(ingress)
    const tls = listAt(ingress, 'spec', 'tls')
    const hosts = tls.flatMap((one) => textsAt(one, 'hosts'))
    const told = await toldAddress(ask)
    const onlyApi = paths.size > 0 && [...paths].every(isApi)
    const ofApi = backends.some(({ service }) => /kube.*api|k8s.*api|apiserver|^kubernetes$/.test(service))
    const concerns =
      (paths.has('/api') && paths.has('/apis')) ||
      (onlyApi && ofApi) ||
      (told !== undefined && hosts.includes(told.address))
    if (!concerns) return absent(question)
    const annotations = at(ingress, 'metadata', 'annotations')
    const className = textAt(ingress, 'spec', 'ingressClassName')
    return known(
      {
        namespace: subject.namespace ?? 'default',
        name: subject.name,
        annotations: Object.fromEntries(
          Object.entries(isObject(annotations) ? annotations : {}).flatMap(([key, value]) =>
            typeof value === 'string' ? [[key, value]] : [],
          ),
        ),
        ...(className === undefined ? {} : { className }),
        backends,
        ...(model === undefined ? {} : { model }),
        hosts,
        secrets: tls.flatMap((one) => textAt(one, 'secretName') ?? []),
        ...(told === undefined ? {} : { told }),
        from: question,
      },
      question,
    )
  },
})

export type Surroundings = {
  /** `does not exist`, `has no port 60443`, by the service's name and port. */
  readonly badBackends: readonly (Backend & { readonly reason: string })[]
  /** All classes, where the named one is not among them. */
  readonly classes?: readonly string[]
  /** Where the named Issuer is, when it is not in the Ingress's namespace. */
  readonly issuer?: { readonly name: string; readonly found: string; readonly from: Question }
  readonly missingSecret?: string
  /** What could not be seen of this. */
  readonly unseen: readonly Unknown[]
}

/** What the Ingress names. */
export const surroundings = defineProbe({
  id: 'interlink/surroundings',
  about: 'the Services, the class, the Issuer and the Secret that the Ingress names',
  scope: 'object',
  needs: {},
  wants: { route },
  ask: async (_have, { route }, { ask }): Promise<Fact<Surroundings>> => {
    if (route.state !== 'known') return absent(route.from)
    const { namespace, backends, className, annotations, secrets, from } = route.value
    const unseen: Unknown[] = []
    const badBackends: (Backend & { reason: string })[] = []
    for (const backend of backends) {
      const service = await ask(kubernetes.get('services', namespace, backend.service))
      if (service.state === 'unknown') unseen.push(service)
      else if (service.state === 'absent') badBackends.push({ ...backend, reason: 'does not exist' })
      else {
        const ports = listAt(service.value, 'spec', 'ports')
        const has = ports.some(
          (one) => String(at(one, 'port')) === backend.port || textAt(one, 'name') === backend.port,
        )
        if (!has && ports.length > 0) badBackends.push({ ...backend, reason: `has no port ${backend.port}` })
      }
    }
    const lookedUp = async (): Promise<readonly string[] | undefined> => {
      if (className === undefined) return undefined
      const classes = await ask(kubernetes.list('ingressclasses'))
      if (classes.state === 'unknown') unseen.push(classes)
      if (classes.state !== 'known') return undefined
      const names = listAt(classes.value, 'items').map((one) => textAt(one, 'metadata', 'name') ?? '')
      return names.includes(className) || at(classes.value, 'complete') === false ? undefined : names
    }
    const classes = await lookedUp()
    const named = annotations['cert-manager.io/issuer']
    const ofCluster = annotations['cert-manager.io/issuer-kind'] === 'ClusterIssuer'
    let issuer: Surroundings['issuer']
    if (named !== undefined && !ofCluster) {
      const question = kubernetes.list('issuers')
      const issuers = await ask(question)
      if (issuers.state === 'unknown') unseen.push(issuers)
      const all = issuers.state === 'known' ? listAt(issuers.value, 'items') : []
      const places = all
        .filter((one) => textAt(one, 'metadata', 'name') === named)
        .map((one) => textAt(one, 'metadata', 'namespace') ?? 'default')
      if (places.length > 0 && !places.includes(namespace))
        issuer = { name: named, found: places.join(', '), from: question }
    }
    let missingSecret: string | undefined
    for (const name of secrets) {
      const secret = await ask(kubernetes.get('secrets', namespace, name))
      if (secret.state === 'absent') missingSecret ??= name
      if (secret.state === 'unknown') unseen.push(secret)
    }
    return known(
      {
        badBackends,
        ...(classes === undefined ? {} : { classes }),
        ...(issuer === undefined ? {} : { issuer }),
        ...(missingSecret === undefined ? {} : { missingSecret }),
        unseen,
      },
      from,
    )
  },
})

/** What answers at the published address: an HTTP status, or that nobody does. Absent where no address was seen. */
export const routeAnswer = defineProbe({
  id: 'interlink/route-answer',
  about: 'what answers at the published address',
  scope: 'object',
  needs: {},
  wants: { route },
  ask: async (_have, { route }, { ask }): Promise<Fact<{ readonly silent: boolean }>> => {
    const told = route.state === 'known' ? route.value.told : undefined
    if (told === undefined || told.port === '') return absent(oidc.keys(''))
    const host = told.address.includes(':') && !told.address.startsWith('[') ? `[${told.address}]` : told.address
    const question = oidc.keys(`https://${host}:${told.port}/api`)
    const answer = await ask(question)
    if (answer.state !== 'known') return answer
    const failure = textAt(answer.value, 'failure', 'kind')
    return known({ silent: failure === 'refused' || failure === 'name-not-found' }, question)
  },
})
