/** What a person does about a pod that lacks the variables or the token of its role, cause by cause. */
import { advice, annotateRole, editTemplate, type Place, patchSpec, restart, unsetVariables } from './advice.ts'
import { skipContainersAnnotation, skipLabel } from './aws-injection.ts'
import type { InjectionFaultData } from './aws-injection-fault.ts'
import { sh } from './shell-words.ts'

const notCollected = 'not collected'

/** Whose template it is, and the ServiceAccount and role that the pod should have. */
type Owner = Place & { readonly serviceAccount: string; readonly role: string }

const anew = (data: Owner, before = ''): string => {
  const { words, commands } = restart(data)
  const sentence = `${before}${words}: the webhook acts only when a pod is created.`
  return advice(`${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`, ...commands)
}
const inTemplate = (data: Owner, what: (where: string) => string): string => {
  const { where, commands } = editTemplate(data)
  return advice(what(where), ...commands)
}
const webhooks = 'kubectl get mutatingwebhookconfigurations'

/** What puts each cause right; `pod` names it also where the sentence of the cause does not. */
export const injectionRemedies = {
  'label-opts-out': (data) => inTemplate(data, (where) => `Take label ${skipLabel} out of ${where}.`),
  'container-skipped': (data) =>
    inTemplate(data, (where) => `Take ${data.container} out of annotation ${skipContainersAnnotation} in ${where}.`),
  'role-variable-missing': (data) =>
    advice(
      `Take AWS_WEB_IDENTITY_TOKEN_FILE out of ${editTemplate(data).where}; the webhook then sets it together with AWS_ROLE_ARN.`,
      ...unsetVariables(
        data,
        ['AWS_WEB_IDENTITY_TOKEN_FILE'],
        data.container === notCollected ? undefined : data.container,
      ),
    ),
  'role-differs': (data) => anew(data, 'where the pod template itself sets AWS_ROLE_ARN, take that out; else '),
  'created-before-annotation': (data) => anew(data),
  'created-before-association': (data) => anew(data),
  'created-before-webhook': (data) => anew(data),
  'prefix-differs': (data) =>
    advice(
      `Annotate the ServiceAccount under the prefix that the webhook reads, and ${restart(data).words}; or have whoever runs the webhook set --annotation-prefix=${data.expected}.`,
      annotateRole(data, data.role, `${data.observed}/role-arn`),
      ...restart(data).commands,
    ),
  'map-key-unsupported': (data) =>
    advice(
      `Write ${data.namespace}/${data.serviceAccount} for ${data.key} in ConfigMap pod-identity-webhook, which stands in the namespace of the webhook, then ${restart(data).words}.`,
      'kubectl get configmaps -A --field-selector metadata.name=pod-identity-webhook',
      ...restart(data).commands,
    ),
  'webhook-failed-open': (data) =>
    advice(
      `Have whoever runs the control plane see that the API server reaches ${data.webhook}: that its Service has endpoints, no firewall stands between and its caBundle is that of its certificate. Then ${restart(data).words}.`,
      webhooks,
      ...restart(data).commands,
    ),
  'created-with-service-account': (data) => anew(data),
  'linux-path-on-windows': (data) =>
    advice(
      `Add nodeSelector kubernetes.io/os: windows to ${editTemplate(data).where}; the node affinity may stay.`,
      ...patchSpec(data, { nodeSelector: { 'kubernetes.io/os': 'windows' } }),
    ),
  'ephemeral-container': (data) =>
    advice(
      `Use a container that the pod was made with, which has the identity, instead of ${data.container}.`,
      sh`kubectl exec -it pod/${data.pod} -n ${data.namespace} -- sh`,
    ),
  'added-after-webhook': (data) =>
    advice(
      `If ${data.container} calls AWS, have whoever runs the pod identity webhook set reinvocationPolicy: IfNeeded in its configuration, then ${restart(data).words}. If it does not, list it under annotation ${skipContainersAnnotation} of the pod template.`,
      webhooks,
      ...restart(data).commands,
    ),
  'not-injected': (data) =>
    advice(
      `${restart(data).words.charAt(0).toUpperCase()}${restart(data).words.slice(1)}. If its new pods lack them too, see that the webhook's configuration exists and selects them.`,
      ...restart(data).commands,
      webhooks,
    ),
} satisfies {
  readonly [K in keyof InjectionFaultData]: (data: InjectionFaultData[K] & Owner & { readonly pod: string }) => string
}
