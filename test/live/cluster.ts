/** The lane's cluster in the words of the tests, through Kubernetes' own client. */
import { randomBytes } from 'node:crypto'
import { CoreV1Api, KubeConfig, KubernetesObjectApi } from '@kubernetes/client-node'
import type { Lane } from './lane.ts'

export type Cluster = {
  readonly config: KubeConfig
  readonly core: CoreV1Api
  /** Creates, patches, deletes objects of any kind. */
  readonly objects: KubernetesObjectApi
  /** A new namespace with a name of its own; gives the name. */
  readonly namespace: () => Promise<string>
  readonly serviceAccount: (
    namespace: string,
    name: string,
    annotations?: { readonly [name: string]: string },
  ) => Promise<void>
  /** What the TokenRequest API signs for this ServiceAccount. */
  readonly token: (namespace: string, name: string, audience: string) => Promise<string>
  /** Waits until the namespaces of other tests are gone: who looks at the whole cluster would see them go. */
  readonly alone: () => Promise<void>
  /** Deletes the namespaces that were made; does not wait for it. */
  readonly clear: () => Promise<void>
}

const prefix = 'wi-live-'

/** @throws Error where the lane has no cluster: skip the test with the lane's own reason before */
export function clusterOf({ cluster }: Lane): Cluster {
  if (cluster === undefined) throw new Error('the lane has no cluster')
  const config = new KubeConfig()
  config.loadFromFile(cluster.kubeconfig)
  const core = config.makeApiClient(CoreV1Api)
  const made: string[] = []
  return {
    config,
    core,
    objects: KubernetesObjectApi.makeApiClient(config),
    namespace: async () => {
      const name = `${prefix}${randomBytes(4).toString('hex')}`
      await core.createNamespace({ body: { metadata: { name } } })
      made.push(name)
      return name
    },
    serviceAccount: async (namespace, name, annotations = {}) => {
      await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name, annotations } } })
    },
    token: async (namespace, name, audience) => {
      const { status } = await core.createNamespacedServiceAccountToken({
        namespace,
        name,
        body: { spec: { audiences: [audience], expirationSeconds: 900 } },
      })
      if (status?.token === undefined) throw new Error('the API server answered without a token')
      return status.token
    },
    alone: async () => {
      const others = async () =>
        (await core.listNamespace()).items.filter(
          ({ metadata: { name = '' } = {} }) => name.startsWith(prefix) && !made.includes(name),
        )
      for (const end = Date.now() + 90_000; (await others()).length > 0; ) {
        if (Date.now() > end) {
          const left = (await others()).map(
            ({ metadata, status }) =>
              `${metadata?.name} (${status?.phase}: ${(status?.conditions ?? []).map(({ message }) => message).join('; ')})`,
          )
          throw new Error(`still there after 90 s: ${left.join(', ')}`)
        }
        await new Promise((done) => setTimeout(done, 250))
      }
    },
    clear: async () => {
      await Promise.all(
        made.splice(0).map(async (namespace) => {
          // No kubelet runs here that would let go of a pod that is on a node: it would hold its namespace until pods are collected.
          await core.deleteCollectionNamespacedPod({ namespace, gracePeriodSeconds: 0 })
          await core.deleteNamespace({ name: namespace })
        }),
      )
    },
  }
}
