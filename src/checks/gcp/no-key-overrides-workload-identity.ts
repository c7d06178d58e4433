/** Nothing takes precedence over the metadata server. */
import { defineCheck } from '../../core/check.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { googleOverrides } from '../../probes/gcp/beside.ts'
import { evidenceOf } from '../../probes/gcp/heard.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'

/** What leads to the metadata server of GKE all the same. */
const ownHosts: ReadonlySet<string> = new Set([
  '169.254.169.254',
  '169.254.169.254:80',
  'metadata.google.internal',
  'metadata.google.internal.',
  'metadata.google.internal:80',
])

export const check = defineCheck({
  meta: {
    id: 'gcp/no-key-overrides-workload-identity',
    title: 'Nothing takes precedence over the metadata server',
    severity: 'error',
    scope: 'pod',
    cloud: 'gcp',
    section: 'Workload',
    why: 'A key file or a variable that names one wins over the metadata server, so the workload goes on with another identity without a word.',
    fix: {
      safety: 'review',
      does: 'Remove the variable from the pod template of the owner; never delete the Secret or the key behind it.',
    },
    links: ['https://github.com/vmware-tanzu/helm-charts/issues/242', 'https://github.com/googleapis/gcp-metadata'],
  },
  only: { probe: googleOverrides, otherwise: 'the ServiceAccount is bound to no identity of GKE' },
  needs: { googleOverrides },
  wants: {},
  after: [],
  covers: ['workload/static-credentials-are-absent'],
  messages: {
    'key-file-env': say(
      'container {container} sets GOOGLE_APPLICATION_CREDENTIALS={path} (from {volume}), which wins over the metadata server; expected it unset',
    ),
    'gcloud-override': say(
      'container {container} sets CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE={path}, which gcloud and gsutil prefer to the metadata server; expected it unset',
    ),
    'metadata-host-override': say(
      'container {container} sends metadata requests to {variable}={value}; expected 169.254.169.254 or unset',
    ),
  },
  remedies: {
    'key-file-env': advise(
      'Take {variable} out of container {container} in the pod template of {workload}; where a chart sets it, in its values. Keep the Secret until that has proven well.',
      'kubectl set env {workload} -n {namespace} -c {container} {variable}-',
    ),
    'gcloud-override': advise(
      'Take {variable} out of container {container} in the pod template of {workload}; where a chart sets it, in its values. Keep the Secret until that has proven well.',
      'kubectl set env {workload} -n {namespace} -c {container} {variable}-',
    ),
    'metadata-host-override': advise(
      'Take {variable} out of container {container} in the pod template of {workload}; where a chart sets it, in its values. Keep the Secret until that has proven well.',
      'kubectl set env {workload} -n {namespace} -c {container} {variable}-',
    ),
  },
  judge: ({ have }) => {
    if (have.googleOverrides.state === 'absent')
      return { status: 'not-applicable', reason: 'the ServiceAccount is bound to no identity of GKE' }
    const { pod, found, annotated, open } = have.googleOverrides.value
    const { from } = have.googleOverrides
    const place = { workload: workloadOf(pod), namespace: pod.namespace }
    const evidence = found.map(({ container, variable, value }) =>
      evidenceOf(from, `spec.containers[${container}].env[${variable}]`, value ?? 'a value', null),
    )
    const of = (variable: string) => found.filter((one) => one.variable === variable)
    // Without the annotation a configuration of federation is what was meant; what a Secret holds is never read.
    for (const one of of('GOOGLE_APPLICATION_CREDENTIALS'))
      if (annotated)
        return {
          status: 'fail',
          message: 'key-file-env',
          data: {
            ...place,
            container: one.container,
            variable: one.variable,
            path: one.value ?? 'a path that was not read',
            volume: one.volume,
          },
          evidence,
        }
    const [override] = of('CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE')
    if (override !== undefined)
      return {
        status: 'fail',
        message: 'gcloud-override',
        data: {
          ...place,
          container: override.container,
          variable: override.variable,
          path: override.value ?? 'a path that was not read',
        },
        evidence,
      }
    const host = [...of('GCE_METADATA_HOST'), ...of('GCE_METADATA_IP')].find(
      ({ value }) => value !== undefined && !ownHosts.has(value),
    )
    if (host !== undefined)
      return {
        status: 'fail',
        message: 'metadata-host-override',
        data: { ...place, container: host.container, variable: host.variable, value: host.value ?? '' },
        evidence,
      }
    const unread = [...of('GCE_METADATA_HOST'), ...of('GCE_METADATA_IP')].find(({ value }) => value === undefined)
    const lacks =
      open ??
      (unread === undefined
        ? undefined
        : `the value of ${unread.variable} of container ${unread.container} was not seen`)
    return lacks === undefined
      ? {
          status: 'pass',
          evidence: [
            ...evidence,
            evidenceOf(
              from,
              'spec.containers[].env',
              found.map(({ variable }) => variable),
            ),
          ],
        }
      : { status: 'undecided', lacks, evidence }
  },
})
