/** Which projected token a container's SDK reads: from the variable that names the file, by mount and volume, to the token source. */
import { awsAudience, azureAudience, podIdentityAudience } from './audiences.ts'
import type { Container, Mount, Pod, TokenSource, Volume } from './workloads.ts'

export type Mechanism = 'web-identity' | 'pod-identity' | 'azure'

export const mechanisms: {
  readonly [M in Mechanism]: {
    readonly variable: string
    /** What the webhook calls its volume; it skips its own where there is one of that name. */
    readonly volume: string
    readonly cloud: string
    /** The default first, then what sovereign clouds use. */
    readonly audiences: readonly string[]
  }
} = {
  'web-identity': {
    variable: 'AWS_WEB_IDENTITY_TOKEN_FILE',
    volume: 'aws-iam-token',
    cloud: 'AWS STS',
    audiences: [awsAudience],
  },
  'pod-identity': {
    variable: 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
    volume: 'eks-pod-identity-token',
    cloud: 'EKS Pod Identity',
    audiences: [podIdentityAudience],
  },
  azure: {
    variable: 'AZURE_FEDERATED_TOKEN_FILE',
    volume: 'azure-identity-token',
    cloud: 'Microsoft Entra',
    audiences: [azureAudience, `${azureAudience}USGov`, `${azureAudience}China`],
  },
}
export const allMechanisms = ['web-identity', 'pod-identity', 'azure'] as const satisfies readonly Mechanism[]

/** Where the API server's own token lies. */
export const apiTokenFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

export type TokenFile = {
  readonly container: string
  readonly mechanism: Mechanism
  readonly path: string
  /** Where it lies in what is mounted there. */
  readonly mount?: Mount
  readonly within?: string
  /** What is mounted there, if anything is. */
  readonly volume?: Volume
  /** The source of a projected volume that makes this file, or the volume's only one. */
  readonly source?: TokenSource
}

const trimmed = (path: string): string => (path.endsWith('/') ? path.replace(/\/+$/, '') : path)

/** The mount of the deepest folder that holds this path. */
function mountOf({ mounts }: Container, path: string): Mount | undefined {
  let deepest: Mount | undefined
  let depth = -1
  for (const mount of mounts) {
    const folder = trimmed(mount.mountPath)
    if (folder.length <= depth || !path.startsWith(folder)) continue
    if (path.length > folder.length && path[folder.length] !== '/') continue
    deepest = mount
    depth = folder.length
  }
  return deepest
}

/** The file that a container reads by this path, as far as its mounts tell. */
export function fileOf(pod: Pod, container: Container, mechanism: Mechanism, path: string): TokenFile {
  const found = { container: container.name, mechanism, path }
  const mount = mountOf(container, path)
  const volume = mount === undefined ? undefined : pod.volumes.find(({ name }) => name === mount.name)
  if (mount === undefined || volume === undefined) return found
  const below = path.slice(trimmed(mount.mountPath).length + 1)
  const rest =
    mount.subPath === undefined ? below : [trimmed(mount.subPath), below].filter((one) => one !== '').join('/')
  const source =
    volume.tokens.find((one) => one.path === rest) ?? (volume.tokens.length === 1 ? volume.tokens[0] : undefined)
  return { ...found, mount, within: rest, volume, ...(source === undefined ? {} : { source }) }
}

/** Many checks ask for those of the same pod. */
const told = new WeakMap<Pod, readonly TokenFile[]>()

/** The token files that containers are told to read; a variable whose value is not in the pod is left out. */
export function tokenFilesOf(pod: Pod): readonly TokenFile[] {
  const before = told.get(pod)
  if (before !== undefined) return before
  const files: TokenFile[] = []
  for (const container of pod.containers)
    for (const mechanism of allMechanisms) {
      const path = container.env[mechanisms[mechanism].variable]
      if (typeof path === 'string' && path.startsWith('/')) files.push(fileOf(pod, container, mechanism, path))
    }
  told.set(pod, files)
  return files
}
