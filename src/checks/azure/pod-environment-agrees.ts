/** Whether the pod's environment carries the identity that its ServiceAccount names, and nothing that comes before it. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, editTemplate, type Place, restart, unsetVariables } from '../../domain/advice.ts'
import { azureClientAnnotation } from '../../domain/audiences.ts'
import { authorityUrl, clouds, sameCloud } from '../../domain/azure-clouds.ts'
import {
  fileVariable,
  hasFile,
  isAzureAudience,
  ownContainers,
  tenantAnnotation,
  useLabel,
} from '../../domain/azure-pods.ts'
import { boundOf, nameOfObject, shadowsOf } from '../../domain/static-credentials.ts'
import type { Container, Pod } from '../../domain/workloads.ts'
import { held } from '../../probes/azure/evidence.ts'
import { same } from '../../probes/azure/identity.ts'
import { podView } from '../../probes/azure/pods.ts'
import { webhookSettings } from '../../probes/azure/reference.ts'
import { azureUse } from '../../probes/azure/use.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'
import { variableSources } from '../../probes/workload/variable-sources.ts'

type Data = Place & { readonly container: string; readonly observed: string; readonly variable: string }
type Differs = Data & { readonly expected: string }

const unset = (data: Data): string =>
  advice(
    `Take ${data.variable} of container ${data.container} out of ${editTemplate(data).where}; the webhook then sets it.`,
    ...unsetVariables(data, [data.variable], data.container),
  )
/** What the webhook fills, in the order in which a difference is told. */
const variables = ['AZURE_CLIENT_ID', 'AZURE_TENANT_ID', 'AZURE_AUTHORITY_HOST', fileVariable] as const

