/** What is wrong with where the containers of a pod are told to read their tokens. */
import { type Access, accessTo } from './token-file-mode.ts'
import { allMechanisms, apiTokenFolder, fileOf, type Mechanism, mechanisms } from './token-files.ts'
import type { Container, Pod } from './workloads.ts'

/** One container that is told to read one file. */
export type TokenRead = {
  readonly container: Container
  readonly mechanism: Mechanism
  readonly variable: string
  readonly path: string
}
export type FileFault = {
  readonly container: string
  readonly variable: string
  readonly path: string
  /** What the container does mount. */
  readonly mounts: readonly string[]
} & ({ readonly message: 'not-mounted' } | { readonly message: 'path-differs'; readonly actual: string })

export const tokenReadsOf = (pod: Pod): readonly TokenRead[] =>
  pod.containers.flatMap((container) =>
    allMechanisms.flatMap((mechanism) => {
      const { variable } = mechanisms[mechanism]
      const path = container.env[variable]
      return typeof path === 'string' && path.startsWith('/') ? [{ container, mechanism, variable, path }] : []
    }),
  )

/** A variable that names a token file, and whose value is not in the pod. */
export function hiddenRead(pod: Pod): string | undefined {
  for (const { name, env } of pod.containers)
    for (const mechanism of allMechanisms) {
      const { variable } = mechanisms[mechanism]
      if (env[variable] === null) return `the value of ${variable} of container ${name} is not in the pod`
    }
  return undefined
}

const folder = (path: string): string => path.replace(/\/+$/, '')
/** In most images /var/run is a link to /run. */
const withoutVar = (path: string): string => path.replace(/^\/var\/run\//, '/run/')

/** The tokens for this mechanism that the container mounts: the default audience first, else any that is not the API server's. */
function mountedTokens(pod: Pod, container: Container, mechanism: Mechanism): readonly string[] {
  const all = container.mounts.flatMap((mount) => {
    const volume = pod.volumes.find(({ name }) => name === mount.name)
    return (volume?.tokens ?? []).flatMap(({ path, audience }) => {
      if (audience === undefined) return []
      if (mount.subPath !== undefined && mount.subPath !== path) return []
      const at = mount.subPath === undefined ? `${folder(mount.mountPath)}/${path}` : mount.mountPath
      return [
        {
          at,
          fits: mechanisms[mechanism].audiences.includes(audience),
          ours: volume?.name === mechanisms[mechanism].volume,
        },
      ]
    })
  })
  return all.filter(({ fits, ours }) => fits || ours).map(({ at }) => at)
}

/** `asked`: the mechanisms that the ServiceAccount asks its webhook for; undefined where that was not seen. */
export function fileFaults(
  pod: Pod,
  reads: readonly TokenRead[],
  asked: readonly Mechanism[] | undefined,
): { readonly faults: readonly FileFault[]; readonly open?: string } {
  const faults: FileFault[] = []
  let open: string | undefined
  for (const { container, mechanism, variable, path } of reads) {
    // Admission mounts the API server's own token; a manifest does not show it.
    if (path.startsWith(`${apiTokenFolder}/`) && pod.uid === undefined) continue
    const { volume, within } = fileOf(pod, container, mechanism, path)
    if (volume?.tokens.some((one) => one.path === within) === true) continue
    if (volume !== undefined && volume.type !== 'projected') {
      open ??= `what writes ${path} into volume ${volume.name} (${volume.type}) was not seen`
      continue
    }
    // What a webhook would add to a manifest is not known.
    if (pod.uid === undefined && (asked === undefined || asked.includes(mechanism))) {
      open ??= `the pod is a manifest; whether a webhook mounts ${path} is not known`
      continue
    }
    const tokens = mountedTokens(pod, container, mechanism)
    if (tokens.some((one) => withoutVar(one) === withoutVar(path))) {
      open ??= `the token is mounted at ${tokens[0]}; whether the image leads from ${path} there was not seen`
      continue
    }
    const mounts = container.mounts.map(({ mountPath }) => mountPath)
    const [actual] = tokens
    const place = { container: container.name, variable, path, mounts }
    if (actual !== undefined) faults.push({ ...place, message: 'path-differs', actual })
    else if (volume === undefined) faults.push({ ...place, message: 'not-mounted' })
    else {
      const [token] = volume.tokens
      const mount = container.mounts.find(({ name }) => name === volume.name)
      if (token === undefined || mount === undefined)
        open ??= `${path} lies in volume ${volume.name}, which holds no token`
      else faults.push({ ...place, message: 'path-differs', actual: `${folder(mount.mountPath)}/${token.path}` })
    }
  }
  return open === undefined ? { faults } : { faults, open }
}

/** Undefined where the file is not one that the kubelet writes. */
export function accessOf(pod: Pod, { container, mechanism, path }: TokenRead): Access | undefined {
  const { volume, within } = fileOf(pod, container, mechanism, path)
  return volume?.type === 'projected' && volume.tokens.some((one) => one.path === within)
    ? accessTo(pod, container, volume)
    : undefined
}
