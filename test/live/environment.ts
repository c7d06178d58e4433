/** The environment in which programs meet the lane's servers and nothing else. */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Lane } from './lane.ts'
import { publicName } from './servers/aws-front.ts'
import type { User } from './servers/gateway.ts'

/** Whatever would lead a tool past the lane. */
const misleading =
  /^(AWS_|KUBERNETES_|KUBECONFIG$|KUBECTL_WI_|NODE_EXTRA_CA_CERTS$|NODE_TLS_|NODE_OPTIONS$|VITEST|.*_proxy$)/i

/** The environment of a program that talks to the lane and to nothing else, as its administrator. */
export async function environment(lane: Omit<Lane, 'env'>, base: NodeJS.ProcessEnv): Promise<Lane['env']> {
  const { folder, cluster, cloud, idp, root, rootFile } = lane
  const kept = Object.entries(base).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !misleading.test(entry[0]),
  )
  const hosts = path.join(folder, 'lab.json')
  const resolve = {
    ...(cluster === undefined ? {} : { [`${cluster.site.host}:443`]: `127.0.0.1:${cluster.site.port}` }),
    ...(cloud === undefined ? {} : { [`${publicName}:443`]: new URL(cloud.endpoint).host }),
    ...(idp === undefined ? {} : { [`${new URL(idp.issuer).host}:443`]: `127.0.0.1:${idp.port}` }),
  }
  await writeFile(hosts, JSON.stringify({ roots: root, resolve }), { mode: 0o600 })
  const empty = path.join(folder, 'aws-config')
  await writeFile(empty, '')
  const cache = path.join(folder, 'kube-cache')
  await mkdir(cache, { recursive: true, mode: 0o700 })
  return {
    ...Object.fromEntries(kept),
    // An empty kubeconfig in place of the person's own, where there is no cluster.
    KUBECONFIG: cluster?.kubeconfig ?? empty,
    KUBECACHEDIR: cache,
    KUBECTL_WI_LAB: hosts,
    NODE_EXTRA_CA_CERTS: rootFile,
    ...(cloud === undefined ? {} : awsEnvironment(lane, cloud.users.admin)),
    AWS_CONFIG_FILE: empty,
    AWS_SHARED_CREDENTIALS_FILE: empty,
    AWS_EC2_METADATA_DISABLED: 'true',
  }
}

/** What signs a program in as this user: to be laid over `lane.env`. */
export function awsEnvironment(
  { cloud, rootFile }: Pick<Lane, 'cloud' | 'rootFile'>,
  user: User,
): { readonly [name: string]: string } {
  if (cloud === undefined) return {}
  const { endpoint } = cloud
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_STS: endpoint,
    AWS_ENDPOINT_URL_IAM: endpoint,
    AWS_ENDPOINT_URL_EKS: endpoint,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_CA_BUNDLE: rootFile,
    AWS_REGION: cloud.region,
    AWS_DEFAULT_REGION: cloud.region,
    AWS_ACCESS_KEY_ID: user.accessKeyId,
    AWS_SECRET_ACCESS_KEY: user.secretAccessKey,
  }
}
