/** Whether what the webhook is asked to add lets the pod pass admission. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { type Account, accountOf, advice, editTemplate, type Place, placeOf } from '../../domain/advice.ts'
import { annotate } from '../../domain/azure-advice.ts'
import { expirationAnnotation, proxyAnnotation, proxyPortAnnotation, useLabel } from '../../domain/azure-pods.ts'
import { sh } from '../../domain/shell-words.ts'
import { errorsIn, held, ofError, speaking } from '../../probes/azure/evidence.ts'
import { enforcedLevel } from '../../probes/azure/namespace.ts'
import { podView, toJudge } from '../../probes/azure/pods.ts'
import { azureUse } from '../../probes/azure/use.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { errorsOfPod } from '../../probes/workload/observed-errors.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

type Data = Place & Account & { readonly observed: string }

const dropProxy = (data: Data): string =>
  advice(
    `Take ${proxyAnnotation} out of ${editTemplate(data).where}, and let the application use an SDK that exchanges the token itself.`,
    ...editTemplate(data).commands,
  )
const refuses = {
  account: /denied the request: (?:.{0,80})?ServiceAccount \\?"([^"\\]{1,253})\\?" not found/i,
  expiration:
    /token expiration (\S{1,40}) not valid\. Expected value to be between 3600 and 86400|mutation\.azure-workload-identity\.io.{0,200}strconv\.ParseInt: parsing \\?"([^"\\]{0,60})/,
  port: /failed to parse proxy sidecar port/,
  host: /hostNetwork is set to true, cannot inject proxy sidecar/,
  proxy:
    /azwi-proxy-init.{0,400}(?:privileged|NET_ADMIN|violates PodSecurity)|(?:violates PodSecurity).{0,600}azwi-proxy-init/,
} as const

const nearest = (value: string): string => {
  const seconds = Math.round(Number(value))
  return String(Number.isFinite(seconds) ? Math.min(86_400, Math.max(3600, seconds)) : 3600)
}

export const check = defineCheck({
  meta: {
    id: 'azure/pod-admitted',
    title: 'The pod passes admission with what the webhook is asked to add',
    severity: 'error',
    scope: 'pod',
    cloud: 'azure',
    section: 'Workload',
    why: 'The webhook refuses a pod whose annotations it can not follow, so that its controller makes none at all.',
    fix: {
      safety: 'safe',
      does: 'Set an expiration of 3600 to 86400 seconds on the ServiceAccount; create the ServiceAccount, or drop the proxy annotation from the pod template. Never exempt a namespace from a policy.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/blob/04d01a2/pkg/webhook/webhook.go',
      'https://github.com/Azure/azure-workload-identity/issues/1424',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: {},
  wants: { podView, serviceAccount, errorsOfPod, enforcedLevel },
  after: [],
  messages: {
    'service-account-not-found': ({ workload, namespace, observed }: Data) =>
      `the webhook refuses the pods of ${workload}: ServiceAccount ${namespace}/${observed} does not exist`,
    'token-expiration-invalid': ({ object, observed }: Data & { object: string }) =>
      `${expirationAnnotation} of ${object} is "${observed}", expected an integer from 3600 to 86400`,
    'proxy-port-invalid': ({ workload, observed }: Data) =>
      `${proxyPortAnnotation} of ${workload} is "${observed}", expected a port number (default 8000)`,
    'host-network-with-proxy': ({ workload, observed }: Data) =>
      `${workload} has hostNetwork=${observed} and asks for the proxy sidecar; the webhook refuses that combination`,
    'proxy-init-denied': ({ workload, namespace, observed }: Data) =>
      `init container azwi-proxy-init of ${workload} is privileged (uid 0, NET_ADMIN), namespace ${namespace} enforces ${observed}`,
  },
  remedies: {
    'service-account-not-found': ({ namespace, observed }) =>
      advice(
        'Create the ServiceAccount, with the client id of its identity, before the workload.',
        sh`kubectl create serviceaccount ${observed} -n ${namespace}`,
      ),
    'token-expiration-invalid': (data) =>
      data.object.startsWith('ServiceAccount ')
        ? advice(
            'Set the nearest number of seconds that the webhook takes.',
            annotate(data, expirationAnnotation, nearest(data.observed)),
          )
        : advice(
            `Set ${expirationAnnotation} to ${nearest(data.observed)} in ${editTemplate(data).where}, or take it out; 3600 is the default.`,
            ...editTemplate(data).commands,
          ),
    'proxy-port-invalid': (data) =>
      advice(
        `Set ${proxyPortAnnotation} to a port number in ${editTemplate(data).where}, or take it out.`,
        ...editTemplate(data).commands,
      ),
    'host-network-with-proxy': dropProxy,
    'proxy-init-denied': dropProxy,
  },
  judge: ({ want: { podView, serviceAccount, errorsOfPod, enforcedLevel }, subject }) => {
    if (podView.state === 'absent') return { status: 'not-applicable', reason: 'the pod is gone or has ended' }
    const errors = errorsIn(errorsOfPod)
    const view = held(podView)
    const account = held(serviceAccount)
    const pods = view === undefined ? [] : [...toJudge(view), ...(view.born === undefined ? [] : view.templates)]
    const asking = pods.filter(({ labels }) => labels[useLabel] === 'true')
    const [pod] = asking
    const data: Data =
      pod === undefined
        ? { ...placeOf(subject), ...accountOf(subject), observed: 'not collected' }
        : {
            workload: workloadOf(pod),
            namespace: pod.namespace,
            serviceAccount: pod.serviceAccount,
            observed: 'not collected',
          }
    const see = (path: string, observed: string | boolean | number, expected?: string): Evidence => ({
      question: podView.from,
      path: `${pod?.kind}/${pod?.name} ${path}`,
      observed,
      ...(expected === undefined ? {} : { expected }),
    })
    const lost = speaking(errors, refuses.account)
    const unfound = refuses.account.exec(lost?.text.replace(/\s+/g, ' ') ?? '')?.[1]
    if (lost !== undefined && unfound !== undefined && account === undefined)
      return {
        status: 'fail',
        message: 'service-account-not-found',
        data: { ...data, observed: unfound },
        evidence: [ofError(lost)],
      }
    if (serviceAccount.state === 'absent' && pod !== undefined && pod.uid === undefined)
      return {
        status: 'fail',
        message: 'service-account-not-found',
        data: { ...data, observed: pod.serviceAccount },
        evidence: [
          { question: serviceAccount.from, path: 'metadata.name', observed: null, expected: pod.serviceAccount },
        ],
      }
    const asked = asking.find(({ annotations }) => expirationAnnotation in annotations)
    const value = asked?.annotations[expirationAnnotation] ?? account?.annotations[expirationAnnotation]
    const tooOdd =
      value !== undefined && !(/^[+-]?\d+$/.test(value) && Number(value) >= 3600 && Number(value) <= 86_400)
    const said = speaking(errors, refuses.expiration)
    if (tooOdd || (said !== undefined && value === undefined)) {
      const [, one, other] = refuses.expiration.exec(said?.text.replace(/\s+/g, ' ') ?? '') ?? []
      const object =
        asked !== undefined
          ? workloadOf(asked)
          : account === undefined
            ? 'the pod or its ServiceAccount'
            : `ServiceAccount ${data.namespace}/${account.name}`
      return {
        status: 'fail',
        message: 'token-expiration-invalid',
        data: { ...data, object, observed: value ?? one ?? other ?? 'not collected' },
        evidence: [
          ...(value === undefined
            ? []
            : [
                {
                  question: asked === undefined ? serviceAccount.from : podView.from,
                  path: `metadata.annotations["${expirationAnnotation}"]`,
                  observed: value,
                  expected: '3600 to 86400',
                },
              ]),
          ...(said === undefined ? [] : [ofError(said)]),
        ],
      }
    }
    const proxied = asking.find(({ annotations }) => proxyAnnotation in annotations)
    const port = asking.map(({ annotations }) => annotations[proxyPortAnnotation]).find((one) => one !== undefined)
    const portTold = speaking(errors, refuses.port)
    if (
      (proxied !== undefined &&
        port !== undefined &&
        !(/^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) ||
      portTold !== undefined
    )
      return {
        status: 'fail',
        message: 'proxy-port-invalid',
        data: { ...data, observed: port ?? 'not collected' },
        evidence:
          portTold === undefined
            ? [see(`metadata.annotations["${proxyPortAnnotation}"]`, port ?? '', 'a port')]
            : [ofError(portTold)],
      }
    const hostTold = speaking(errors, refuses.host)
    if (proxied?.hostNetwork === true || hostTold !== undefined)
      return {
        status: 'fail',
        message: 'host-network-with-proxy',
        data: { ...data, observed: 'true' },
        evidence: hostTold === undefined ? [see('spec.hostNetwork', true, 'false')] : [ofError(hostTold)],
      }
    const level = held(enforcedLevel)
    const proxyTold = speaking(errors, refuses.proxy)
    if (proxyTold !== undefined || (proxied !== undefined && (level === 'baseline' || level === 'restricted')))
      return {
        status: 'fail',
        message: 'proxy-init-denied',
        data: { ...data, observed: level ?? 'a policy' },
        evidence:
          proxyTold === undefined
            ? [
                {
                  question: enforcedLevel.from,
                  path: 'metadata.labels["pod-security.kubernetes.io/enforce"]',
                  observed: level ?? '',
                  expected: 'privileged',
                },
              ]
            : [ofError(proxyTold)],
      }
    if (pod === undefined)
      return view === undefined || (pods.length === 0 && !view.noPods)
        ? { status: 'undecided', lacks: 'no pod or pod template was seen' }
        : { status: 'not-applicable', reason: 'no pod asks the webhook for an identity' }
    return { status: 'pass', evidence: [see(`metadata.labels["${useLabel}"]`, 'true')] }
  },
})
