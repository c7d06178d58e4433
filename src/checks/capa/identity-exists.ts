/** Whether the identity that a cluster object refers to is there, down to the source of its credentials. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { controllerKind, identityKinds, refText } from '../../domain/capa.ts'
import { listIdentities } from '../../domain/capa-advice.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { capaErrors } from '../../probes/capa/errors.ts'
import { identityChain, user } from '../../probes/capa/objects.ts'
import { userConcern } from '../../probes/capa/user-concern.ts'

type Owned = { readonly owner: string }
const kindOf = (ref: string): string => {
  const kind = ref.split('/')[0] ?? ''
  return identityKinds.some((one) => one === kind) ? kind : 'AWSClusterRoleIdentity'
}
const choose = 'it decides in which account the cluster lives, so nobody guesses it'

export const check = defineCheck({
  meta: {
    id: 'capa/identity-exists',
    title: 'The identity that a cluster refers to exists, down to its source',
    severity: 'error',
    scope: 'object',
    kinds: ['AWSCluster', 'AWSManagedControlPlane', 'ROSARoleConfig'],
    cloud: 'aws',
    section: 'Cluster API',
    why: 'The controllers follow the references from the cluster object to a source of credentials, and stop at the first that leads nowhere.',
    fix: {
      safety: 'manual',
      does: 'Name one of the identities that exist; which account a cluster uses is never guessed.',
    },
    links: ['https://github.com/kubernetes-sigs/cluster-api-provider-aws/blob/2cf09d7/pkg/cloud/scope/session.go'],
  },
  only: { probe: userConcern, otherwise: 'nothing uses an identity of Cluster API Provider AWS' },
  needs: { userConcern },
  wants: { user, identityChain, capaErrors },
  after: ['capa/identity-spec-is-valid'],
  messages: {
    'unknown-kind': ({ owner, kind }: Owned & { kind: string }) =>
      `${owner} refers to kind ${kind}; the kinds are ${identityKinds.join(', ')}`,
    'controller-identity-not-default': ({ owner, name }: Owned & { name: string }) =>
      `${owner} refers to AWSClusterControllerIdentity ${name}; the only one is default`,
    missing: ({ owner, ref }: Owned & { ref: string }) => `${owner} refers to ${ref}, which does not exist`,
    'source-missing': ({ identity, source }: { identity: string; source: string }) =>
      `${identity} takes its credentials from ${source}, which does not exist`,
    'chain-loops': ({ identity, chain }: { identity: string; chain: string }) =>
      `the sources of ${identity} lead back to itself (${chain}): no credentials at its end`,
  },
  remedies: {
    'unknown-kind': ({ owner }) =>
      advice(
        `Write one of the three kinds into identityRef of ${owner}; the commands list the identities that there are.`,
        ...identityKinds.map(listIdentities),
      ),
    'controller-identity-not-default': ({ owner }) =>
      advice(
        `Refer to the name default in identityRef of ${owner}, or to an identity of another kind.`,
        listIdentities(controllerKind),
      ),
    missing: ({ owner, ref }) =>
      advice(
        `Create ${ref}, or name an identity that exists in identityRef of ${owner}; ${choose}.`,
        listIdentities(kindOf(ref)),
      ),
    'source-missing': ({ identity, source }) =>
      advice(
        `Create ${source}, or name a source that exists in sourceIdentityRef of ${identity}; ${choose}.`,
        listIdentities(kindOf(source)),
      ),
    'chain-loops': ({ identity }) =>
      advice(
        `Have one identity of the circle that begins at ${identity} name a controller or static identity as its source.`,
        listIdentities('AWSClusterRoleIdentity'),
      ),
  },
  judge: ({ have, want: { user, identityChain, capaErrors } }) => {
    const nobody = { status: 'not-applicable', reason: 'nothing uses an identity of Cluster API Provider AWS' } as const
    if (have.userConcern.state === 'absent') return nobody
    const errors = capaErrors.state === 'known' ? capaErrors.value : []
    const owner = user.state === 'known' ? user.value.shown : 'the cluster object'
    for (const error of errors) {
      const kind = /No such provider known: '([^']{0,200})'/.exec(error.text)?.[1]
      if (kind !== undefined)
        return {
          status: 'fail',
          message: 'unknown-kind',
          data: { owner, kind: kind || '(none)' },
          evidence: [ofError(error)],
        }
      const name = /Expected AWSClusterControllerIdentity of name default, got ["'\\]{0,4}([a-z0-9.-]{1,253})/.exec(
        error.text,
      )?.[1]
      if (name !== undefined)
        return {
          status: 'fail',
          message: 'controller-identity-not-default',
          data: { owner, name },
          evidence: [ofError(error)],
        }
    }
    if (user.state !== 'known' || identityChain.state !== 'known')
      return user.state === 'unknown' || identityChain.state === 'unknown'
        ? { status: 'undecided', lacks: 'what refers to an identity was not seen' }
        : { status: 'not-applicable', reason: 'no reference to an identity was seen' }
    const { hops, loop } = identityChain.value
    const seen: Evidence = { question: user.from, path: 'spec.identityRef', observed: refText(user.value.ref) }
    for (const [index, { ref, identity }] of hops.entries()) {
      const before = hops[index - 1]
      const from = before === undefined ? owner : refText(before.ref)
      if (!identityKinds.some((kind) => kind === ref.kind))
        return { status: 'fail', message: 'unknown-kind', data: { owner: from, kind: ref.kind }, evidence: [seen] }
      if (ref.kind === controllerKind && ref.name !== 'default')
        return {
          status: 'fail',
          message: 'controller-identity-not-default',
          data: { owner: from, name: ref.name },
          evidence: [seen],
        }
      if (identity.state === 'absent') {
        const evidence = [seen, { question: identity.from, path: 'metadata.name', observed: null, expected: ref.name }]
        return before === undefined
          ? { status: 'fail', message: 'missing', data: { owner, ref: refText(ref) }, evidence }
          : { status: 'fail', message: 'source-missing', data: { identity: from, source: refText(ref) }, evidence }
      }
    }
    if (loop !== undefined)
      return {
        status: 'fail',
        message: 'chain-loops',
        data: { identity: refText(user.value.ref), chain: loop },
        evidence: [seen, { question: identityChain.from, path: 'spec.sourceIdentityRef', observed: loop }],
      }
    const open = hops.find(({ identity }) => identity.state === 'unknown')
    if (open !== undefined)
      return {
        status: 'undecided',
        lacks: `${refText(open.ref)} was not seen${open.identity.state === 'unknown' && open.identity.why !== 'not-collected' ? `: ${open.identity.detail}` : ''}`,
        lift: listIdentities(open.ref.kind),
        evidence: [seen],
      }
    const last = hops.at(-1)
    if (last?.ref.kind === 'AWSClusterRoleIdentity')
      return { status: 'undecided', lacks: `${refText(last.ref)} names no source`, evidence: [seen] }
    return {
      status: 'pass',
      evidence: [
        seen,
        ...hops.map(({ ref, identity }) => ({ question: identity.from, path: 'metadata.name', observed: ref.name })),
      ],
    }
  },
})
