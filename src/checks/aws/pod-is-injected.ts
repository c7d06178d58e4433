/** Whether every container of the pod was given the variables and the token of the role. */
import { defineCheck, type Evidence, type Messages } from '../../core/check.ts'
import { accountOf, placeOf, unnamed } from '../../domain/advice.ts'
import { awsAudience } from '../../domain/audiences.ts'
import { injectedInto, showsAws, skipContainersAnnotation, skipLabel, tokensOf } from '../../domain/aws-injection.ts'
import { injectionRemedies } from '../../domain/aws-injection-advice.ts'
import {
  type InjectionFault,
  type InjectionFaultData,
  type InjectionHistory,
  injectionFault,
  optOut,
  unsupportedKey,
} from '../../domain/aws-injection-fault.ts'
import { sh } from '../../domain/shell-words.ts'
import type { Pod } from '../../domain/workloads.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { injectionHistory, unbornPods, unseenHistory } from '../../probes/aws/injection.ts'
import { roleReference } from '../../probes/aws/role-reference.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { errorsOfPod } from '../../probes/workload/observed-errors.ts'
import { pod } from '../../probes/workload/pod.ts'

const missesCredentials = /Unable to locate credentials|NoCredentialProviders: no valid providers in chain/
const failsOpen =
  /Failed calling webhook, failing open ((?:pod-identity-webhook|iam-for-pods)\.amazonaws\.com): failed calling webhook\s*(.{0,600})/s
const noRoleArn = 'is configured to assume role with web identity but has no role ARN configured'

const notCollected = 'not collected'

/** The end of the chain of errors: `x509: certificate signed by unknown authority`. */
const lastCause = (text: string): string => {
  const plain = text.replace(/\s+/g, ' ').trim()
  const known =
    /(?:x509:|no endpoints available|dial tcp|context deadline|connect:|EOF|Service Unavailable).{0,300}$/.exec(plain)
  return (known?.[0] ?? plain.split(': ').at(-1) ?? plain) || notCollected
}

const words = {
  'label-opts-out': ({ pod }) =>
    `label eks.amazonaws.com/skip-pod-identity-webhook keeps the webhook away from pod ${pod}`,
  'container-skipped': ({ container }) => `annotation eks.amazonaws.com/skip-containers lists container ${container}`,
  'role-variable-missing': ({ container }) =>
    `container ${container} sets AWS_WEB_IDENTITY_TOKEN_FILE itself and has no AWS_ROLE_ARN; the webhook adds neither where one is preset`,
  'role-differs': ({ container, observed, expected }) =>
    `container ${container} uses role ${observed}, the ServiceAccount names ${expected}`,
  'created-before-annotation': ({ pod, created, annotated }) =>
    `pod ${pod} was created ${created}, the annotation written ${annotated}; the webhook acts on creation only`,
  'created-before-association': ({ pod, created, association }) =>
    `pod ${pod} was created ${created}, the association ${association}; the webhook acts on creation only`,
  'created-before-webhook': (data) =>
    `pod ${data.pod} was created ${data.created}, the webhook ${data.configuration} ${data.configured}; it acts on creation only`,
  'prefix-differs': ({ observed, expected }) =>
    `the webhook runs with --annotation-prefix ${observed}, the ServiceAccount uses ${expected}`,
  'map-key-unsupported': ({ key }) =>
    `ConfigMap pod-identity-webhook has key ${key}; only NAMESPACE/NAME and */NAME are understood`,
  'webhook-failed-open': ({ webhook, cause }) =>
    `the API server could not call ${webhook} (${cause}) and, with failurePolicy Ignore, admitted pods without identity`,
  'created-with-service-account': ({ pod, delta }) =>
    `pod ${pod} was created ${delta} after its ServiceAccount, before the webhook had seen that`,
  'linux-path-on-windows': ({ pod }) =>
    `pod ${pod} goes to Windows by node affinity; the webhook knows Windows by nodeSelector only and set the Linux path`,
  'ephemeral-container': ({ container }) =>
    `container ${container} is ephemeral, and ephemeral containers are never injected`,
  'added-after-webhook': ({ container }) => `container ${container} was added by a later webhook and is not injected`,
  'not-injected': ({ container }) =>
    `container ${container} has neither the web identity nor the Pod Identity variables`,
} satisfies { readonly [K in keyof InjectionFaultData]: (data: InjectionFaultData[K]) => string }
/** Each cause brings the data of its own message, which `words` has seen to. */
const messages: Messages = words

