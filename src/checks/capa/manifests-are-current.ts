/** Whether manifests of Cluster API Provider AWS use a version that is served and fields that exist. */
import { defineCheck } from '../../core/check.ts'
import { isObject } from '../../core/json.ts'
import { advice } from '../../domain/advice.ts'
import { roleKind, staticKind } from '../../domain/capa.ts'
import { unknownField } from '../../domain/capa-bootstrap.ts'
import { editDistance } from '../../domain/edit-distance.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { bootstrap } from '../../probes/capa/bootstrap.ts'
import { capaErrors } from '../../probes/capa/errors.ts'
import { infrastructure, servedVersions } from '../../probes/capa/manifests.ts'
import { identity } from '../../probes/capa/objects.ts'
import { manifestConcern } from '../../probes/capa/spec.ts'

/** What kubectl says of a version that is not served. */
const notServed = /(AWSCluster[A-Za-z]{1,20}Identity)\\?" in version \\?"infrastructure\.cluster\.x-k8s\.io\/v1beta1/

const current = `${infrastructure}/v1beta2`
const common = ['allowedNamespaces']
const fields: { readonly [kind: string]: readonly string[] } = {
  [roleKind]: [
    ...common,
    'roleARN',
    'sessionName',
    'durationSeconds',
    'inlinePolicy',
    'policyARNs',
    'externalID',
    'sourceIdentityRef',
  ],
  [staticKind]: [...common, 'secretRef'],
}

/** The field that was meant, or those that there are. */
function meant(path: string, known: readonly string[]): string {
  const written = path.split('.').at(-1) ?? ''
  const [first] = known
    .map((name) => ({ name, far: editDistance(written.toLowerCase(), name.toLowerCase(), 3) }))
    .filter(({ far }) => far <= 3)
    .sort((a, b) => a.far - b.far)
  return first?.name ?? `one of ${known.join(', ')}`
}

type Written = { readonly kind: string; readonly name: string; readonly apiVersion: string }
const rewrite = ({ kind, name }: Written): string =>
  advice(
    `Write apiVersion: ${current} into the manifest of ${kind} ${name} and apply it again; both versions have the same fields.`,
    sh`kubectl api-versions`,
  )

export const check = defineCheck({
  meta: {
    id: 'capa/manifests-are-current',
    title: 'CAPA manifests use the current version and only fields that exist',
    severity: 'warning',
    scope: 'object',
    kinds: [
      'AWSClusterRoleIdentity',
      'AWSClusterStaticIdentity',
      'AWSClusterControllerIdentity',
      'AWSIAMConfiguration',
    ],
    cloud: 'aws',
    section: 'Cluster API',
    why: 'A version that is no longer served is refused, and a field that does not exist is refused or dropped without a word.',
    fix: {
      safety: 'safe',
      does: 'Rewrite apiVersion or the key in the file; v1beta1 and v1beta2 of the identities have the same fields.',
    },
    links: [
      'https://github.com/kubernetes-sigs/cluster-api-provider-aws/issues/3554',
      'https://github.com/kubernetes-sigs/cluster-api-provider-aws/tree/2cf09d7',
    ],
  },
  only: { probe: manifestConcern, otherwise: 'there is no manifest of Cluster API Provider AWS' },
  needs: { manifestConcern },
  wants: { identity, servedVersions, bootstrap, capaErrors },
  after: [],
  messages: {
    'version-not-served': ({ kind, name, apiVersion, served }: Written & { served: string }) =>
      `${kind}/${name} is written as ${apiVersion}; this cluster serves ${served} and refuses it`,
    'retired-version': ({ kind, name, apiVersion }: Written) =>
      `${kind}/${name} is written as ${apiVersion}; CAPA serves only v1beta2 since a release between v2.3 and v2.5`,
    'unknown-field': ({ path, kind, expected }: { path: string; kind: string; expected: string }) =>
      `${path} is not a field of ${kind}; the field is ${expected}`,
  },
  remedies: {
    'version-not-served': rewrite,
    'retired-version': rewrite,
    'unknown-field': ({ path, expected }) =>
      advice(`Write ${expected} in the place of ${path}; what is written now has no effect, or is refused.`),
  },
  judge: ({ have, want: { identity, servedVersions, bootstrap, capaErrors } }) => {
    if (have.manifestConcern.state === 'absent')
      return { status: 'not-applicable', reason: 'there is no manifest of Cluster API Provider AWS' }
    if (bootstrap.state === 'known') {
      const fault = unknownField(bootstrap.value.spec)
      const question = bootstrap.from
      if (fault === undefined)
        return {
          status: 'pass',
          evidence: [{ question, path: 'spec', observed: Object.keys(bootstrap.value.spec) }],
        }
      const { path, known } = fault
      const expected = meant(path, known)
      return {
        status: 'fail',
        message: 'unknown-field',
        data: { path, kind: 'AWSIAMConfiguration', expected },
        evidence: [{ question, path, observed: path.split('.').at(-1) ?? path, expected }],
      }
    }
    const errors = capaErrors.state === 'known' ? capaErrors.value : []
    const refused = errors.find(({ text }) => notServed.test(text))
    if (
      refused !== undefined &&
      (identity.state !== 'known' || /\/v1(?:alpha\d+|beta1)$/.test(identity.value.apiVersion))
    ) {
      const [, kind = roleKind] = notServed.exec(refused.text) ?? []
      const data = { kind, name: identity.state === 'known' ? identity.value.name : 'NAME' }
      return {
        status: 'fail',
        message: 'version-not-served',
        data: { ...data, apiVersion: `${infrastructure}/v1beta1`, served: 'another version' },
        evidence: [ofError(refused)],
      }
    }
    if (identity.state !== 'known')
      return identity.state === 'absent'
        ? { status: 'not-applicable', reason: 'only an error text speaks of it' }
        : { status: 'undecided', lacks: 'the identity was not seen' }
    const { kind, name, apiVersion, served, spec } = identity.value
    const written = { kind, name, apiVersion }
    const path = 'apiVersion'
    const evidence = [{ question: identity.from, path, observed: apiVersion, expected: current }]
    const version = apiVersion.split('/').at(-1) ?? ''
    if (!served && apiVersion.startsWith(`${infrastructure}/`) && apiVersion !== current) {
      const offered = servedVersions.state === 'known' ? servedVersions.value : undefined
      if (offered !== undefined && offered.length > 0 && !offered.includes(version))
        return {
          status: 'fail',
          message: 'version-not-served',
          data: { ...written, served: offered.join(', ') },
          evidence: [...evidence, { question: servedVersions.from, path: 'spec.versions', observed: [...offered] }],
        }
      if (servedVersions.state === 'unknown' && servedVersions.why !== 'not-collected')
        return {
          status: 'undecided',
          lacks: `which versions of ${kind} the cluster serves was not seen: ${servedVersions.detail}`,
          evidence,
        }
      if (offered === undefined && /^v1(?:alpha\d+|beta1)$/.test(version))
        return { status: 'fail', message: 'retired-version', data: written, evidence }
    }
    const known = fields[kind] ?? common
    const stray = isObject(spec) ? Object.keys(spec).find((key) => !known.includes(key)) : undefined
    if (stray !== undefined)
      return {
        status: 'fail',
        message: 'unknown-field',
        data: { path: `spec.${stray}`, kind, expected: meant(stray, known) },
        evidence: [{ question: identity.from, path: `spec.${stray}`, observed: stray }],
      }
    return { status: 'pass', evidence: [{ question: identity.from, path, observed: apiVersion }] }
  },
})
