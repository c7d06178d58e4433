/** Secrets of Cluster API Provider AWS, by the names of their keys: no value is ever looked at. */
import {
  absent,
  defineProbe,
  type Fact,
  type Inquiry,
  known,
  onward,
  reading,
  type Soon,
  unknown,
} from '../../core/fact.ts'
import { at, isObject, type Json, listAt, textAt, textsAt } from '../../core/json.ts'
import { controllerKind, controllersName, type Identity, isOpen, staticKind, userKinds } from '../../domain/capa.ts'
import { kubernetes } from '../../domain/questions.ts'
import { type Account, capaAccounts, capaDeployments } from './controllers.ts'
import { capaErrors } from './errors.ts'
import { identity, identityChain } from './objects.ts'

export type Secret = {
  readonly namespace: string
  readonly name: string
  readonly keys: readonly string[]
  readonly changed?: string
}

const readSecret = (json: Json): Secret | undefined => {
  const name = textAt(json, 'metadata', 'name')
  if (name === undefined) return undefined
  const times = [
    textAt(json, 'metadata', 'creationTimestamp') ?? '',
    ...listAt(json, 'metadata', 'managedFields').flatMap((one) => textAt(one, 'time') ?? []),
  ].filter((time) => time !== '')
  const changed = times.sort().at(-1)
  return {
    namespace: textAt(json, 'metadata', 'namespace') ?? 'default',
    name,
    keys: textsAt(json, 'keys'),
    ...(changed === undefined ? {} : { changed }),
  }
}

/** The static identity that is judged, or at the end of the chain; absent where there is none. */
export const staticIdentity = defineProbe({
  id: 'capa/static-identity',
  about: 'the static identity that credentials come from',
  scope: 'object',
  needs: {},
  wants: { identity, identityChain },
  ask: (_have, { identity, identityChain }, { subject }): Fact<Identity> => {
    if (subject.kind === staticKind) return identity
    if (identityChain.state !== 'known') return absent(identityChain.from)
    const last = identityChain.value.hops.at(-1)
    return last?.ref.kind === staticKind ? last.identity : absent(identityChain.from)
  },
})

/** What the controllers say of a Secret that is not there. */
export const saysGone = (text: string, name?: string): boolean => {
  const gone = /[Ss]ecrets? "([^"]{1,253})" not found/.exec(text.replaceAll('\\"', '"'))?.[1]
  return gone !== undefined && (name === undefined || gone === name)
}

const isUser = (kind: string): boolean => userKinds.some((one) => one === kind)
/** Namespaces that are looked into. */
const most = 20

export type KeySecret = {
  readonly name: string
  readonly expected: string
  /** Where the controllers read it; absent where it is not there. */
  readonly secret: Fact<Secret>
  /** Namespaces in which a Secret of that name was seen; looked for only where it is not where it should be. */
  readonly elsewhere: readonly string[]
}

/** The Secret with the keys of a static identity, in the namespace of the controllers. */
export const keySecret = defineProbe({
  id: 'capa/key-secret',
  about: 'the Secret of the static identity',
  scope: 'object',
  needs: {},
  wants: { staticIdentity, capaDeployments, capaAccounts, capaErrors },
  ask: async (
    _have,
    { staticIdentity, capaDeployments, capaAccounts, capaErrors },
    { ask, subjects },
  ): Promise<Fact<KeySecret>> => {
    if (staticIdentity.state !== 'known') return staticIdentity
    const name = isObject(staticIdentity.value.spec) ? textAt(staticIdentity.value.spec, 'secretRef') : undefined
    if (name === undefined || name === '') return absent(staticIdentity.from)
    const homes = [capaDeployments, capaAccounts].flatMap((fact) =>
      fact.state === 'known' ? fact.value.items.map(({ namespace }) => namespace) : [],
    )
    const gone = capaErrors.state === 'known' && capaErrors.value.some(({ text }) => saysGone(text, name))
    // Where clusterctl installs them, if nobody says otherwise.
    const expected = homes[0] ?? (gone ? 'capa-system' : undefined)
    if (expected === undefined)
      return unknown(
        'not-collected',
        'the controllers were not seen, so nobody knows in which namespace they look for the Secret',
        kubernetes.list('deployments'),
        `kubectl get deployments -A --field-selector metadata.name=${controllersName} -o yaml`,
      )
    const answer = await ask(kubernetes.get('secrets', expected, name))
    const secret = reading(answer, readSecret)
    if (secret.state === 'known') return known({ name, expected, secret, elsewhere: [] }, answer.from)
    // By name where it is likely to be: a list of Secrets would be one of all their values.
    const likely = new Set([
      ...textsAt(staticIdentity.value.spec, 'allowedNamespaces', 'list'),
      ...subjects.flatMap(({ kind, namespace }) => (namespace !== undefined && isUser(kind) ? [namespace] : [])),
      'default',
    ])
    const places = [...likely].filter((one) => one !== expected).slice(0, most)
    const looked = await Promise.all(places.map((place) => ask(kubernetes.get('secrets', place, name))))
    const elsewhere = places.filter((_, index) => looked[index]?.state === 'known')
    return known({ name, expected, secret, elsewhere }, answer.from)
  },
})

