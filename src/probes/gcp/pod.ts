/** A pod that is bound to Google, or of which Google was heard to say something, with what a look inside has shown. */
import { absent, defineProbe, type Fact, known, reading } from '../../core/fact.ts'
import { at, isObject, type Json, listAt, textAt } from '../../core/json.ts'
import { gcp, kubernetes } from '../../domain/questions.ts'
import type { Pod } from '../../domain/workloads.ts'
import { errorsOfPod } from '../workload/observed-errors.ts'
import { pod } from '../workload/pod.ts'
import { type GoogleAccount, googleAccount } from './account.ts'
import { type Heard, heardIn } from './heard.ts'
import { metadataPods } from './node.ts'
import { googleWorld, hasGoogleMark, type World } from './world.ts'

export type PodLook = {
  readonly address?: string
  readonly email?: string
  readonly flavor?: string
  readonly token?: { readonly status?: number; readonly expiresIn?: number }
  readonly resolves?: boolean
  readonly reached: readonly { readonly host: string; readonly error?: string }[]
  readonly file?: {
    readonly path: string
    readonly readable: boolean
    readonly user?: string
    readonly mode?: string
    readonly claims?: Json
  }
  readonly container?: string
}
const numberAt = (json: Json | undefined, name: string): number | undefined => {
  const found = at(json, name)
  return typeof found === 'number' ? found : undefined
}
const keep = <T extends object>(value: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> } => {
  const kept: Partial<T> = { ...value }
  for (const key in kept) if (kept[key] === undefined) delete kept[key]
  // What is left has no undefined in it.
  return kept as { readonly [K in keyof T]?: Exclude<T[K], undefined> }
}
function readLook(json: Json): PodLook | undefined {
  if (!isObject(json)) return undefined
  const file = at(json, 'tokenFile')
  const path = textAt(file, 'path')
  const resolves = at(json, 'resolves')
  return {
    ...keep({
      address: textAt(json, 'address'),
      email: textAt(json, 'email'),
      flavor: textAt(json, 'flavor'),
      container: textAt(json, 'container'),
      resolves: typeof resolves === 'boolean' ? resolves : undefined,
      token: isObject(json.token)
        ? keep({ status: numberAt(json.token, 'status'), expiresIn: numberAt(json.token, 'expiresIn') })
        : undefined,
    }),
    reached: listAt(json, 'reached').flatMap((one) => {
      const host = textAt(one, 'host')
      const error = textAt(one, 'error')
      return host === undefined ? [] : [{ host, ...(error === undefined ? {} : { error }) }]
    }),
    ...(path === undefined
      ? {}
      : {
          file: {
            path,
            readable: at(file, 'readable') !== false,
            ...keep({ user: textAt(file, 'user'), mode: textAt(file, 'mode'), claims: at(file, 'claims') }),
          },
        }),
  }
}

export type GooglePod = {
  readonly world: World
  readonly fact: Fact<Pod>
  readonly pod?: Pod
  /** False where the pod, or else its ServiceAccount, says so. */
  readonly automounts?: boolean
  readonly hostNetworkIdentity: boolean
  readonly google?: GoogleAccount
  readonly heard: readonly Heard[]
  readonly look: Fact<PodLook>
  /** The node that it runs on; absent where it runs on none yet. */
  readonly node: Fact<Json>
  /** The pods of the metadata server itself. */
  readonly servers: Fact<unknown>
}

export const googlePod = defineProbe({
  id: 'gcp/pod',
  about: 'what binds the pod to Google Cloud',
  scope: 'pod',
  needs: { googleWorld },
  wants: { googleAccount, pod, errorsOfPod, metadataPods },
  only: 'googleWorld',
  ask: async (
    { googleWorld },
    { googleAccount, pod, errorsOfPod, metadataPods },
    { subject, ask },
  ): Promise<Fact<GooglePod>> => {
    const own = pod.state === 'known' ? pod.value : undefined
    const google = googleAccount.state === 'known' ? googleAccount.value : undefined
    const heard = heardIn(errorsOfPod)
    const marked =
      own !== undefined &&
      (hasGoogleMark(own.annotations) || Object.keys(own.annotations).some((key) => key.startsWith('gke-gcsfuse/')))
    if (google === undefined && heard.length === 0 && !marked && subject.kind !== 'Cluster')
      return googleAccount.state === 'unknown' ? googleAccount : absent(gcp.collected())
    const { namespace, name } = subject
    const raw = own === undefined ? undefined : await ask(kubernetes.get('pods', own.namespace, own.name))
    const spec = raw?.state === 'known' ? at(raw.value, 'spec') : undefined
    const account =
      own === undefined ? undefined : await ask(kubernetes.get('serviceaccounts', own.namespace, own.serviceAccount))
    const ofPod = at(spec, 'automountServiceAccountToken')
    const ofAccount = account?.state === 'known' ? at(account.value, 'automountServiceAccountToken') : undefined
    const automounts = typeof ofPod === 'boolean' ? ofPod : typeof ofAccount === 'boolean' ? ofAccount : undefined
    const look: Fact<PodLook> =
      subject.kind === 'Pod' && namespace !== undefined
        ? reading(await ask(gcp.podProbe(namespace, name)), readLook)
        : absent(gcp.collected())
    return known(
      {
        world: googleWorld.value,
        fact: pod,
        ...(own === undefined ? {} : { pod: own }),
        ...(automounts === undefined ? {} : { automounts }),
        hostNetworkIdentity: listAt(spec, 'volumes').some(
          (one) => textAt(one, 'csi', 'volumeAttributes', 'hostNetworkPodKSA') === 'true',
        ),
        ...(google === undefined ? {} : { google }),
        heard,
        look,
        servers: metadataPods,
        node:
          own?.node === undefined
            ? absent(kubernetes.list('nodes'))
            : await ask(kubernetes.get('nodes', undefined, own.node)),
      },
      pod.from,
    )
  },
})
