/** The tokens that the workload reads are mounted and readable. */
import { defineCheck } from '../../core/check.ts'
import { placeOf } from '../../domain/advice.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { evidenceOf, heardFor, isOpen, ofHeard, undecidedBy } from '../../probes/gcp/heard.ts'
import { googleMounts } from '../../probes/gcp/mounts.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'

export const check = defineCheck({
  meta: {
    id: 'gcp/workload-tokens-are-mounted',
    title: 'The tokens that the workload reads are mounted and readable',
    severity: 'error',
    scope: 'pod',
    cloud: 'gcp',
    section: 'Workload',
    why: 'A library that does not find the token where its configuration says, or may not read it, has nothing to exchange.',
    fix: {
      safety: 'review',
      does: 'Put the projected volume, its audience and its path into the pod template as the configuration needs them, or fsGroup for a user that may not read; never run the container as root.',
    },
    links: [
      'https://cloud.google.com/iam/docs/workload-identity-federation-with-kubernetes',
      'https://github.com/pfnet-research/gcp-workload-identity-federation-webhook',
      'https://github.com/googleapis/google-auth-library-nodejs',
      'https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/blob/main/docs/oidc_authentication.md',
      'https://github.com/argoproj/argo-workflows/issues/12781',
    ],
  },
  only: { probe: googleMounts, otherwise: 'the pod exchanges no token of its own at Google' },
  needs: { googleMounts },
  wants: {},
  after: ['gcp/credential-configuration-is-usable'],
  covers: ['workload/token-volume-asks-for-the-audience', 'workload/token-file-is-readable'],
  messages: {
    'path-differs': say('the credential configuration reads {configured}; {pod} mounts the token at {mounted}'),
    'no-token-volume': say(
      'pod {pod} projects no token for audience {audience}, which the credential configuration needs',
    ),
    'configuration-not-mounted': say('GOOGLE_APPLICATION_CREDENTIALS={path} is in no volume of container {container}'),
    'not-readable': say(
      'container {container} runs as {user} and cannot read {path} with mode {mode}; expected fsGroup or a readable mode',
    ),
    'webhook-did-not-inject': say(
      'ServiceAccount {namespace}/{serviceAccount} asks the federation webhook for credentials, but pod {pod} has no volume gcp-iam-token: it is older than the annotation, or the webhook was away',
    ),
    'annotation-pair-incomplete': say(
      'ServiceAccount {namespace}/{serviceAccount} has annotation {present} but not {missing}; the federation webhook needs both',
    ),
    'api-token-not-mounted': say(
      'automountServiceAccountToken is false on {where}, so {container} has no API token at {path}',
    ),
  },
  remedies: {
    'path-differs': advise(
      'Mount the projected token at {configured} in the pod template of {workload}, or write its real path into the configuration.',
      'kubectl get {workload} -n {namespace} -o yaml',
    ),
    'no-token-volume': advise(
      'Add a projected volume with a serviceAccountToken source (audience: {audience}) to the pod template of {workload}, and mount it where the configuration reads it.',
      'kubectl get {workload} -n {namespace} -o yaml',
    ),
    'configuration-not-mounted': advise(
      'Mount the ConfigMap with the configuration so that {path} is in it, in container {container} of {workload}.',
      'kubectl get {workload} -n {namespace} -o yaml',
    ),
    'not-readable': advise(
      'Set fsGroup in the securityContext of the pod template of {workload} to a group that its user is in; leave the user as it is.',
      'kubectl get {workload} -n {namespace} -o yaml',
    ),
    'webhook-did-not-inject': advise(
      'See that the federation webhook answers, then have the owner of {pod} make its pods anew.',
      'kubectl get mutatingwebhookconfigurations',
      'kubectl get pods -n {namespace}',
    ),
    'annotation-pair-incomplete': advise(
      'Add the annotation {missing} to the ServiceAccount, then have its pods made anew.',
      'kubectl annotate serviceaccount/{serviceAccount} -n {namespace} {missing}=VALUE',
    ),
    'api-token-not-mounted': advise(
      'Set automountServiceAccountToken: true in the pod template of {workload}, or leave it out there and on the ServiceAccount.',
      'kubectl get {workload} -n {namespace} -o yaml',
    ),
  },
  judge: ({ have, subject }) => {
    if (have.googleMounts.state === 'absent')
      return { status: 'not-applicable', reason: 'the pod exchanges no token of its own at Google' }
    const { google, configuration, missingPath, reads, mounted, injection, users } = have.googleMounts.value
    const { pod, fact, heard, look, automounts } = google
    const texts = heardFor(heard, 'gcp/workload-tokens-are-mounted')
    const place = pod === undefined ? placeOf(subject) : { workload: workloadOf(pod), namespace: pod.namespace }
    const data = {
      ...place,
      pod: pod?.name ?? subject.name,
      serviceAccount: pod?.serviceAccount ?? (subject.kind === 'ServiceAccount' ? subject.name : ''),
    }
    const evidence = [
      ...(reads === undefined ? [] : [evidenceOf(fact.from, 'credential_source.file', reads, mounted[0]?.path)]),
      ...mounted.map(({ path, audience }) =>
        evidenceOf(fact.from, 'spec.volumes[].projected.sources.serviceAccountToken', {
          path,
          audience: audience ?? null,
        }),
      ),
    ]
    if (injection?.missing !== undefined)
      return {
        status: 'fail',
        message: 'annotation-pair-incomplete',
        data: { ...data, present: injection.present, missing: injection.missing },
        evidence,
      }
    const made = pod?.uid !== undefined
    if (injection !== undefined && pod !== undefined && !injection.injected && made)
      return { status: 'fail', message: 'webhook-did-not-inject', data, evidence }
    if (missingPath !== undefined && made)
      return {
        status: 'fail',
        message: 'configuration-not-mounted',
        data: { ...data, path: missingPath.path, container: missingPath.container },
        evidence: [evidenceOf(fact.from, 'GOOGLE_APPLICATION_CREDENTIALS', missingPath.path)],
      }
    if (
      pod !== undefined &&
      reads !== undefined &&
      configuration !== undefined &&
      !mounted.some(({ path }) => path === reads)
    ) {
      const [other] = mounted.filter(({ forGoogle }) => forGoogle)
      if (other !== undefined)
        return {
          status: 'fail',
          message: 'path-differs',
          data: { ...data, configured: reads, mounted: other.path },
          evidence,
        }
      if (made)
        return { status: 'fail', message: 'no-token-volume', data: { ...data, audience: configuration }, evidence }
      return {
        status: 'undecided',
        lacks: `the pod is a manifest; whether something adds the token for ${reads} is not known`,
        evidence,
      }
    }
    const file = look.state === 'known' ? look.value.file : undefined
    if (file !== undefined && !file.readable)
      return {
        status: 'fail',
        message: 'not-readable',
        data: {
          ...data,
          container: look.state === 'known' ? (look.value.container ?? '') : '',
          user: file.user ?? '',
          path: file.path,
          mode: file.mode ?? '',
        },
        evidence: [evidenceOf(look.from, 'tokenFile', { path: file.path, readable: false })],
      }
    const barred = users[0]
    if (barred !== undefined)
      return {
        status: 'fail',
        message: 'not-readable',
        data: { ...data, ...barred },
        evidence: [...evidence, evidenceOf(fact.from, 'spec.securityContext.fsGroup', null)],
      }
    const configured = texts.find(({ message }) => message === 'path-differs')
    if (configured !== undefined && !mounted.some(({ path }) => path === configured.values.configured))
      return {
        status: 'fail',
        message: 'path-differs',
        data: { ...data, ...configured.values, mounted: mounted[0]?.path ?? 'no path that was seen' },
        evidence: [...evidence, ofHeard(configured)],
      }
    const api = texts.find(({ message }) => message === 'api-token-not-mounted')
    if (api !== undefined && (automounts === false || pod === undefined))
      return {
        status: 'fail',
        message: 'api-token-not-mounted',
        data: {
          ...data,
          where: pod === undefined ? 'the pod or its ServiceAccount' : `pod ${pod.name} or its ServiceAccount`,
          container: 'a container of it',
          path: api.values.path ?? '',
        },
        evidence: [evidenceOf(fact.from, 'spec.automountServiceAccountToken', automounts ?? null), ofHeard(api)],
      }
    if (pod === undefined) return undecidedBy(fact, evidence)
    if (isOpen(look)) return undecidedBy(look, evidence)
    if (injection !== undefined && !injection.injected)
      return { status: 'undecided', lacks: 'the pod is a manifest, which no webhook has seen yet', evidence }
    if (api !== undefined || configured !== undefined)
      return {
        status: 'undecided',
        lacks: 'what was logged of the token does not fit the pod that was seen',
        evidence: [...evidence, ...texts.map(ofHeard)],
      }
    return reads !== undefined || injection !== undefined || mounted.some(({ forGoogle }) => forGoogle)
      ? { status: 'pass', evidence }
      : {
          status: 'undecided',
          lacks: 'which token the workload reads was not seen',
          lift: 'kubectl get configmaps -o yaml',
          evidence,
        }
  },
})
