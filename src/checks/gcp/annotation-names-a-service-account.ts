/** The annotation iam.gke.io/gcp-service-account sits on the ServiceAccount and holds an account's e-mail. */
import { defineCheck } from '../../core/check.ts'
import { placeOf } from '../../domain/advice.ts'
import { googleAnnotation } from '../../domain/audiences.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { emailForm, googleAccount, isEmail } from '../../probes/gcp/account.ts'
import { evidenceOf, heardFor, isOpen, ofHeard, undecidedBy } from '../../probes/gcp/heard.ts'
import { googleNamesake } from '../../probes/gcp/namesake.ts'

type Fault = {
  readonly message: 'not-an-email' | 'wrong-domain' | 'stray-characters' | 'id-length'
  readonly data: { readonly [name: string]: string | number }
}

/** What is wrong with a value, compared as it stands: the metadata server does not trim. */
function faultOf(value: string): Fault | undefined {
  if (emailForm.test(value)) return undefined
  const inner = value
    .replace(/^[\s"'`<(]*(?:serviceAccount:|mailto:)?/, '')
    .replace(/[\s"'`>),;]*$/, '')
    .replace(/[\s\u200b\u00a0]/g, '')
  if (inner !== value && isEmail(inner)) {
    const stray = [...value].find((letter, at) => inner[at] !== letter) ?? ' '
    const word = value.includes('serviceAccount:')
      ? 'the prefix serviceAccount:'
      : /\s/.test(stray)
        ? 'white space'
        : stray
    return { message: 'stray-characters', data: { stray: word, expected: inner } }
  }
  const [id = '', domain, more] = value.split('@')
  if (domain === undefined || more !== undefined || id === '' || domain === '')
    return { message: 'not-an-email', data: {} }
  if (!/(?:^|\.)gserviceaccount\.com$/.test(domain)) return { message: 'wrong-domain', data: { domain } }
  if (domain.endsWith('.iam.gserviceaccount.com') && (id.length < 6 || id.length > 30) && /^[a-z0-9-]+$/.test(id))
    return { message: 'id-length', data: { accountId: id, length: id.length } }
  return { message: 'not-an-email', data: {} }
}

export const check = defineCheck({
  meta: {
    id: 'gcp/annotation-names-a-service-account',
    title: "The annotation iam.gke.io/gcp-service-account sits on the ServiceAccount and holds an account's e-mail",
    severity: 'error',
    scope: 'service-account',
    cloud: 'gcp',
    section: 'Binding',
    why: 'The metadata server takes the annotation as it stands: an address that is none gives no token, and one in another place is not read at all.',
    fix: {
      safety: 'review',
      does: 'Write the annotation on the ServiceAccount with the e-mail of the one account that is meant; leave other annotations alone.',
    },
    links: [
      'https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity',
      'https://github.com/terraform-google-modules/terraform-google-kubernetes-engine/tree/main/modules/workload-identity',
      'https://github.com/matheuscscp/gke-metadata-server',
      'https://github.com/vmware-tanzu/velero-plugin-for-gcp/issues/194',
    ],
  },
  only: { probe: googleAccount, otherwise: 'the ServiceAccount is bound to no identity of Google' },
  needs: { googleAccount },
  wants: { googleNamesake },
  after: [],
  messages: {
    'not-an-email': say(
      'annotation iam.gke.io/gcp-service-account is {value}; expected NAME@PROJECT.iam.gserviceaccount.com',
    ),
    'wrong-domain': say(
      'annotation iam.gke.io/gcp-service-account is {value}, which ends in {domain}; expected a domain under gserviceaccount.com',
    ),
    'stray-characters': say(
      'annotation iam.gke.io/gcp-service-account is {value} with {stray} around or inside the address; expected {expected}',
    ),
    'id-length': say('account id {accountId} in {value} has {length} characters; Google account ids have 6 to 30'),
    'on-pod': say(
      'annotation iam.gke.io/gcp-service-account is on {kind} {name}, where nothing reads it; expected on ServiceAccount {namespace}/{serviceAccount}',
    ),
    'on-namesake': say(
      'ServiceAccount {namesake} carries the annotation {value}; the one the pod uses, {namespace}/{serviceAccount}, has none',
    ),
  },
  remedies: {
    'not-an-email': advise(
      'Annotate the ServiceAccount with the e-mail of the account that it is to act as.',
      'gcloud iam service-accounts list --format=value(email)',
      'kubectl annotate serviceaccount/{serviceAccount} -n {namespace} iam.gke.io/gcp-service-account=EMAIL --overwrite',
    ),
    'wrong-domain': advise(
      'Annotate the ServiceAccount with the e-mail of the account that it is to act as.',
      'gcloud iam service-accounts list --format=value(email)',
      'kubectl annotate serviceaccount/{serviceAccount} -n {namespace} iam.gke.io/gcp-service-account=EMAIL --overwrite',
    ),
    'stray-characters': advise(
      'Write the annotation without what is around the address.',
      'kubectl annotate serviceaccount/{serviceAccount} -n {namespace} iam.gke.io/gcp-service-account={expected} --overwrite',
    ),
    'id-length': advise(
      'Annotate the ServiceAccount with the e-mail of the account that it is to act as.',
      'gcloud iam service-accounts list --format=value(email)',
      'kubectl annotate serviceaccount/{serviceAccount} -n {namespace} iam.gke.io/gcp-service-account=EMAIL --overwrite',
    ),
    'on-pod': advise(
      'Move the annotation from the pods to their ServiceAccount, the only place where it is read; then restart them.',
      'kubectl annotate serviceaccount/{serviceAccount} -n {namespace} iam.gke.io/gcp-service-account={value}',
    ),
    'on-namesake': advise(
      'Annotate the ServiceAccount that the pods use, if that account is meant for it; nobody runs as {namesake}.',
      'kubectl annotate serviceaccount/{serviceAccount} -n {namespace} iam.gke.io/gcp-service-account={value}',
    ),
  },
  judge: ({ have, want, subject }) => {
    if (have.googleAccount.state === 'absent')
      return { status: 'not-applicable', reason: 'the ServiceAccount is bound to no identity of Google' }
    const { annotation, fact, heard, pods, account, world } = have.googleAccount.value
    const { googleNamesake } = want
    const place = {
      namespace: placeOf(subject).namespace,
      serviceAccount: subject.kind === 'ServiceAccount' ? subject.name : '',
    }
    const texts = heardFor(heard, 'gcp/annotation-names-a-service-account')
    const path = `metadata.annotations["${googleAnnotation}"]`
    if (annotation !== undefined) {
      const evidence = [evidenceOf(fact.from, path, annotation, 'NAME@PROJECT.iam.gserviceaccount.com')]
      const fault = faultOf(annotation)
      // Whatever its length: an account that has a policy, or that somebody was refused, is there.
      const exists =
        heard.length > 0 ||
        world.accounts.includes(annotation) ||
        world.policies.some(
          ({ resource, bindings }) =>
            resource.endsWith(`/${annotation}`) ||
            bindings.some(({ members }) => members.includes(`serviceAccount:${annotation}`)),
        )
      const isOdd = fault?.message === 'id-length'
      if (isOdd && !exists && isOpen(world.collected)) return undecidedBy(world.collected, evidence)
      if (fault !== undefined && !(isOdd && exists))
        return {
          status: 'fail',
          message: fault.message,
          data: { ...place, ...fault.data, value: annotation.trim() === '' ? 'empty' : annotation },
          evidence,
        }
      return { status: 'pass', evidence }
    }
    const [text] = texts
    if (text !== undefined && account === undefined)
      return {
        status: 'fail',
        message: 'not-an-email',
        data: { ...place, value: 'not an address' },
        evidence: [ofHeard(text)],
      }
    if (account === undefined) return { status: 'not-applicable', reason: 'no ServiceAccount was seen' }
    const pod = pods.find(({ annotations }) => annotations[googleAnnotation] !== undefined)
    if (pod !== undefined)
      return {
        status: 'fail',
        message: 'on-pod',
        data: { ...place, kind: pod.kind, name: pod.name, value: pod.annotations[googleAnnotation] ?? '' },
        evidence: [
          evidenceOf(fact.from, path, null),
          evidenceOf(fact.from, `pod ${pod.name}: ${path}`, pod.annotations[googleAnnotation] ?? ''),
        ],
      }
    if (googleNamesake.state === 'known')
      return {
        status: 'fail',
        message: 'on-namesake',
        data: { ...place, namesake: googleNamesake.value.name, value: googleNamesake.value.value },
        evidence: [
          evidenceOf(fact.from, path, null),
          evidenceOf(googleNamesake.from, `${googleNamesake.value.name}: ${path}`, googleNamesake.value.value),
        ],
      }
    return { status: 'not-applicable', reason: 'there is no annotation, and direct access needs none' }
  },
})