/** As with the messages. */
const remedies: Messages = injectionRemedies

export const check = defineCheck({
  meta: {
    id: 'aws/pod-is-injected',
    title: 'The pod carries the variables and the token of its role',
    severity: 'error',
    scope: 'pod',
    cloud: 'aws',
    section: 'Workload',
    why: "A container without them falls back to the node's role or to no credentials at all, and no event says so.",
    fix: {
      safety: 'review',
      does: 'Restart the owning workload (kubectl rollout restart) where its pods are older than what binds them, carry another role or lack the variables. Remove the label, the skip-containers entry or the preset variable from the pod template where that is the cause. Never delete a pod that nothing recreates.',
    },
    links: [
      'https://github.com/aws/amazon-eks-pod-identity-webhook/blob/3bf80a3/pkg/handler/handler.go',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/blob/3bf80a3/pkg/cache/cache.go',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/82',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/61',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/174',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/194',
      'https://github.com/crossplane/crossplane/issues/6137',
      'https://github.com/rancher/rke2/issues/2269',
      'https://github.com/kubernetes/kops/issues/13459',
      'https://github.com/aws/eks-pod-identity-agent/issues/153',
      'https://github.com/boto/botocore/blob/0e6e240/botocore/credentials.py',
    ],
  },
  needs: {},
  wants: { pod, roleReference, injectionHistory, unbornPods, errorsOfPod },
  after: [
    'aws/service-account-names-role',
    'cluster/webhook-answers',
    'cluster/webhook-ca-bundle-verifies',
    'cluster/webhook-is-configured',
    'cluster/webhook-selects-the-pod',
  ],
  covers: ['workload/pod-is-newer-than-its-binding'],
  messages,
  remedies,
  judge: ({ want: { pod, roleReference, injectionHistory, unbornPods, errorsOfPod }, subject }) => {
    const errors = errorsOfPod.state === 'known' ? errorsOfPod.value : []
    const misses = errors.some(({ text }) => missesCredentials.test(text))
    const closed = errors.find(({ text }) => failsOpen.test(text))
    const [, webhook = 'the webhook', rest = ''] = failsOpen.exec(closed?.text ?? '') ?? []
    const failedOpen = closed === undefined ? undefined : { webhook, cause: lastCause(rest) }
    const role = roleReference.state === 'known' ? roleReference.value.value : ''
    const ownerOf = (one: Pod | undefined) => ({
      pod: one?.name ?? 'POD',
      ...(one === undefined ? placeOf(subject) : { workload: workloadOf(one), namespace: one.namespace }),
      serviceAccount: one?.serviceAccount ?? accountOf(subject).serviceAccount,
      role: role === '' ? unnamed.roleArn : role,
    })
    const fail = (
      { message, data }: Pick<InjectionFault, 'message' | 'data'>,
      evidence: readonly Evidence[],
      owner = pod.state === 'known' ? pod.value : undefined,
    ) => ({ status: 'fail', message, data: { ...ownerOf(owner), ...data }, evidence }) as const
    const see = (of: Pod, path: string): Evidence => ({ question: pod.from, path, observed: shown(of, path) })

    // A key of the webhook's map that means this ServiceAccount gives it no role, and is the reason.
    const past = injectionHistory.state === 'known' ? injectionHistory.value : unseenHistory
    const key =
      roleReference.state !== 'known' && pod.state === 'known' && isBare(pod.value)
        ? unsupportedKey(past.mapKeys, pod.value.namespace, pod.value.serviceAccount)
        : undefined
    if (key !== undefined)
      return fail({ message: 'map-key-unsupported', data: { key } }, [
        { question: injectionHistory.from, path: 'data.config', observed: key, expected: 'NAMESPACE/NAME or */NAME' },
      ])
    if (roleReference.state === 'absent')
      return { status: 'not-applicable', reason: 'the ServiceAccount names no role' }
    if (pod.state === 'absent') return { status: 'not-applicable', reason: 'the pod is gone' }
    if (pod.state === 'unknown') {
      if (closed !== undefined && failedOpen !== undefined)
        return fail({ message: 'webhook-failed-open', data: failedOpen }, [ofError(closed)])
      const unset = errors.find(({ text }) => text.replace(/\s+/g, ' ').includes(noRoleArn))
      if (unset !== undefined)
        return fail({ message: 'role-variable-missing', data: { container: notCollected } }, [ofError(unset)])
      const unborn = unbornPods.state === 'known' ? unbornPods.value : undefined
      for (const template of unborn?.templates ?? []) {
        const fault = optOut(template, misses)
        if (fault !== undefined)
          return fail(fault, [{ ...see(template, fault.path), question: unbornPods.from }], template)
      }
      return unborn?.noPods === true
        ? { status: 'not-applicable', reason: 'no pod runs as the ServiceAccount' }
        : { status: 'undecided', lacks: 'the pod was not seen' }
    }
    const one = pod.value
    if (one.phase === 'Succeeded') return { status: 'not-applicable', reason: 'the pod has ended' }
    const history: InjectionHistory = {
      ...past,
      ...(failedOpen === undefined ? {} : { failedOpen }),
      ...(roleReference.state === 'known'
        ? { bound: { via: roleReference.value.via, role: roleReference.value.value } }
        : {}),
      misses,
    }
    const fault = one.uid === undefined ? optOut(one, misses) : injectionFault(one, history)
    if (fault === undefined)
      return one.uid === undefined
        ? {
            status: 'undecided',
            lacks: 'a manifest: what the webhook adds when the pod is created was not seen',
            lift: sh`kubectl get pod ${one.name} -n ${one.namespace} -o yaml`,
          }
        : {
            status: 'pass',
            evidence: one.containers.flatMap((container) =>
              injectedInto(container) === 'none'
                ? []
                : {
                    question: pod.from,
                    path: `spec.containers["${container.name}"].env`,
                    observed: [container.env.AWS_ROLE_ARN, container.env.AWS_CONTAINER_CREDENTIALS_FULL_URI]
                      .filter((value) => typeof value === 'string')
                      .join(', '),
                  },
            ),
          }
    // Without the ServiceAccount only what contradicts itself is wrong.
    const isAsked =
      roleReference.state === 'known' ||
      fault.message === 'webhook-failed-open' ||
      (showsAws(one) && fault.message !== 'role-variable-missing')
    if (!isAsked)
      return { status: 'undecided', lacks: 'whether the ServiceAccount of the pod names a role was not seen' }
    if (fault.message === 'not-injected' && mountsToken(one, fault.data))
      return {
        status: 'undecided',
        lacks: `container ${fault.data.container} mounts a token for ${awsAudience} of its own, and how it is told of its role was not seen`,
        evidence: [see(one, fault.path)],
      }
    return fail(fault, [see(one, fault.path), ...(closed === undefined ? [] : [ofError(closed)])])
  },
})

const isBare = (pod: Pod): boolean =>
  pod.uid !== undefined && pod.containers.every((one) => injectedInto(one) === 'none')

/** What stands at the path: times and names, and of variables those that are of identity. */
function shown(pod: Pod, path: string): string | null {
  if (path.startsWith('metadata.creationTimestamp')) return pod.created ?? null
  if (path.startsWith('metadata.labels')) return pod.labels[skipLabel] ?? null
  if (path.startsWith('metadata.annotations')) return pod.annotations[skipContainersAnnotation] ?? null
  const container = pod.containers.find(({ name }) => path.includes(`["${name}"]`))
  if (container === undefined) return null
  return container.env.AWS_ROLE_ARN ?? null
}

const mountsToken = (pod: Pod, { container }: { readonly container: string }): boolean =>
  pod.containers.some(
    (one) => one.name === container && tokensOf(pod, one).some(({ audience }) => audience === awsAudience),
  )
