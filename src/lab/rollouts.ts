/** What the controllers and the identity webhook of a cluster do when a pod template changes: pods made anew, with what is injected into them. */
import { randomUUID } from 'node:crypto'
import { at, canonical, isObject, type Json, type JsonObject, listAt, textAt } from '../core/json.ts'
import { audienceOf, roleAnnotation } from '../domain/audiences.ts'
import { tokenVolume } from '../domain/aws-injection.ts'
import { asTemplated } from '../domain/strategic-merge.ts'
import { injectorsOf, readConfiguration } from '../domain/webhooks.ts'
import { readServiceAccount } from '../domain/workload-objects.ts'
import { withAzure, withoutAzure } from './azure-injection.ts'
import type { Resource } from './kubernetes-resources.ts'
import type { Change, Store } from './kubernetes-store.ts'

const rolling = new Set(['Deployment', 'StatefulSet', 'DaemonSet'])
const tokenFolder = '/var/run/secrets/eks.amazonaws.com/serviceaccount'
const everything = { limit: 0 }

const byName = (resources: readonly Resource[], kind: string): Resource | undefined =>
  resources.find((one) => one.kind === kind && !one.review)

/** Puts new pods in the place of those of a workload whose template is another now; `podsTake`: milliseconds until they are there. */
export function rollOut(
  store: Store,
  resources: readonly Resource[],
  { before, after }: { readonly before: JsonObject; readonly after: JsonObject },
  { change, podsTake }: { readonly change: Change; readonly podsTake: number },
): void {
  const kind = textAt(after, 'kind') ?? ''
  const template = at(after, 'spec', 'template')
  const pods = byName(resources, 'Pod')
  const namespace = textAt(after, 'metadata', 'namespace')
  if (change.dryRun || !rolling.has(kind) || template === undefined || pods === undefined || namespace === undefined)
    return
  const former = at(before, 'spec', 'template')
  if (canonical(template) === canonical(former ?? null)) return
  for (const pod of listAt(store.list(pods, { ...everything, namespace }), 'items')) {
    const owner = listAt(pod, 'metadata', 'ownerReferences').find((one) => at(one, 'controller') === true)
    const name = textAt(pod, 'metadata', 'name')
    if (!isObject(pod) || name === undefined || !isOwnedBy(owner, kind, textAt(after, 'metadata', 'name') ?? ''))
      continue
    store.remove(pods, { namespace, name }, undefined, false)
    const next = kind === 'StatefulSet' ? name : `${textAt(owner, 'name')}-${randomUUID().slice(0, 5)}`
    const come = (): void => {
      store.create(pods, namespace, injected(madeAnew(pod, { former, template }, next), store, resources), change)
    }
    if (podsTake > 0) setTimeout(come, podsTake).unref()
    else come()
  }
}

function isOwnedBy(owner: Json | undefined, kind: string, name: string): boolean {
  const [ownerKind, ownerName = ''] = [textAt(owner, 'kind'), textAt(owner, 'name')]
  if (kind === 'Deployment') return ownerKind === 'ReplicaSet' && ownerName.replace(/-[^-]+$/, '') === name
  return ownerKind === kind && ownerName === name
}

const ofWebhook = new Set(['AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE'])
const isNamed = (one: Json, names: ReadonlySet<string>): boolean => names.has(textAt(one, 'name') ?? '')

type Templates = { readonly former: Json | undefined; readonly template: Json }

/** The pod as its template has it now, without what a webhook or the template of before had put into the one before. */
function madeAnew(pod: JsonObject, { former, template }: Templates, name: string): JsonObject {
  const {
    uid: _,
    resourceVersion: __,
    creationTimestamp: ___,
    managedFields: ____,
    ...metadata
  } = isObject(pod.metadata) ? pod.metadata : {}
  const spec = isObject(pod.spec) ? pod.spec : {}
  const wasInjected = listAt(spec, 'volumes').some((one) => isNamed(one, new Set([tokenVolume])))
  const bare = wasInjected
    ? {
        ...spec,
        volumes: listAt(spec, 'volumes').filter((one) => !isNamed(one, new Set([tokenVolume]))),
        containers: listAt(spec, 'containers').map((one) => ({
          ...(isObject(one) ? one : {}),
          env: listAt(one, 'env').filter((variable) => !isNamed(variable, ofWebhook)),
          volumeMounts: listAt(one, 'volumeMounts').filter((mount) => !isNamed(mount, new Set([tokenVolume]))),
        })),
      }
    : spec
  const asWritten = withoutAzure(bare)
  return {
    ...pod,
    metadata: { ...asTemplated(metadata, at(former, 'metadata'), at(template, 'metadata')), name },
    spec: asTemplated(asWritten, at(former, 'spec'), at(template, 'spec')),
  }
}

/** What the webhook of Azure was installed with. */
function tenantIn(store: Store, resources: readonly Resource[]): string | undefined {
  const maps = byName(resources, 'ConfigMap')
  const all = maps === undefined ? [] : listAt(store.list(maps, everything), 'items')
  const own = all.find((one) => textAt(one, 'metadata', 'name') === 'azure-wi-webhook-config')
  return textAt(own ?? null, 'data', 'AZURE_TENANT_ID')
}

/** As the pod identity webhook does, where one is configured and the ServiceAccount names a role. */
function injected(pod: JsonObject, store: Store, resources: readonly Resource[]): JsonObject {
  const configurations = byName(resources, 'MutatingWebhookConfiguration')
  const accounts = byName(resources, 'ServiceAccount')
  const spec = isObject(pod.spec) ? pod.spec : {}
  const namespace = textAt(pod, 'metadata', 'namespace')
  const name = textAt(spec, 'serviceAccountName') ?? 'default'
  const hooks =
    configurations === undefined
      ? []
      : listAt(store.list(configurations, everything), 'items').flatMap((one) => {
          const read = readConfiguration(one)
          return read === undefined ? [] : injectorsOf(read)
        })
  const acts = hooks.some(({ injects }) => injects === 'AWS')
  const object =
    accounts === undefined || namespace === undefined ? undefined : store.find(accounts, { namespace, name })
  if (isObject(object) && hooks.some(({ injects }) => injects === 'Azure'))
    return withAzure(pod, object, tenantIn(store, resources))
  const account = object === undefined ? undefined : readServiceAccount(object)
  const role = account?.annotations[roleAnnotation]
  if (!acts || account === undefined || role === undefined) return pod
  const env = [
    { name: 'AWS_ROLE_ARN', value: role },
    { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: `${tokenFolder}/token` },
  ]
  const token = { audience: audienceOf(account), expirationSeconds: 86400, path: 'token' }
  const volume = { name: tokenVolume, projected: { defaultMode: 420, sources: [{ serviceAccountToken: token }] } }
  const mount = { name: tokenVolume, mountPath: tokenFolder, readOnly: true }
  const containers = listAt(spec, 'containers').map((one) => {
    const own = listAt(one, 'env')
    const added = env.filter((variable) => !own.some((held) => textAt(held, 'name') === variable.name))
    return {
      ...(isObject(one) ? one : {}),
      env: [...own, ...added],
      volumeMounts: [...listAt(one, 'volumeMounts'), mount],
    }
  })
  return { ...pod, spec: { ...spec, containers, volumes: [...listAt(spec, 'volumes'), volume] } }
}
