/** Objects of Cluster API Provider AWS: identities, what uses them, and the chain from one to the other. */
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
import { at, isObject, type Json, listAt, textAt } from '../../core/json.ts'
import {
  asksLabels,
  asksVersion,
  defaultIdentity,
  type Identity,
  identityKinds,
  type Ref,
  readIdentity,
  refOf,
  refText,
  sourceOf,
  userKinds,
} from '../../domain/capa.ts'
import { isNamespaced, resourceOf } from '../../domain/kubernetes-resources.ts'
import { kubernetes } from '../../domain/questions.ts'
import type { Texts } from '../../domain/workloads.ts'
import { capaDeployments } from './controllers.ts'
import { capaErrors, identityIn, namespaceIn } from './errors.ts'

const isIdentity = (kind: string): boolean => identityKinds.some((one) => one === kind)
const isUser = (kind: string): boolean => userKinds.some((one) => one === kind)

export const identityOf = ({ kind, name }: Ref, ask: Inquiry['ask']): Soon<Fact<Identity>> =>
  onward(ask(kubernetes.get(resourceOf(kind), undefined, name)), (answer) => reading(answer, readIdentity))

/** The identity that is judged; absent for every other subject. */
export const identity = defineProbe({
  id: 'capa/identity',
  about: 'the identity of Cluster API Provider AWS',
  scope: 'object',
  needs: {},
  wants: {},
  ask: (_have, _want, { subject, ask }): Soon<Fact<Identity>> =>
    isIdentity(subject.kind)
      ? identityOf(subject, ask)
      : absent(kubernetes.get('awsclusterroleidentities', undefined, '')),
})

export type Condition = {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
  readonly since?: string
}
export type User = {
  readonly kind: string
  /** Empty where it has none, or where it was not seen. */
  readonly namespace: string
  /** Whether the namespace is known. */
  readonly placed: boolean
  /** How it is called in a message. */
  readonly shown: string
  readonly ref: Ref
  readonly conditions: readonly Condition[]
}

const readCondition = (json: Json): Condition => {
  const since = textAt(json, 'lastTransitionTime')
  return {
    type: textAt(json, 'type') ?? '',
    status: textAt(json, 'status') ?? '',
    reason: textAt(json, 'reason') ?? '',
    message: textAt(json, 'message') ?? '',
    ...(since === undefined ? {} : { since }),
  }
}

const readUser = (json: Json): User | undefined => {
  const kind = textAt(json, 'kind')
  const name = textAt(json, 'metadata', 'name')
  if (kind === undefined || name === undefined) return undefined
  const namespace = isNamespaced(resourceOf(kind)) ? (textAt(json, 'metadata', 'namespace') ?? '') : ''
  return {
    kind,
    namespace,
    placed: true,
    shown: `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`,
    ref: refOf(at(json, 'spec'), 'identityRef') ?? defaultIdentity,
    conditions: listAt(json, 'status', 'conditions').map(readCondition),
  }
}
/** What uses an identity; the cluster stands in for one that only an error text speaks of. Absent for every other subject. */
export const user = defineProbe({
  id: 'capa/user',
  about: 'what uses an identity of Cluster API Provider AWS',
  scope: 'object',
  needs: {},
  wants: { capaErrors },
  ask: (_have, { capaErrors }, { subject, ask }): Soon<Fact<User>> => {
    const { kind, namespace, name } = subject
    if (isUser(kind))
      return onward(ask(kubernetes.get(resourceOf(kind), namespace, name)), (answer) => reading(answer, readUser))
    const texts = kind === 'Cluster' && capaErrors.state === 'known' ? capaErrors.value : []
    for (const { text } of texts) {
      const ref = identityIn(text)
      if (ref === undefined) continue
      const where = namespaceIn(text)
      return known(
        {
          kind: 'AWSCluster',
          namespace: where ?? '',
          placed: where !== undefined,
          shown: 'the cluster object',
          ref,
          conditions: [],
        },
        capaErrors.from,
      )
    }
    return absent(kubernetes.get('awsclusters', undefined, ''))
  },
})

