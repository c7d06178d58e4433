/** Which token files a pod has for Google, which its configuration reads, and who may read them. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { audienceOfConfiguration, isFleet, providerIn, tokenFileOf } from '../../domain/gcp-credentials.ts'
import { gcp } from '../../domain/questions.ts'
import type { Container, Pod } from '../../domain/workloads.ts'
import { configurationOf, webhookAccount, webhookProvider, webhookVolume } from './federation.ts'
import { heardFor } from './heard.ts'
import { type GooglePod, googlePod } from './pod.ts'

export type Mounted = { readonly path: string; readonly audience?: string; readonly forGoogle: boolean }
export type Mounts = {
  readonly google: GooglePod
  /** The audience that the token has to have, where a configuration was seen. */
  readonly configuration?: string
  /** The file that the configuration reads. */
  readonly reads?: string
  /** The configuration itself, where no volume holds it. */
  readonly missingPath?: { readonly path: string; readonly container: string }
  readonly mounted: readonly Mounted[]
  /** What the ServiceAccount asks the federation webhook for. */
  readonly injection?: { readonly present: string; readonly missing?: string; readonly injected: boolean }
  /** Containers whose user may not read the token. */
  readonly users: readonly {
    readonly container: string
    readonly user: string
    readonly path: string
    readonly mode: string
  }[]
}

const variable = 'GOOGLE_APPLICATION_CREDENTIALS'
const trimmed = (path: string): string => path.replace(/\/+$/, '')

export const mountedIn = (pod: Pod): readonly Mounted[] =>
  pod.volumes.flatMap((volume) =>
    volume.tokens.flatMap((token) =>
      pod.containers.flatMap(({ mounts }) =>
        mounts
          .filter(({ name }) => name === volume.name)
          .map(
            ({ mountPath, subPath }): Mounted => ({
              path: subPath === token.path ? mountPath : `${trimmed(mountPath)}/${token.path}`,
              ...(token.audience === undefined ? {} : { audience: token.audience }),
              forGoogle:
                volume.name === webhookVolume ||
                providerIn(token.audience) !== undefined ||
                token.audience?.endsWith('.svc.id.goog') === true,
            }),
          ),
      ),
    ),
  )

/** A configuration that no volume of the container holds. */
function missingIn(pod: Pod): Mounts['missingPath'] {
  for (const { name, env, mounts, role } of pod.containers) {
    const path = env[variable]
    if (role === 'ephemeral' || typeof path !== 'string' || !path.startsWith('/')) continue
    if (!mounts.some(({ mountPath }) => path === trimmed(mountPath) || path.startsWith(`${trimmed(mountPath)}/`)))
      return { path, container: name }
  }
  return undefined
}

/** A mode without a bit for others needs fsGroup, or the user that owns the file: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/ */
function barredFrom(pod: Pod): Mounts['users'] {
  return pod.volumes.flatMap((volume) => {
    const mode = volume.defaultMode
    if (volume.tokens.length === 0 || mode === undefined || (mode & 0o004) !== 0 || pod.fsGroup !== undefined) return []
    const userOf = ({ runsAs }: Container): number | undefined => runsAs?.user ?? pod.runsAs?.user
    return pod.containers
      .filter((one) => one.mounts.some(({ name }) => name === volume.name) && (userOf(one) ?? 0) !== 0)
      .map((one) => ({
        container: one.name,
        user: String(userOf(one)),
        path: `${trimmed(one.mounts.find(({ name }) => name === volume.name)?.mountPath ?? '')}/${volume.tokens[0]?.path ?? ''}`,
        mode: `0${mode.toString(8)}`,
      }))
  })
}

/** Absent where the pod gets its identity from the metadata server, and nothing was heard of a token file. */
export const googleMounts = defineProbe({
  id: 'gcp/mounts',
  about: 'the token files of the pod',
  scope: 'pod',
  needs: { googlePod },
  wants: {},
  only: 'googlePod',
  ask: async ({ googlePod }, _want, { ask }): Promise<Fact<Mounts>> => {
    const none = absent(gcp.collected())
    const google = googlePod.value
    const { pod, heard, google: account } = google
    const own = heardFor(heard, 'gcp/workload-tokens-are-mounted')
    const configuration =
      account === undefined || pod === undefined || account.annotation !== undefined
        ? undefined
        : await configurationOf(account, [pod], ask)
    const annotations = account?.account?.annotations ?? {}
    const present = [webhookProvider, webhookAccount].filter((key) => annotations[key] !== undefined)
    const mounted = pod === undefined ? [] : mountedIn(pod)
    const missing = pod === undefined || account?.annotation !== undefined ? undefined : missingIn(pod)
    const concerned =
      own.length > 0 ||
      configuration !== undefined ||
      present.length > 0 ||
      missing !== undefined ||
      mounted.some(({ forGoogle }) => forGoogle)
    if (!concerned) return none
    const reads = configuration === undefined ? undefined : tokenFileOf(configuration)
    const audience = configuration === undefined ? undefined : audienceOfConfiguration(configuration)
    const lacking = [webhookProvider, webhookAccount].find((key) => annotations[key] === undefined)
    return known(
      {
        google,
        ...(configuration === undefined || audience === undefined
          ? {}
          : {
              configuration: isFleet(configuration)
                ? (audience.split(':')[1] ?? '')
                : audience.replace(/^\/\//, 'https://'),
            }),
        ...(reads === undefined ? {} : { reads }),
        ...(missing === undefined ? {} : { missingPath: missing }),
        mounted,
        ...(present[0] === undefined
          ? {}
          : {
              injection: {
                present: present[0],
                ...(lacking === undefined ? {} : { missing: lacking }),
                injected: pod?.volumes.some(({ name }) => name === webhookVolume) === true,
              },
            }),
        users: pod === undefined ? [] : barredFrom(pod),
      },
      google.fact.from,
    )
  },
})
