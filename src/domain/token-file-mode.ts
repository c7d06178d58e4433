/** Whether a container's user may read a projected token, by the mode that the kubelet gives the file. */
import type { Container, Pod, Volume } from './workloads.ts'

export type Access =
  | { readonly state: 'readable' }
  | { readonly state: 'excluded'; readonly uid: number; readonly mode: string }
  /** `lacks` says what would have to be known. */
  | { readonly state: 'open'; readonly mode: string; readonly lacks: string }

const readable: Access = { state: 'readable' }
const othersRead = 0o004
const groupReads = 0o040

/**
 * A pod whose containers all run as one user gets the file as that user's own, and one with fsGroup gets it for that group, whatever the
 * mode says: https://github.com/kubernetes/kubernetes/blob/v1.36.2/pkg/volume/projected/projected.go
 */
export function accessTo(pod: Pod, container: Container, { defaultMode = 0o644 }: Volume): Access {
  const userOf = (one: Container): number | undefined => one.runsAs?.user ?? pod.runsAs?.user
  const uid = userOf(container)
  const regular = pod.containers.filter(({ role }) => role !== 'ephemeral')
  const common = uid !== undefined && regular.every((one) => userOf(one) === uid)
  if (
    (defaultMode & othersRead) !== 0 ||
    pod.fsGroup !== undefined ||
    uid === 0 ||
    (common && container.role !== 'ephemeral')
  )
    return readable
  const mode = `0${defaultMode.toString(8)}`
  if (uid === undefined)
    return {
      state: 'open',
      mode,
      lacks: `as which user container ${container.name} runs is in its image, and the token's mode is ${mode}`,
    }
  const group = container.runsAs?.group ?? pod.runsAs?.group
  if ((defaultMode & groupReads) !== 0) {
    if (group === 0 || pod.supplementalGroups?.includes(0) === true) return readable
    // Without runAsGroup the group comes from the image, and is 0 for a user whom the image does not know.
    if (group === undefined)
      return {
        state: 'open',
        mode,
        lacks: `in which group container ${container.name} runs is in its image, and the token's mode is ${mode}`,
      }
  }
  return { state: 'excluded', uid, mode }
}