/** When the controllers' pods began; asked only where a failure was seen. */
export const controllersSince = defineProbe({
  id: 'capa/controllers-since',
  about: 'when the pods of the controllers were started',
  scope: 'object',
  needs: {},
  wants: { keySecret, capaErrors },
  ask: (_have, { keySecret, capaErrors }, { ask }): Soon<Fact<{ readonly pod: string; readonly since: string }>> => {
    if (keySecret.state !== 'known' || keySecret.value.secret.state !== 'known') return absent(keySecret.from)
    if (capaErrors.state !== 'known') return absent(capaErrors.from)
    const { expected } = keySecret.value
    return onward(ask(kubernetes.list('pods', expected)), (answer): Fact<{ pod: string; since: string }> => {
      if (answer.state !== 'known') return absent(answer.from)
      const pods = listAt(answer.value, 'items').flatMap((one) => {
        const pod = textAt(one, 'metadata', 'name') ?? ''
        const since = textAt(one, 'metadata', 'creationTimestamp')
        return pod.startsWith(`${controllersName}-`) && since !== undefined ? [{ pod, since }] : []
      })
      const [first] = pods.sort((a, b) => (a.since < b.since ? -1 : 1))
      return first === undefined ? absent(answer.from) : known(first, answer.from)
    })
  },
})

export type LeftKeys = { readonly account: Account; readonly secret: string }

/** The keys that clusterctl was given, beside a role of the controllers; absent where there are none. */
export const bootstrapKeys = defineProbe({
  id: 'capa/bootstrap-keys',
  about: 'the bootstrap credentials of the controllers',
  scope: 'object',
  needs: {},
  wants: { capaAccounts },
  ask: (_have, { capaAccounts }, { subject, ask }): Soon<Fact<LeftKeys>> => {
    const none = kubernetes.get('secrets', undefined, '')
    if (subject.kind !== controllerKind) return absent(none)
    if (capaAccounts.state !== 'known') return capaAccounts
    const account = capaAccounts.value.items.find(({ role }) => role !== undefined)
    if (account === undefined) return absent(capaAccounts.from)
    return holds(account, ask)
  },
})

function holds(account: Account, ask: Inquiry['ask']): Soon<Fact<LeftKeys>> {
  const question = kubernetes.get('secrets', account.namespace, 'capa-manager-bootstrap-credentials')
  return onward(ask(question), (answer): Fact<LeftKeys> => {
    if (answer.state !== 'known') return answer
    const settings = at(answer.value, 'settings')
    if (settings === undefined)
      return unknown('malformed', 'what the bootstrap credentials hold was not seen', question)
    return textsAt(answer.value, 'settings').includes('aws_access_key_id')
      ? known({ account, secret: `${account.namespace}/capa-manager-bootstrap-credentials` }, question)
      : absent(question)
  })
}

export type Tenants = { readonly count: number; readonly complete: boolean }

/** How many role and static identities there are beside an open controller identity; absent where that does not matter. */
export const tenants = defineProbe({
  id: 'capa/tenants',
  about: 'the role and static identities of Cluster API Provider AWS',
  scope: 'object',
  needs: {},
  wants: { identity },
  ask: async (_have, { identity }, { ask }): Promise<Fact<Tenants>> => {
    const question = kubernetes.list('awsclusterroleidentities')
    if (identity.state !== 'known' || identity.value.kind !== controllerKind || !isOpen(identity.value.spec))
      return absent(question)
    const [roles, statics] = await Promise.all([ask(question), ask(kubernetes.list('awsclusterstaticidentities'))])
    const seen = [roles, statics].flatMap((fact) => (fact.state === 'known' ? [fact.value] : []))
    const count = seen.flatMap((one) => listAt(one, 'items')).length
    const complete = [roles, statics].every(
      (fact) => fact.state === 'absent' || (fact.state === 'known' && at(fact.value, 'complete') === true),
    )
    if (count > 0 || complete) return known({ count, complete }, question)
    const lift = 'kubectl get awsclusterroleidentities,awsclusterstaticidentities -o yaml'
    return roles.state === 'unknown'
      ? { ...roles, lift: roles.lift ?? lift }
      : unknown('not-collected', 'whether there are identities of tenants was not seen', question, lift)
  },
})
