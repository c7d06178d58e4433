/** Whether every identity of the chain may be used from the namespace of the cluster object. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { isObject, type Json } from '../../core/json.ts'
import { advice } from '../../domain/advice.ts'
import { type Admission, admission, allowedWords, type Identity, refText, roleKind } from '../../domain/capa.ts'
import { editIdentity, findControllers, showIdentity } from '../../domain/capa-advice.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { capaErrors, identityIn } from '../../probes/capa/errors.ts'
import { identityChain, namespaceLabels, strictness, user } from '../../probes/capa/objects.ts'
import { userConcern } from '../../probes/capa/user-concern.ts'

type Used = { readonly identity: string; readonly owner: string; readonly namespace: string }

const refusal = /Namespace is not permitted to use|PrincipalUsageUnauthorized/

const refOf = (identity: string) => {
  const [kind = '', name = 'NAME'] = identity.split('/')
  return { kind: kind.startsWith('AWSCluster') ? kind : 'AWSClusterRoleIdentity', name }
}
const admit = ({ identity, namespace }: Pick<Used, 'identity' | 'namespace'>): string =>
  advice(
    `Add ${namespace} to spec.allowedNamespaces.list of ${identity}, and nothing wider; where its spec is immutable, delete and create it with that list.`,
    editIdentity(refOf(identity)),
  )

const reasons: { readonly [why in Extract<Admission, { admits: 'no' }>['why']]: string } = {
  'admits-nobody': 'it has no allowedNamespaces',
  'empty-selector': 'its selector is empty',
  'empty-list': 'its list is empty',
  'cluster-scoped': 'the user has no namespace',
  'not-admitted': 'the namespace is not among those it admits',
}

const allowedOf = (identity: Identity): Json =>
  isObject(identity.spec) ? (identity.spec.allowedNamespaces ?? null) : null

export const check = defineCheck({
  meta: {
    id: 'capa/identity-admits-namespace',
    title: "Every identity of the chain may be used from the cluster's namespace",
    severity: 'error',
    scope: 'object',
    kinds: ['AWSCluster', 'AWSManagedControlPlane', 'ROSARoleConfig'],
    cloud: 'aws',
    section: 'Cluster API',
    why: 'Identities have no namespace, so each says which namespaces may use it; nothing said means nobody, and an empty object means everybody.',
    fix: {
      safety: 'review',
      does: 'Add the one namespace to allowedNamespaces.list of each identity that refuses it; {} is never written and no selector widened.',
    },
    links: [
      'https://github.com/k0rdent/kcm/issues/2022',
      'https://github.com/kubernetes-sigs/cluster-api-provider-aws/issues/6087',
      'https://github.com/kubernetes-sigs/cluster-api-provider-aws/blob/2cf09d7/pkg/cloud/scope/session.go',
    ],
  },
  only: { probe: userConcern, otherwise: 'nothing uses an identity of Cluster API Provider AWS' },
  needs: { userConcern },
  wants: { user, identityChain, namespaceLabels, strictness, capaErrors },
  after: ['capa/identity-exists'],
  messages: {
    'admits-nobody': ({ identity, owner, namespace }: Used) =>
      `${identity} has no allowedNamespaces, which admits no namespace; ${owner} is in ${namespace}`,
    'empty-selector': ({ identity, owner, namespace, selector }: Used & { selector: string }) =>
      `${identity} has an empty selector (${selector}), which matches no namespace; ${owner} is in ${namespace}`,
    'empty-list': ({ identity, owner, namespace }: Used) =>
      `${identity} has an empty list, which admits no namespace; ${owner} is in ${namespace}`,
    'cluster-scoped': ({ owner, identity, allowed }: Used & { allowed: string }) =>
      `${owner} has no namespace, and ${identity} admits only ${allowed}`,
    'source-refuses': ({ identity, namespace, source, reason }: Used & { source: string; reason: string }) =>
      `${identity} admits ${namespace}, but its source ${source} does not (${reason})`,
    'not-admitted': ({ identity, allowed, owner, namespace, labels }: Used & { allowed: string; labels: string }) =>
      `${identity} admits ${allowed}; ${owner} is in ${namespace} (${labels})`,
    'not-permitted': ({ identity, owner, namespace, allowed }: Used & { allowed: string }) =>
      `CAPA refused ${identity} to ${owner} in ${namespace}; its allowedNamespaces (${allowed}) do not explain it`,
  },
  remedies: {
    'admits-nobody': admit,
    'empty-selector': admit,
    'empty-list': admit,
    'cluster-scoped': ({ identity, owner }) =>
      advice(
        `Make an identity of its own for ${owner}: only one that is open to everybody can be used without a namespace, so give it a role that may do no more than is needed.`,
        showIdentity(refOf(identity)),
      ),
    'source-refuses': ({ source, namespace }) => admit({ identity: source, namespace }),
    'not-admitted': admit,
    'not-permitted': ({ identity }) =>
      advice(
        'Look at the identity and at every source that it leads to: one of them does not admit the namespace of the cluster object, or did not when this was said.',
        showIdentity(refOf(identity)),
        findControllers,
      ),
  },
  judge: ({ have, want: { user, identityChain, namespaceLabels, strictness, capaErrors } }) => {
    if (have.userConcern.state === 'absent')
      return { status: 'not-applicable', reason: 'nothing uses an identity of Cluster API Provider AWS' }
    const errors = capaErrors.state === 'known' ? capaErrors.value : []
    const refused = errors.find(({ text }) => refusal.test(text))
    const conditions = user.state === 'known' ? user.value.conditions : []
    const told = conditions.find(
      ({ type, status, message }) => (type === 'PrincipalUsageAllowed' && status === 'False') || refusal.test(message),
    )
    const isRefused = refused !== undefined || told !== undefined
    const seen: readonly Evidence[] = [
      ...(refused === undefined ? [] : [ofError(refused)]),
      ...(told === undefined
        ? []
        : [
            {
              question: user.from,
              path: 'status.conditions',
              observed: `${told.reason}: ${told.message}`.slice(0, 400),
            },
          ]),
    ]
    if (user.state !== 'known' || identityChain.state !== 'known') {
      if (refused !== undefined)
        return {
          status: 'fail',
          message: 'not-permitted',
          data: {
            identity: 'an identity',
            owner: 'the cluster object',
            namespace: 'its namespace',
            allowed: 'not collected',
          },
          evidence: seen,
        }
      return user.state === 'unknown' || identityChain.state === 'unknown'
        ? { status: 'undecided', lacks: 'what refers to an identity was not seen' }
        : { status: 'not-applicable', reason: 'no reference to an identity was seen' }
    }
    const { shown: owner, placed } = user.value
    const namespace = user.value.namespace
    const where = placed ? namespace : 'its namespace'
    const strict = isRefused ? true : strictness.state === 'known' ? strictness.value : undefined
    const labels = namespaceLabels.state === 'known' ? namespaceLabels.value : undefined
    const { hops } = identityChain.value
    let open: { readonly lacks: string; readonly lift?: string } | undefined
    const read: Evidence[] = []
    for (const [index, { ref, identity }] of hops.entries()) {
      const name = refText(ref)
      if (identity.state !== 'known') {
        open ??= { lacks: `${name} was not seen`, lift: showIdentity(ref) }
        continue
      }
      const allowed = allowedWords(identity.value.spec)
      const evidence: Evidence = {
        question: identity.from,
        path: 'spec.allowedNamespaces',
        observed: allowedOf(identity.value),
      }
      // Where only a text speaks of the user, it may be in a namespace that the text does not name.
      const judged: Admission =
        placed || allowed === 'every namespace' || allowed === 'no namespace'
          ? admission(identity.value.spec, placed ? namespace : 'unseen', { labels, strict })
          : { admits: 'unknown', lacks: 'the namespace of the cluster object was not seen' }
      if (judged.admits === 'yes') read.push(evidence)
      else if (judged.admits === 'unknown') {
        open ??= { lacks: judged.lacks, lift: findControllers }
      } else {
        const first = hops[0]
        const all = [evidence, ...seen]
        const data = { identity: name, owner, namespace: where }
        if (index > 0 && first !== undefined && judged.why !== 'cluster-scoped' && read.length === index)
          return {
            status: 'fail',
            message: 'source-refuses',
            data: { ...data, identity: refText(first.ref), source: name, reason: reasons[judged.why] },
            evidence: all,
          }
        switch (judged.why) {
          case 'empty-selector':
            return {
              status: 'fail',
              message: judged.why,
              data: { ...data, selector: JSON.stringify(selectorOf(identity.value)) },
              evidence: all,
            }
          case 'cluster-scoped':
            return { status: 'fail', message: judged.why, data: { ...data, allowed }, evidence: all }
          case 'not-admitted': {
            const words = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`)
            const labelled = words.length === 0 ? 'its labels do not matter' : words.join(', ')
            return { status: 'fail', message: judged.why, data: { ...data, allowed, labels: labelled }, evidence: all }
          }
          default:
            return { status: 'fail', message: judged.why, data, evidence: all }
        }
      }
    }
    if (isRefused) {
      const ref =
        (refused === undefined ? undefined : identityIn(refused.text)) ??
        identityIn(told?.message ?? '') ??
        user.value.ref
      const own = hops.find((hop) => refText(hop.ref) === refText(ref))
      const allowed = own?.identity.state === 'known' ? allowedWords(own.identity.value.spec) : 'not collected'
      return {
        status: 'fail',
        message: 'not-permitted',
        data: { identity: refText(ref), owner, namespace: where, allowed },
        evidence: [...seen, ...read],
      }
    }
    if (open !== undefined) return { status: 'undecided', ...open, evidence: read }
    if (identityChain.value.loop !== undefined || hops.at(-1)?.ref.kind === roleKind)
      return { status: 'undecided', lacks: 'the identities lead to no source of credentials', evidence: read }
    return { status: 'pass', evidence: read }
  },
})

const selectorOf = ({ spec }: Identity): Json =>
  isObject(spec) && isObject(spec.allowedNamespaces) ? (spec.allowedNamespaces.selector ?? null) : null