export type Hop = { readonly ref: Ref; readonly identity: Fact<Identity> }
export type IdentityChain = {
  readonly hops: readonly Hop[]
  /** The names of a circle, where it is one. */
  readonly loop?: string
}

const longest = 20

async function walk(start: Ref, ask: Inquiry['ask']): Promise<IdentityChain> {
  const hops: Hop[] = []
  let ref: Ref | undefined = start
  while (ref !== undefined && hops.length < longest) {
    const here: Ref = ref
    if (hops.some((hop) => refText(hop.ref) === refText(here)))
      return { hops, loop: [...hops.map((hop) => refText(hop.ref)), refText(here)].join(' → ') }
    if (!isIdentity(here.kind)) {
      hops.push({ ref: here, identity: absent(kubernetes.get(resourceOf(here.kind), undefined, here.name)) })
      return { hops }
    }
    const fact = await identityOf(here, ask)
    hops.push({ ref: here, identity: fact })
    ref = fact.state === 'known' ? sourceOf(fact.value) : undefined
  }
  return { hops }
}

/** The identities from the one that is referred to down to where the credentials come from; absent where nobody refers to one. */
export const identityChain = defineProbe({
  id: 'capa/identity-chain',
  about: 'the identities that the cluster object leads to',
  scope: 'object',
  needs: {},
  wants: { user },
  ask: (_have, { user }, { ask }): Soon<Fact<IdentityChain>> => {
    if (user.state !== 'known') return user
    return walk(user.value.ref, ask).then((chain) => known(chain, user.from))
  },
})

/** The labels of the user's namespace; absent where no identity asks for them. */
export const namespaceLabels = defineProbe({
  id: 'capa/namespace-labels',
  about: 'the labels of the namespace of the cluster object',
  scope: 'object',
  needs: {},
  wants: { user, identityChain },
  ask: (_have, { user, identityChain }, { ask }): Soon<Fact<Texts>> => {
    const none = kubernetes.get('namespaces', undefined, '')
    if (user.state !== 'known' || identityChain.state !== 'known') return absent(none)
    const { namespace } = user.value
    const asked = identityChain.value.hops.some(
      ({ identity: hop }) => hop.state === 'known' && asksLabels(hop.value.spec, namespace),
    )
    if (!asked) return absent(none)
    return onward(ask(kubernetes.get('namespaces', undefined, namespace)), (answer) =>
      reading(answer, (json) => {
        const labels: { [key: string]: string } = { 'kubernetes.io/metadata.name': namespace }
        const written = at(json, 'metadata', 'labels')
        if (isObject(written))
          for (const [key, value] of Object.entries(written)) if (typeof value === 'string') labels[key] = value
        return labels
      }),
    )
  },
})

/** Whether the controllers are of v2.9.1 or later; absent where no identity makes that matter. */
export const strictness = defineProbe({
  id: 'capa/strictness',
  about: 'the version of the controllers of Cluster API Provider AWS',
  scope: 'object',
  needs: {},
  wants: { identityChain, capaDeployments },
  ask: (_have, { identityChain, capaDeployments }): Fact<boolean> => {
    const none = kubernetes.list('deployments')
    const asked =
      identityChain.state === 'known' &&
      identityChain.value.hops.some(({ identity: hop }) => hop.state === 'known' && asksVersion(hop.value.spec))
    if (!asked) return absent(none)
    if (capaDeployments.state !== 'known') return capaDeployments
    const [first, ...others] = capaDeployments.value.items.map(({ strict }) => strict)
    return first === undefined || others.some((one) => one !== first)
      ? unknown(
          'not-collected',
          'the version of the controllers was not seen',
          none,
          'kubectl get deployments -A -o yaml',
        )
      : known(first, none)
  },
})
