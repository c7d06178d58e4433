/** Whether an identity of Cluster API Provider AWS is written as its schema and its webhooks require. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { isObject, type Json } from '../../core/json.ts'
import { advice } from '../../domain/advice.ts'
import { controllerKind, type Ref, roleArnOf, roleKind } from '../../domain/capa.ts'
import { editIdentity, findControllers, listIdentities, showIdentity } from '../../domain/capa-advice.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { capaErrors } from '../../probes/capa/errors.ts'
import { identity } from '../../probes/capa/objects.ts'
import { chainedSession, identityConcern } from '../../probes/capa/spec.ts'

const short = (value: Json): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}

const unseen = 'NAME'
const inText = (text: string): Ref => {
  const [, kind, name] =
    /(AWSCluster(?:Role|Static|Controller)Identity)[^"]{0,60}"([a-z0-9.-]{1,253})"/.exec(text) ?? []
  return { kind: kind ?? roleKind, name: name ?? unseen }
}

export const check = defineCheck({
  meta: {
    id: 'capa/identity-spec-is-valid',
    title: 'Every CAPA identity is written as its schema and webhooks require',
    severity: 'error',
    scope: 'object',
    kinds: ['AWSClusterRoleIdentity', 'AWSClusterStaticIdentity', 'AWSClusterControllerIdentity'],
    cloud: 'aws',
    section: 'Cluster API',
    why: 'An identity that the API server refuses, or whose misspelt key it drops, leaves clusters without credentials.',
    fix: {
      safety: 'review',
      does: 'Write the manifest with the one key or space corrected; allowedNamespaces is never filled in with {} where it was unreadable, and a new name means to delete and create again.',
    },
    links: [
      'https://github.com/kubernetes-sigs/cluster-api-provider-aws/blob/2cf09d7/pkg/cloud/scope/session.go',
      'https://github.com/aws/eks-anywhere/pull/9485',
    ],
  },
  only: { probe: identityConcern, otherwise: 'there is no identity of Cluster API Provider AWS' },
  needs: { identityConcern },
  wants: { identity, chainedSession, capaErrors },
  after: [],
  messages: {
    'spec-is-text': ({ kind, name, text }: Ref & { text: string }) =>
      `${kind}/${name}: spec is the text "${text}", not an object; YAML needs a space after the colon`,
    'namespaces-not-an-object': ({ kind, name, value }: Ref & { value: string }) =>
      `${kind}/${name}: allowedNamespaces is ${value}; the schema takes an object with list or selector`,
    'source-misspelt': ({ kind, name, written }: Ref & { written: string }) =>
      `${kind}/${name}: "${written}" is not a field and is dropped, so the role identity has no sourceIdentityRef`,
    'source-unset': ({ kind, name, roleARN }: Ref & { roleARN: string }) =>
      `${kind}/${name} has no spec.sourceIdentityRef: no credentials to assume ${roleARN} with`,
    'controller-identity-renamed': ({ name }: { name: string }) =>
      `AWSClusterControllerIdentity ${name}: it is a singleton and its only name is default`,
    'duration-out-of-range': ({ kind, name, value }: Ref & { value: string }) =>
      `${kind}/${name}: durationSeconds ${value} is outside 900 to 43200`,
    'chained-session-too-long': ({ name, value, source }: { name: string; value: string; source: string }) =>
      `${name} asks for ${value} s, but its source ${source} is itself an assumed role: STS gives chained sessions 3600 s at most`,
  },
  remedies: {
    'spec-is-text': (data) =>
      advice(
        `Write the fields below spec of the manifest of ${data.kind} ${data.name}, with a space after each colon, and say under allowedNamespaces which namespaces may use it.`,
        showIdentity(data),
      ),
    'namespaces-not-an-object': (data) =>
      advice(
        `Write the same names as an object in the manifest of ${data.kind} ${data.name}: allowedNamespaces with a list below it.`,
        showIdentity(data),
      ),
    'source-misspelt': (data) =>
      advice(
        `Write sourceIdentityRef in the place of ${data.written}, below spec, and apply the manifest again.`,
        showIdentity(data),
      ),
    'source-unset': (data) =>
      advice(
        'Name the identity that the role is assumed from in spec.sourceIdentityRef; the commands list those that there are.',
        listIdentities('AWSClusterControllerIdentity'),
        listIdentities('AWSClusterStaticIdentity'),
        editIdentity(data),
      ),
    'controller-identity-renamed': () =>
      advice(
        'Create the identity under the name default, have the clusters refer to that, and delete the other one.',
        listIdentities('AWSClusterControllerIdentity'),
      ),
    'duration-out-of-range': (data) =>
      advice('Set spec.durationSeconds to at least 900 and at most 43200 s.', editIdentity(data)),
    'chained-session-too-long': (data) =>
      advice(
        'Set spec.durationSeconds to 3600; only a static source gives longer sessions.',
        editIdentity({ kind: roleKind, name: data.name }),
        findControllers,
      ),
  },
  judge: ({ have, want: { identity, chainedSession, capaErrors } }) => {
    if (have.identityConcern.state === 'absent')
      return { status: 'not-applicable', reason: 'there is no identity of Cluster API Provider AWS' }
    const errors = capaErrors.state === 'known' ? capaErrors.value : []
    const refused = errors.find(({ text }) => /field cannot be set to nil/.test(text))
    const singleton = errors.find(({ text }) => /is a singleton and only acceptable name is default/.test(text))
    const chained = errors.find(({ text }) => /1 hour session limit for roles assumed by role chaining/.test(text))
    if (identity.state !== 'known') {
      if (refused !== undefined)
        return {
          status: 'fail',
          message: 'source-unset',
          data: { ...inText(refused.text), roleARN: 'its role' },
          evidence: [ofError(refused)],
        }
      if (singleton !== undefined)
        return {
          status: 'fail',
          message: 'controller-identity-renamed',
          data: { name: inText(singleton.text).name },
          evidence: [ofError(singleton)],
        }
      if (chained !== undefined)
        return {
          status: 'fail',
          message: 'chained-session-too-long',
          data: { name: inText(chained.text).name, value: 'more than 3600', source: 'of the session' },
          evidence: [ofError(chained)],
        }
      return identity.state === 'absent' && errors.length > 0
        ? { status: 'not-applicable', reason: 'nothing was said about how an identity is written' }
        : { status: 'undecided', lacks: 'the identity was not seen' }
    }
    const { value, from } = identity
    const { kind, name, spec, beside } = value
    const ref = { kind, name }
    const evidence = (path: string, observed: Json, expected?: Json): readonly Evidence[] => [
      { question: from, path, observed, ...(expected === undefined ? {} : { expected }) },
    ]
    if (typeof spec === 'string')
      return {
        status: 'fail',
        message: 'spec-is-text',
        data: { ...ref, text: short(spec) },
        evidence: evidence('spec', short(spec)),
      }
    const fields = isObject(spec) ? spec : {}
    const { allowedNamespaces } = fields
    if (allowedNamespaces !== undefined && allowedNamespaces !== null && !isObject(allowedNamespaces))
      return {
        status: 'fail',
        message: 'namespaces-not-an-object',
        data: { ...ref, value: short(allowedNamespaces) },
        evidence: evidence('spec.allowedNamespaces', short(allowedNamespaces)),
      }
    if (kind === roleKind && (fields.sourceIdentityRef === undefined || fields.sourceIdentityRef === null)) {
      const written = [...Object.keys(fields), ...beside].find(
        (key) => key.toLowerCase() === 'sourceidentityref' && fields[key] !== null,
      )
      if (written !== undefined)
        return {
          status: 'fail',
          message: 'source-misspelt',
          data: {
            ...ref,
            written:
              beside.includes(written) && written === 'sourceIdentityRef' ? 'sourceIdentityRef beside spec' : written,
          },
          evidence: evidence('spec', Object.keys(fields), 'sourceIdentityRef'),
        }
      return {
        status: 'fail',
        message: 'source-unset',
        data: { ...ref, roleARN: roleArnOf(value) ?? 'its role' },
        evidence: [
          ...evidence('spec', Object.keys(fields), 'sourceIdentityRef'),
          ...(refused === undefined ? [] : [ofError(refused)]),
        ],
      }
    }
    if (kind === controllerKind && name !== 'default')
      return {
        status: 'fail',
        message: 'controller-identity-renamed',
        data: { name },
        evidence: evidence('metadata.name', name, 'default'),
      }
    const { durationSeconds } = fields
    const inRange = typeof durationSeconds === 'number' && durationSeconds >= 900 && durationSeconds <= 43200
    if (durationSeconds !== undefined && durationSeconds !== null && !inRange)
      return {
        status: 'fail',
        message: 'duration-out-of-range',
        data: { ...ref, value: short(durationSeconds) },
        evidence: evidence('spec.durationSeconds', short(durationSeconds)),
      }
    if (chainedSession.state === 'known') {
      const { seconds, source } = chainedSession.value
      return {
        status: 'fail',
        message: 'chained-session-too-long',
        data: { name, value: String(seconds), source },
        evidence: [
          ...evidence('spec.durationSeconds', seconds, 3600),
          ...(chained === undefined ? [] : [ofError(chained)]),
        ],
      }
    }
    return { status: 'pass', evidence: evidence('spec', Object.keys(fields)) }
  },
})