export const check = defineCheck({
  meta: {
    id: 'azure/pod-environment-agrees',
    title: "The pod's environment carries the identity that the ServiceAccount names",
    severity: 'error',
    scope: 'pod',
    cloud: 'azure',
    section: 'Workload',
    why: 'The webhook never overrides a variable that is there, not even an empty one; and SDKs take a secret before the federated token.',
    fix: {
      safety: 'review',
      does: 'Restart the owning workload where its pods are older than the annotation; else remove the variables from the manifest by hand. Never remove a Secret.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/blob/04d01a2/pkg/webhook/webhook.go',
      'https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: {},
  wants: { podView, serviceAccount, webhookSettings, variableSources },
  after: ['azure/pod-injected', 'azure/service-account-names-identity'],
  covers: ['workload/static-credentials-are-absent'],
  messages: {
    'client-id-preset': ({
      container,
      workload,
      observed,
      expected,
      serviceAccount,
    }: Differs & { serviceAccount: string }) =>
      `container ${container} of ${workload} sets AZURE_CLIENT_ID=${observed}, ServiceAccount ${serviceAccount} names ${expected}; the webhook does not override it`,
    'tenant-id-preset': ({ container, workload, observed, expected }: Differs) =>
      `container ${container} of ${workload} sets AZURE_TENANT_ID=${observed}, expected ${expected}`,
    'authority-host-preset': ({ container, workload, observed, expected }: Differs) =>
      `container ${container} of ${workload} sets AZURE_AUTHORITY_HOST=${observed}, expected ${expected}`,
    'token-file-preset': ({ container, workload, observed, expected }: Differs) =>
      `container ${container} of ${workload} sets AZURE_FEDERATED_TOKEN_FILE=${observed}, the token is mounted at ${expected}`,
    'preset-empty': ({ container, workload, variable }: Data) =>
      `container ${container} of ${workload} sets ${variable} to an empty string, which keeps the webhook from filling it`,
    stale: ({ variable, pod, observed, by, expected }: Differs & { pod: string; by: string }) =>
      `${variable} of running pod ${pod} is ${observed}, the ${by} now says ${expected}; pods keep what they were created with`,
    'client-secret-shadows': ({ container, workload, observed }: Data) =>
      `container ${container} of ${workload} also has ${observed}; DefaultAzureCredential then uses that secret instead of the federated token`,
  },
  remedies: {
    'client-id-preset': unset,
    'tenant-id-preset': unset,
    'authority-host-preset': unset,
    'token-file-preset': unset,
    'preset-empty': unset,
    stale: (data) => {
      const { words, commands } = restart(data)
      return advice(
        `${words[0]?.toUpperCase()}${words.slice(1)}, so that its pods are given what is configured now.`,
        ...commands,
      )
    },
    'client-secret-shadows': (data) =>
      advice(
        `Take what sets ${data.observed} for container ${data.container} out of ${editTemplate(data).where}; leave the Secret where it is.`,
        ...editTemplate(data).commands,
      ),
  },
  judge: ({ want: { podView, serviceAccount, webhookSettings, variableSources } }) => {
    if (podView.state === 'absent') return { status: 'not-applicable', reason: 'the pod is gone or has ended' }
    const view = held(podView)
    const account = held(serviceAccount)
    const settings = held(webhookSettings)
    const born = view?.born
    const all = [...(view?.templates ?? []), ...(born === undefined ? [] : [born])]
    const asking = all.filter((pod) => pod.labels[useLabel] === 'true' || ownContainers(pod).some(hasFile))
    if (asking.length === 0)
      return view === undefined || (all.length === 0 && !view.noPods)
        ? { status: 'undecided', lacks: 'no pod or pod template was seen' }
        : { status: 'not-applicable', reason: 'no pod carries the environment' }
    const cloud = clouds.find((one) => one === settings?.environment)
    const tenant = account?.annotations[tenantAnnotation] ?? settings?.tenantId
    const expected: { readonly [name: string]: string | undefined } = {
      AZURE_CLIENT_ID: account?.annotations[azureClientAnnotation]?.trim() || undefined,
      AZURE_TENANT_ID: tenant?.trim() || undefined,
      AZURE_AUTHORITY_HOST: cloud === undefined ? undefined : authorityUrl(cloud),
    }
    const dataOf = (pod: Pod, { name: container }: Container, variable: string, observed: string): Data => ({
      workload: workloadOf(pod),
      namespace: pod.namespace,
      container,
      variable,
      observed,
    })
    const see = (pod: Pod, { name }: Container, variable: string, observed: string, want?: string): Evidence => ({
      question: podView.from,
      path: `${pod.kind}/${pod.name} spec.containers["${name}"].env["${variable}"]`,
      observed,
      ...(want === undefined ? {} : { expected: want }),
    })
    const evidence: Evidence[] = []
    let hidden: string | undefined
    for (const pod of asking) {
      // What stands in a running pod may be what the webhook put there; only the template shows who wrote it.
      const isWritten = pod.outer !== undefined || pod.uid === undefined
      for (const container of ownContainers(pod)) {
        if (container.role === 'init' && !hasFile(container) && pod.uid !== undefined) continue
        for (const variable of variables) {
          if (!(variable in container.env)) continue
          const observed = container.env[variable]
          if (observed === null || observed === undefined) {
            hidden ??= `the value of ${variable} of container ${container.name} is not in the pod`
            continue
          }
          const data = dataOf(pod, container, variable, observed)
          // Of a running pod, an empty client id is also what the webhook makes of an annotation that is not there.
          const isWebhooks = observed === '' && variable === 'AZURE_CLIENT_ID' && !isWritten
          if (isWebhooks && account === undefined)
            hidden ??= 'whether the ServiceAccount names an identity was not seen'
          if (isWebhooks && expected.AZURE_CLIENT_ID === undefined) continue
          if (observed === '' && !(isWebhooks && (view?.templates.length ?? 0) > 0))
            return { status: 'fail', message: 'preset-empty', data, evidence: [see(pod, container, variable, '')] }
          const want = expected[variable]
          if (variable === fileVariable) {
            const actual = mountedAt(pod, container)
            if (actual !== undefined && actual !== observed && isWritten)
              return {
                status: 'fail',
                message: 'token-file-preset',
                data: { ...data, expected: actual },
                evidence: [see(pod, container, variable, observed, actual)],
              }
            continue
          }
          if (want === undefined) continue
          const agrees = variable === 'AZURE_AUTHORITY_HOST' ? sameCloud(observed, want) : same(observed, want)
          evidence.push(see(pod, container, variable, observed, want))
          if (agrees) continue
          const seen = [see(pod, container, variable, observed, want)]
          if (isWritten) {
            const differs = { ...data, expected: want }
            if (variable === 'AZURE_CLIENT_ID')
              return {
                status: 'fail',
                message: 'client-id-preset',
                data: { ...differs, serviceAccount: pod.serviceAccount },
                evidence: seen,
              }
            const message = variable === 'AZURE_TENANT_ID' ? 'tenant-id-preset' : 'authority-host-preset'
            return { status: 'fail', message, data: differs, evidence: seen }
          }
          if (view?.templates.length === 0 && pod.owner !== undefined)
            return {
              status: 'undecided',
              lacks: `${variable} is not what is configured now, and whether the pod template sets it was not seen`,
              evidence: seen,
            }
          const isAnnotated = variable === 'AZURE_CLIENT_ID' || account?.annotations[tenantAnnotation] === want
          const by = isAnnotated && variable !== 'AZURE_AUTHORITY_HOST' ? 'annotation' : 'configuration of the webhook'
          return {
            status: 'fail',
            message: 'stale',
            data: { ...data, expected: want, pod: pod.name, by },
            evidence: seen,
          }
        }
      }
    }
    const keys = held(variableSources)?.keys
    for (const pod of asking)
      for (const container of ownContainers(pod)) {
        const bounds = boundOf(pod, container, account).filter(({ cloud }) => cloud === 'azure')
        const [shadow] = shadowsOf(pod, container, bounds, (object) => keys?.get(nameOfObject(object))).found
        const names = shadow !== undefined && 'names' in shadow ? shadow.names.join(', ') : undefined
        if (names !== undefined)
          return {
            status: 'fail',
            message: 'client-secret-shadows',
            data: dataOf(pod, container, names, names),
            evidence: [see(pod, container, names, 'set')],
          }
      }
    const unseen = held(variableSources)?.unseen[0]
    if (unseen !== undefined)
      return {
        status: 'undecided',
        lacks: `whether ${nameOfObject(unseen.object)} sets a secret was not seen`,
        evidence,
      }
    if (hidden !== undefined) return { status: 'undecided', lacks: hidden, evidence }
    if (born === undefined || born.uid === undefined)
      return {
        status: 'undecided',
        lacks: 'the running pod was not seen',
        evidence,
        lift: 'kubectl get pods -A -o yaml',
      }
    return { status: 'pass', evidence }
  },
})

/** Where the container mounts a token for Entra; undefined where it mounts none. */
function mountedAt(pod: Pod, { mounts, env }: Container): string | undefined {
  const set = env[fileVariable] ?? ''
  const places = mounts.flatMap(({ name, mountPath, subPath }) =>
    (pod.volumes.find((volume) => volume.name === name)?.tokens ?? [])
      .filter(({ audience }) => isAzureAudience(audience))
      .map(({ path }) => (subPath === undefined ? `${mountPath.replace(/\/+$/, '')}/${path}` : mountPath)),
  )
  return places.includes(set) ? set : places[0]
}
