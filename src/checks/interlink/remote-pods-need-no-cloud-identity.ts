/** Whether a pod on a compute site far away expects a cloud identity, which it cannot get there. */
import { defineCheck } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { googleAnnotation, podIdentityAudience } from '../../domain/audiences.ts'
import { cloudNames, cloudOfAudience } from '../../domain/federation-marks.ts'
import { remotePlace, remotePod } from '../../probes/interlink/virtual.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

type Place = { readonly pod: string; readonly node: string }

const instead =
  'Let something that runs in the cluster exchange the token and hand the result on, or use credentials that the compute site provides; else keep the pod on real nodes with a node selector.'

export const check = defineCheck({
  meta: {
    id: 'interlink/remote-pods-need-no-cloud-identity',
    title: 'Pods on a virtual node do without a cloud identity',
    severity: 'error',
    scope: 'pod',
    cloud: 'any',
    section: 'interLink',
    why: 'interLink makes one token for the API server, whatever the pod asks for, and neither agents nor metadata servers are where the job runs.',
    fix: {
      safety: 'manual',
      does: 'Exchange tokens in the cluster, or use what the compute site provides; keep pods that need a cloud identity on real nodes.',
    },
    links: [
      'https://github.com/interlink-hq/interLink/pull/368',
      'https://github.com/interlink-hq/interLink/tree/f6321757',
    ],
  },
  only: { probe: remotePlace, otherwise: 'the pod runs on no virtual node' },
  needs: { remotePlace, remotePod },
  wants: { serviceAccount },
  after: [],
  messages: {
    'audience-dropped': ({ pod, node, audience, cloud }: Place & { audience: string; cloud: string }) =>
      `pod ${pod} runs on virtual node ${node} and expects a token for ${audience}; interLink gives it one for the API server, which ${cloud} refuses`,
    'pod-identity-out-of-reach': ({ pod, node }: Place) =>
      `pod ${pod} runs on virtual node ${node}, where the EKS Pod Identity agent does not exist`,
    'metadata-out-of-reach': ({ pod, node, mechanism }: Place & { mechanism: string }) =>
      `pod ${pod} runs on virtual node ${node}, where ${mechanism} has no metadata server`,
  },
  remedies: {
    'audience-dropped': () => advice(instead),
    'pod-identity-out-of-reach': () => advice(instead),
    'metadata-out-of-reach': () => advice(instead),
  },
  judge: ({ have, want, subject }) => {
    if (have.remotePlace.state === 'absent' || have.remotePod.state === 'absent')
      return { status: 'not-applicable', reason: 'the pod runs on no virtual node' }
    const place: Place = { pod: `${subject.namespace}/${subject.name}`, node: have.remotePlace.value }
    const { value: pod, from } = have.remotePod
    const seen = (path: string, observed: string) => [
      { question: from, path: 'spec.nodeName', observed: place.node },
      { question: from, path, observed },
    ]
    const audiences = pod.volumes.flatMap(({ tokens }) => tokens.flatMap(({ audience = '' }) => audience))
    const agent =
      audiences.includes(podIdentityAudience) ||
      pod.containers.some(({ env }) => 'AWS_CONTAINER_CREDENTIALS_FULL_URI' in env)
    const asked = audiences.find((audience) => cloudOfAudience(audience) !== undefined)
    const cloud = asked === undefined ? undefined : cloudOfAudience(asked)
    if (asked !== undefined && cloud !== undefined)
      return {
        status: 'fail',
        message: 'audience-dropped',
        data: { ...place, audience: asked, cloud: cloudNames[cloud] },
        evidence: seen('spec.volumes', asked),
      }
    if (agent)
      return {
        status: 'fail',
        message: 'pod-identity-out-of-reach',
        data: place,
        evidence: seen('spec.volumes', podIdentityAudience),
      }
    const account =
      want.serviceAccount.state === 'known' ? want.serviceAccount.value.annotations[googleAnnotation] : undefined
    const mechanism =
      account !== undefined
        ? 'Workload Identity Federation for GKE'
        : pod.labels.aadpodidbinding !== undefined
          ? 'AAD Pod Identity'
          : undefined
    if (mechanism !== undefined)
      return {
        status: 'fail',
        message: 'metadata-out-of-reach',
        data: { ...place, mechanism },
        evidence: seen('metadata', account ?? 'aadpodidbinding'),
      }
    return { status: 'pass', evidence: seen('spec.volumes', audiences.filter((one) => one !== '').join(', ')) }
  },
})
