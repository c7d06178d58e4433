/** The client waits for the metadata server and takes the tokens it serves. */
import { defineCheck } from '../../core/check.ts'
import { placeOf } from '../../domain/advice.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { evidenceOf, heardFor, isOpen, ofHeard, undecidedBy } from '../../probes/gcp/heard.ts'
import { googlePod } from '../../probes/gcp/pod.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'

/** Seconds: what the metadata server still hands out, and some clients no longer take. */
const near = 300

export const check = defineCheck({
  meta: {
    id: 'gcp/client-waits-for-metadata-server',
    title: 'The client waits for the metadata server and takes the tokens it serves',
    severity: 'warning',
    scope: 'pod',
    cloud: 'gcp',
    section: 'Node',
    why: 'The metadata server is not ready in the first seconds of a pod, and hands out tokens that may end soon; a client that does not wait or ask again fails now and then.',
    fix: {
      safety: 'review',
      does: 'Add an init container that polls the metadata server for up to a minute, or the timeout or retry variable of the client; never add a sleep to the application.',
    },
    links: [
      'https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity',
      'https://github.com/googleapis/google-auth-library-python/issues/604',
      'https://github.com/grafana/alloy/issues/507',
      'https://github.com/r-lib/gargle/issues/186',
      'https://github.com/googleapis/gcp-metadata',
      'https://github.com/GoogleCloudPlatform/docker-credential-gcr/issues/75',
      'https://github.com/apache/opendal-reqsign/pull/783',
      'https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/blob/main/docs/troubleshooting.md',
    ],
  },
  only: { probe: googlePod, otherwise: 'the pod is bound to no identity of Google' },
  needs: { googlePod },
  wants: {},
  after: [],
  messages: {
    'asked-before-ready': say(
      'container {container} asked for credentials {seconds} s after it started; the metadata server needs the first seconds of a pod',
    ),
    'gives-up-too-early': say('{client} gives up after {timeout}; the metadata server may take longer under load'),
    'remembers-absence': say(
      '{client} found no metadata server at its first try and does not ask again until the process restarts',
    ),
    'refuses-near-expiry': say(
      'the metadata server gave a token with {seconds} s left, and {client} refuses it; it serves cached tokens that may be close to expiry',
    ),
  },
  remedies: {
    'asked-before-ready': advise(
      'Add an init container to the pod template of {workload} that polls http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token with the header Metadata-Flavor: Google for up to a minute, and throws the answer away.',
      'kubectl get {workload} -n {namespace} -o yaml',
    ),
    'gives-up-too-early': advise(
      'Give the client more time by its own settings (GCE_METADATA_TIMEOUT in Python), or let an init container wait for the metadata server.',
      'kubectl get {workload} -n {namespace} -o yaml',
    ),
    'remembers-absence': advise(
      'Have the client look again by its own settings (DETECT_GCP_RETRIES in Node), or let an init container wait for the metadata server.',
      'kubectl get {workload} -n {namespace} -o yaml',
    ),
    'refuses-near-expiry': advise(
      'Update the client to a version that takes tokens with a few minutes left; libraries of Google do.',
    ),
  },
  judge: ({ have, subject }) => {
    if (have.googlePod.state === 'absent')
      return { status: 'not-applicable', reason: 'the pod is bound to no identity of Google' }
    const { heard, look, pod } = have.googlePod.value
    const texts = heardFor(heard, 'gcp/client-waits-for-metadata-server')
    const place = pod === undefined ? placeOf(subject) : { workload: workloadOf(pod), namespace: pod.namespace }
    for (const text of texts) {
      const data = {
        ...place,
        container: 'of the sidecar',
        seconds: 'some',
        timeout: 'its limit',
        client: text.message === 'remembers-absence' ? 'gcp-metadata of Node' : 'google-auth of Python',
        ...text.values,
      }
      if (text.message === 'asked-before-ready')
        return { status: 'fail', message: 'asked-before-ready', data, evidence: [ofHeard(text)] }
      if (text.message === 'gives-up-too-early')
        return { status: 'fail', message: 'gives-up-too-early', data, evidence: [ofHeard(text)] }
      if (text.message === 'remembers-absence')
        return { status: 'fail', message: 'remembers-absence', data, evidence: [ofHeard(text)] }
    }
    const seconds = look.state === 'known' ? look.value.token?.expiresIn : undefined
    if (seconds !== undefined && seconds < near)
      return {
        status: 'fail',
        message: 'refuses-near-expiry',
        data: { ...place, seconds, client: 'a client that wants five minutes' },
        evidence: [evidenceOf(look.from, 'token.expiresIn', seconds, near)],
      }
    if (isOpen(look)) return undecidedBy(look)
    return seconds === undefined
      ? { status: 'not-applicable', reason: 'nothing was heard of a client that does not wait' }
      : { status: 'pass', evidence: [evidenceOf(look.from, 'token.expiresIn', seconds)] }
  },
})
