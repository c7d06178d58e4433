/** The private folder of a run of the lab and the environment that points every tool at its servers. */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { stringify } from 'yaml'
import type { World } from './published-keys.ts'

export type Environment = { readonly [name: string]: string | undefined }
export type Workspace = {
  readonly folder: string
  readonly kubeconfig: string
  readonly env: Record<string, string>
  readonly remove: () => Promise<void>
}

export type Servers = {
  readonly kubernetes: string
  readonly sts: string
  readonly iam: string
  readonly eks: string
  readonly ec2: string
  readonly s3: string
  /** Every service of Google Cloud, told apart by the path. */
  readonly google: string
  /** The GKE metadata server of a node, without TLS. */
  readonly metadata: string
}

/** Whatever would lead a tool past the lab: other credentials, other endpoints, other certificates, the real cluster. */
const misleading =
  /^(AWS_|AZURE_|MSI_|IDENTITY_ENDPOINT$|GOOGLE_|GCLOUD_|GCE_METADATA_|CLOUDSDK_|KUBERNETES_|KUBECONFIG$|KUBECTL_WI_LAB(_AGENT|_METADATA)?$|NODE_EXTRA_CA_CERTS$|NODE_TLS_REJECT_UNAUTHORIZED$)/

/**
 * Writes kubeconfig, certificate and the list of hosts into a new folder that only this user may read. `context` is the name of the
 * kubeconfig's context, cluster and user; `base` the environment to start from.
 */
export async function makeWorkspace(order: {
  readonly world: World
  readonly servers: Servers
  readonly agent: string
  readonly token: string
  readonly context: string
  readonly user?: string
  /** What whoever uses the lab is signed in to Azure with. */
  readonly azure: { readonly clientId: string; readonly secret: string; readonly tenantId: string }
  readonly namespace: string
  readonly region: string
  /** What the person is signed in to Google Cloud with, as Application Default Credentials. */
  readonly google: { readonly audience: string; readonly secret: string }
  readonly base: Environment
}): Promise<Workspace> {
  const { world, servers, agent, token, context, user = context, azure, namespace, region, google, base } = order
  const folder = await mkdtemp(path.join(tmpdir(), 'kubectl-wi-lab-'))
  await chmod(folder, 0o700)
  const file = async (name: string, text: string): Promise<string> => {
    const place = path.join(folder, name)
    await writeFile(place, text, { mode: 0o600 })
    return place
  }
  const ca = await file('ca.pem', world.roots)
  const certificate = Buffer.from(world.roots).toString('base64')
  const kubeconfig = await file(
    'kubeconfig',
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: context, cluster: { server: servers.kubernetes, 'certificate-authority-data': certificate } }],
      users: [{ name: user, user: { token } }],
      contexts: [{ name: context, context: { cluster: context, user, namespace } }],
      'current-context': context,
    }),
  )
  const hosts = await file('lab.json', JSON.stringify(world))
  const secret = await file('google-token', google.secret)
  const person = await file(
    'google.json',
    JSON.stringify({
      type: 'external_account',
      audience: google.audience,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${servers.google}/v1/token`,
      credential_source: { file: secret },
    }),
  )
  // An empty file keeps the user's own profiles and endpoints out.
  const empty = await file('aws-config', '')
  const cache = path.join(folder, 'kube-cache')
  await mkdir(cache, { mode: 0o700 })
  const kept = Object.entries(base).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !misleading.test(entry[0]),
  )
  const direct = ['127.0.0.1', 'localhost', base.NO_PROXY ?? base.no_proxy ?? ''].filter((one) => one !== '').join(',')
  const env = {
    ...Object.fromEntries(kept),
    NO_PROXY: direct,
    no_proxy: direct,
    KUBECONFIG: kubeconfig,
    KUBECACHEDIR: cache,
    KUBECTL_WI_LAB: hosts,
    NODE_EXTRA_CA_CERTS: ca,
    AWS_CA_BUNDLE: ca,
    AWS_ENDPOINT_URL_STS: servers.sts,
    AWS_ENDPOINT_URL_IAM: servers.iam,
    AWS_ENDPOINT_URL_EKS: servers.eks,
    AWS_ENDPOINT_URL_S3: servers.s3,
    AWS_ENDPOINT_URL_EC2: servers.ec2,
    // Under a name of its own: as AWS_CONTAINER_CREDENTIALS_FULL_URI it would be whom every tool in the lab asks.
    KUBECTL_WI_LAB_AGENT: `${agent}/v1/credentials`,
    // And as GCE_METADATA_HOST every tool would take itself for one of a pod.
    KUBECTL_WI_LAB_METADATA: new URL(servers.metadata).host,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`,
    AWS_SECRET_ACCESS_KEY: randomBytes(30).toString('base64url'),
    GOOGLE_APPLICATION_CREDENTIALS: person,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: empty,
    AZURE_TENANT_ID: azure.tenantId,
    AZURE_CLIENT_ID: azure.clientId,
    AZURE_CLIENT_SECRET: azure.secret,
    // Nothing of this machine's own is ever asked: no command line, no metadata endpoint.
    AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential',
    AZURE_CONFIG_DIR: path.join(folder, 'azure'),
    AWS_SHARED_CREDENTIALS_FILE: empty,
  }
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 3 })
  return { folder, kubeconfig, env, remove }
}
