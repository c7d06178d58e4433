/** Whether the application presents its federated token, and not the node's identity or another one. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, editTemplate, type Place, placeOf } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { azureCluster } from '../../probes/azure/cluster.ts'
import { errorsIn, held, ofError, quote, speaking } from '../../probes/azure/evidence.ts'
import { same } from '../../probes/azure/identity.ts'
import { podView } from '../../probes/azure/pods.ts'
import { clientReference } from '../../probes/azure/reference.ts'
import { saying } from '../../probes/azure/said.ts'
import { toolConfigurations } from '../../probes/azure/tools.ts'
import { azureUse } from '../../probes/azure/use.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { errorsOfPod } from '../../probes/workload/observed-errors.ts'

type Data = Place & { readonly observed: string }

const id = 'azure/app-presents-federated-token'
const exchanging = /WorkloadIdentityCredential|AADSTS\d|presented assertion/
const old = /ManagedIdentityCredential: no default identity|Microsoft\.Azure\.Services\.AppAuthentication/
/** Versions that first know workload identity, of what names its version in its image. */
const images: readonly { readonly name: RegExp; readonly client: string; readonly least: readonly [number, number] }[] =
  [
    {
      name: /velero-plugin-for-microsoft-azure:v?(\d+)\.(\d+)/,
      client: 'velero-plugin-for-microsoft-azure',
      least: [1, 8],
    },
  ]
const tooOld = (
  image: string,
): { readonly client: string; readonly observed: string; readonly expected: string } | undefined => {
  for (const { name, client, least } of images) {
    const [, major, minor] = name.exec(image) ?? []
    if (major === undefined) continue
    const [a, b] = least
    if (Number(major) < a || (Number(major) === a && Number(minor) < b))
      return { client, observed: `${major}.${minor}`, expected: `${a}.${b}` }
  }
  return undefined
}

const logIn = (data: Data): string =>
  advice(
    `Exchange the token instead of asking the metadata endpoint, in ${editTemplate(data).where}: in place of az login --identity run the first command inside the container; an SDK takes WorkloadIdentityCredential or DefaultAzureCredential.`,
    'az login --service-principal -u "$AZURE_CLIENT_ID" -t "$AZURE_TENANT_ID" --federated-token "$(cat "$AZURE_FEDERATED_TOKEN_FILE")"',
    ...editTemplate(data).commands,
  )

