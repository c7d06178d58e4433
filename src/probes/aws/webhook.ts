/** The pod identity webhook of this cluster: its configuration, its flags, its map. */
import { absent, defineProbe, type Fact, type Inquiry, known, unknown } from '../../core/fact.ts'
import { isObject, type Json, listAt, textAt } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import { readWorkload } from '../../domain/workload-objects.ts'
import { flagValues } from '../cluster/api-server.ts'
import { listed } from '../lists.ts'

export type PodIdentityWebhook = {
  readonly configuration: string
  readonly created?: string
  /** EKS runs it on the control plane: no Deployment, no flags, no map. */
  readonly managed: boolean
  /** Of the Service behind one that runs in the cluster. */
  readonly namespace?: string
}

/** https://github.com/aws/amazon-eks-pod-identity-webhook/blob/3bf80a3/deploy/mutatingwebhook.yaml; the second is the one of EKS */
const names: ReadonlySet<string> = new Set(['pod-identity-webhook.amazonaws.com', 'iam-for-pods.amazonaws.com'])

const read = (json: Json): PodIdentityWebhook | null | undefined => {
  const configuration = textAt(json, 'metadata', 'name')
  if (configuration === undefined) return undefined
  const hook = listAt(json, 'webhooks').find((one) => names.has(textAt(one, 'name') ?? ''))
  if (hook === undefined && configuration !== 'pod-identity-webhook') return null
  const created = textAt(json, 'metadata', 'creationTimestamp')
  const namespace = textAt(hook, 'clientConfig', 'service', 'namespace')
  return {
    configuration,
    managed: textAt(hook, 'clientConfig', 'url') !== undefined,
    ...(created === undefined ? {} : { created }),
    ...(namespace === undefined ? {} : { namespace }),
  }
}

export const podIdentityWebhook = defineProbe<PodIdentityWebhook>({
  id: 'aws/pod-identity-webhook',
  about: 'the configuration of the pod identity webhook',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: async (_have, _want, inquiry): Promise<Fact<PodIdentityWebhook>> => {
    const question = kubernetes.list('mutatingwebhookconfigurations')
    const list = listed(await inquiry.ask(question), (json) => read(json))
    if (list.state !== 'known') return list
    const found = list.value.items.find((one) => one !== null)
    if (found) return known(found, list.from)
    return list.value.complete
      ? absent(list.from)
      : unknown(
          'not-collected',
          'the webhook configurations were not seen',
          question,
          'kubectl get mutatingwebhookconfigurations -o yaml',
        )
  },
})

/** Where a webhook that is not managed by EKS may live, the likely places where its Service was not seen. */
const namespaces = (webhook: Fact<PodIdentityWebhook>): readonly string[] =>
  webhook.state === 'known' && webhook.value.namespace !== undefined
    ? [webhook.value.namespace]
    : ['kube-system', 'default']

/** The first of these objects that is there; absent only where all were looked for. */
async function firstOf(
  resource: string,
  webhook: Fact<PodIdentityWebhook>,
  { ask }: Pick<Inquiry, 'ask'>,
): Promise<Fact<Json>> {
  let last: Fact<Json> = absent(kubernetes.get(resource, 'kube-system', 'pod-identity-webhook'))
  for (const namespace of namespaces(webhook)) {
    const fact = await ask(kubernetes.get(resource, namespace, 'pod-identity-webhook'))
    if (fact.state === 'known') return fact
    if (fact.state === 'unknown') last = fact
  }
  return last
}

export type WebhookFlags = {
  readonly annotationPrefix: string
  readonly tokenAudience?: string
  readonly composesRoleArns: boolean
}

/** The flags of a webhook that runs in the cluster; absent where EKS runs it. Asked only by those whom they matter to. */
export async function webhookFlags(
  webhook: Fact<PodIdentityWebhook>,
  inquiry: Pick<Inquiry, 'ask'>,
): Promise<Fact<WebhookFlags>> {
  if (webhook.state === 'known' && webhook.value.managed) return absent(webhook.from)
  const fact = await firstOf('deployments', webhook, inquiry)
  if (fact.state !== 'known') return fact
  const command = readWorkload(fact.value)?.containers.flatMap((one) => one.command) ?? []
  const value = (name: string): string | undefined => flagValues(command, name).at(-1)
  const tokenAudience = value('token-audience')
  return known(
    {
      annotationPrefix: value('annotation-prefix') ?? 'eks.amazonaws.com',
      composesRoleArns:
        command.includes('--compose-role-arn') || ['true', '1', 't'].includes(value('compose-role-arn') ?? ''),
      ...(tokenAudience === undefined ? {} : { tokenAudience }),
    },
    fact.from,
  )
}

export type MapEntry = { readonly key: string; readonly roleArn?: string; readonly audience?: string }

const readMap = (json: Json): readonly MapEntry[] => {
  const text = textAt(json, 'data', 'config')
  if (text === undefined || text.length > 1_000_000) return []
  let config: Json
  try {
    config = JSON.parse(text)
  } catch {
    return []
  }
  if (!isObject(config)) return []
  return Object.keys(config).map((key) => {
    const roleArn = textAt(config, key, 'RoleARN')
    const audience = textAt(config, key, 'Audience')
    return { key, ...(roleArn === undefined ? {} : { roleArn }), ...(audience === undefined ? {} : { audience }) }
  })
}

/** The ConfigMap that a webhook with --watch-config-map reads beside the annotations; absent where EKS runs the webhook. */
export async function webhookMap(
  webhook: Fact<PodIdentityWebhook>,
  inquiry: Pick<Inquiry, 'ask'>,
): Promise<Fact<readonly MapEntry[]>> {
  if (webhook.state === 'known' && webhook.value.managed) return absent(webhook.from)
  const fact = await firstOf('configmaps', webhook, inquiry)
  return fact.state === 'known' ? known(readMap(fact.value), fact.from) : fact
}

/** The entry that the webhook finds for a ServiceAccount: exact names, and a star in the place of the namespace only. */
export const entryFor = (
  map: readonly MapEntry[],
  { namespace, name }: { readonly namespace: string; readonly name: string },
): MapEntry | undefined =>
  map.find(({ key }) => key === `${namespace}/${name}`) ?? map.find(({ key }) => key === `*/${name}`)