export const check = defineCheck({
  meta: {
    id,
    title: "The application presents the federated token rather than the node's identity",
    severity: 'error',
    scope: 'pod',
    cloud: 'azure',
    section: 'Workload',
    why: 'A client that asks the metadata endpoint, is too old, or goes by a configuration of its own never uses what the webhook gave the pod.',
    fix: {
      safety: 'manual',
      does: "Replace the log-in, raise the client's version, or align the key of the tool's configuration. Nothing of a tool's configuration is edited for you.",
    },
    links: [
      'https://github.com/Azure/AKS/issues/4439',
      'https://github.com/Azure/azure-workload-identity/issues/1586',
      'https://github.com/Azure/azure-powershell/issues/22213',
      'https://github.com/kubernetes-sigs/external-dns/issues/4149',
      'https://github.com/Azure/Microsoft.Azure.StackExchangeRedis/issues/79',
      'https://github.com/vmware-tanzu/velero/issues/6011',
      'https://learn.microsoft.com/azure/aks/imds-restriction',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: {},
  wants: { podView, errorsOfPod, clientReference, toolConfigurations, azureCluster },
  after: ['azure/pod-injected', 'azure/secrets-store-names-identity'],
  messages: {
    'asks-metadata-endpoint': ({ observed }: Data) =>
      `the application asks the metadata endpoint (the node's identity) instead of exchanging its token: ${observed}`,
    'metadata-restricted': ({ pod, cluster }: Data & { pod: string; cluster: string }) =>
      `pod ${pod} relies on the metadata endpoint, which cluster ${cluster} restricts; give it a workload identity`,
    'answered-by-nmi': ({ observed }: Data) =>
      `aad-pod-identity's NMI answered the application: ${observed}; the federated token is not used`,
    'client-too-old': ({ client, observed, expected }: Data & { client: string; expected: string }) =>
      `${client} ${observed} does not know workload identity, expected ${expected} or later`,
    'configuration-overrides': ({ object, observed, expected }: Data & { object: string; expected: string }) =>
      `${object} names identity ${observed}, the pod's environment says ${expected}; the tool's own configuration wins`,
  },
  remedies: {
    'asks-metadata-endpoint': logIn,
    'metadata-restricted': logIn,
    'answered-by-nmi': (data) =>
      advice(
        'Have the application use WorkloadIdentityCredential or a DefaultAzureCredential that knows it, not ManagedIdentityCredential; and see what of aad-pod-identity is still installed.',
        'kubectl get daemonsets -A',
        ...editTemplate(data).commands,
      ),
    'client-too-old': (data) =>
      advice(
        `Bring ${data.client} to ${data.expected} or later in ${editTemplate(data).where}.`,
        ...editTemplate(data).commands,
      ),
    'configuration-overrides': ({ object, expected, namespace }) =>
      advice(
        `Write client id ${expected} into ${object}, or the one that it names into the ServiceAccount, whichever is meant.`,
        sh`kubectl get serviceaccounts -n ${namespace} -o yaml`,
      ),
  },
  judge: ({ want: { podView, errorsOfPod, clientReference, toolConfigurations, azureCluster }, subject }) => {
    if (podView.state === 'absent') return { status: 'not-applicable', reason: 'the pod is gone or has ended' }
    const view = held(podView)
    const errors = errorsIn(errorsOfPod)
    const pods = view === undefined ? [] : [...(view.born === undefined ? [] : [view.born]), ...view.templates]
    const [first] = pods
    const data: Data = {
      ...(first === undefined ? placeOf(subject) : { workload: workloadOf(first), namespace: first.namespace }),
      observed: '',
    }
    // A chain of credentials goes on to the metadata endpoint where the exchange did not work: that is the end of the story, not its cause.
    const tried = speaking(errors, exchanging) !== undefined
    const byNmi = saying(errors, id, 'answered-by-nmi')
    if (byNmi !== undefined)
      return {
        status: 'fail',
        message: 'answered-by-nmi',
        data: { ...data, observed: quote(byNmi.text) },
        evidence: [ofError(byNmi)],
      }
    const asking = pods.flatMap((pod) =>
      pod.containers.filter(({ asksMetadata }) => asksMetadata).map((container) => ({ pod, container })),
    )[0]
    const cluster = held(azureCluster)
    const see = (path: string, observed: string): Evidence => ({ question: podView.from, path, observed })
    if (asking !== undefined && cluster?.restrictsMetadata === true && !asking.pod.hostNetwork)
      return {
        status: 'fail',
        message: 'metadata-restricted',
        data: { ...data, pod: asking.pod.name, cluster: cluster.name },
        evidence: [
          see(
            `${asking.pod.name} spec.containers["${asking.container.name}"].command`,
            'logs in as the identity of the node',
          ),
          { question: azureCluster.from, path: 'networkProfile.podLinkLocalAccess', observed: 'None' },
        ],
      }
    const told = tried ? undefined : saying(errors, id, 'asks-metadata-endpoint')
    if (told !== undefined || asking !== undefined)
      return {
        status: 'fail',
        message: 'asks-metadata-endpoint',
        data: {
          ...data,
          observed: told === undefined ? `the command of container ${asking?.container.name}` : quote(told.text),
        },
        evidence: [
          ...(told === undefined ? [] : [ofError(told)]),
          ...(asking === undefined
            ? []
            : [
                see(
                  `${asking.pod.name} spec.containers["${asking.container.name}"].command`,
                  'logs in as the identity of the node',
                ),
              ]),
        ],
      }
    const dated = tried ? undefined : errors.find(({ text }) => old.test(text))
    if (dated !== undefined)
      return {
        status: 'fail',
        message: 'client-too-old',
        data: {
          ...data,
          ...(dated.text.includes('AppAuthentication')
            ? {
                client: 'Microsoft.Azure.Services.AppAuthentication',
                observed: '(retired)',
                expected: 'Azure.Identity 1.9.0',
              }
            : {
                client: 'the Azure SDK of the application',
                observed: '(without WorkloadIdentityCredential)',
                expected: 'azidentity 1.3.0, Azure.Identity 1.9.0 or what is as new',
              }),
        },
        evidence: [ofError(dated)],
      }
    for (const pod of pods)
      for (const { name, image } of pod.containers) {
        const found = image === undefined ? undefined : tooOld(image)
        if (found !== undefined)
          return {
            status: 'fail',
            message: 'client-too-old',
            data: { ...data, ...found },
            evidence: [see(`${pod.name} spec.containers["${name}"].image`, image ?? '')],
          }
      }
    const own = held(clientReference)?.clientId
    const other = held(toolConfigurations)?.find(({ clientId }) => own !== undefined && !same(clientId, own))
    if (other !== undefined && own !== undefined)
      return {
        status: 'fail',
        message: 'configuration-overrides',
        data: { ...data, object: other.object, observed: other.clientId, expected: own },
        evidence: [{ question: toolConfigurations.from, path: other.object, observed: other.clientId, expected: own }],
      }
    const tool = held(toolConfigurations)?.find(({ clientId }) => same(clientId, own))
    const fresh = pods
      .flatMap(({ containers }) => containers)
      .find(({ image }) => images.some(({ name }) => name.test(image ?? '')))
    return tool !== undefined || fresh !== undefined
      ? {
          status: 'pass',
          evidence: [see(tool?.object ?? 'spec.containers[].image', tool?.clientId ?? fresh?.image ?? '')],
        }
      : { status: 'not-applicable', reason: 'nothing shows that the application takes another way' }
  },
})
