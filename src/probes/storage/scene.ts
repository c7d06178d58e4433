/** All that is seen of a pod's mounting: its mounters with their options, its volumes, its mechanisms, and what was said of it. */
import { absent, defineProbe, type Fact, type Inquiry, known } from '../../core/fact.ts'
import { at, isList } from '../../core/json.ts'
import { azureClientAnnotation, googleAnnotation, podIdentityAudience, roleAnnotation } from '../../domain/audiences.ts'
import { isEfsDenial } from '../../domain/efs-mounts.ts'
import { unseenOptions } from '../../domain/mounter-words.ts'
import { findOption, type Option, type Tool } from '../../domain/mounters.ts'
import type { MountingContainer } from '../../domain/pod-storage.ts'
import { kubernetes } from '../../domain/questions.ts'
import {
  efsDriver,
  inlineVolumes,
  readClaim,
  readPersistentVolume,
  readStorageClass,
  type Volume,
} from '../../domain/storage-volumes.ts'
import { tagOf } from '../../domain/versions.ts'
import type { Pod, ServiceAccount } from '../../domain/workloads.ts'
import { association } from '../aws/association.ts'
import type { ObservedError } from '../cluster/observed-errors.ts'
import { listed } from '../lists.ts'
import { serviceAccount } from '../workload/service-account.ts'
import { storageErrors, storagePod } from './storage-pod.ts'

/** A mounter that a container of the pod runs. */
export type Use = {
  readonly tool: Tool
  readonly container: MountingContainer
  readonly options: readonly Option[]
  readonly version?: string
  /** Part of its options stands in a file that nobody saw. */
  readonly unseen: boolean
}

export type Scene = {
  readonly pod?: Pod
  readonly uses: readonly Use[]
  /** Inline ones, and those behind its claims as far as they were seen. */
  readonly volumes: readonly (Volume & { readonly podVolume: string })[]
  readonly modes: readonly string[]
  /** Whether all that could bind the pod to an identity was seen. */
  readonly modesSeen: boolean
  readonly errors: readonly ObservedError[]
}

/** `iam_role=auto` as an option. */
export const optionOf = (word: string, where: string): Option => {
  const cut = word.indexOf('=')
  return cut < 0
    ? { name: word, value: undefined, where }
    : { name: word.slice(0, cut), value: word.slice(cut + 1), where }
}

function optionsOfCall(call: readonly string[], where: string): readonly Option[] {
  const [tool, first, type, ...rest] = call
  if (tool === 'mount' && first === '-t' && type !== undefined)
    return [{ name: 'mount -t', value: type, where }, ...rest.map((word) => optionOf(word, where))]
  return call.slice(1).flatMap((word) => (word === unseenOptions ? [] : [optionOf(word, where)]))
}

const commandOf = (call: readonly string[]): string | undefined => (call[0] === 'mount' ? call[2] : call[0])

/** Of rclone, whose command is one for all backends, the one that an option or a variable names. */
function toolOf(tools: readonly Tool[], call: readonly string[], options: readonly Option[]): Tool | undefined {
  const command = commandOf(call)
  const fits = tools.filter(({ recognise }) => recognise.commands?.includes(command ?? '') === true)
  if (fits.length <= 1) return fits[0]
  const named = options.flatMap(({ name, value }) =>
    /(?:^|[-_])(?:type|backend)$/i.test(name) && typeof value === 'string' ? value.toLowerCase() : [],
  )
  const byOption = fits.filter(({ recognise }) => recognise.backends?.some((one) => named.includes(one)) === true)
  if (byOption.length > 0) return byOption[0]
  const hints = options.map(({ name }) => name.toLowerCase().replaceAll('_', '-'))
  const hint = hints.some((name) => /^-*s3-/.test(name))
    ? 'rclone-s3'
    : hints.some((name) => /^-*azureblob-/.test(name))
      ? 'rclone-azureblob'
      : hints.some((name) => /^-*gcs-/.test(name))
        ? 'rclone-gcs'
        : undefined
  return fits.find(({ tool }) => tool === hint)
}

/** What the configuration files of the pod say, as far as they come from ConfigMaps. */
async function fileOptions(
  pod: Pod,
  container: MountingContainer,
  { ask }: Inquiry,
): Promise<{ readonly options: readonly Option[] }> {
  const options: Option[] = []
  const mounted = new Set(container.mounts.map(({ volume }) => volume))
  for (const { name, from } of pod.volumes) {
    if (!mounted.has(name) || from?.kind !== 'ConfigMap') continue
    const answer = await ask(kubernetes.get('configmaps', pod.namespace, from.name))
    const found = answer.state === 'known' ? at(answer.value, 'mounterOptions') : undefined
    if (isList(found))
      for (const word of found) if (typeof word === 'string') options.push(optionOf(word, `ConfigMap ${from.name}`))
  }
  return { options }
}

async function usesOf(pod: Pod, tools: readonly Tool[], inquiry: Inquiry): Promise<readonly Use[]> {
  const uses: Use[] = []
  for (const container of pod.storage?.containers ?? [])
    for (const call of container.calls) {
      const env = pod.containers.find(({ name }) => name === container.name)
      const variables = Object.entries(env?.env ?? {}).map(
        ([name, value]): Option => ({ name, value: value === '' ? undefined : value, where: `variable ${name}` }),
      )
      const files = await fileOptions(pod, container, inquiry)
      const own = optionsOfCall(call, `container ${container.name}`)
      const options = [...own, ...variables, ...files.options]
      const tool = toolOf(tools, call, options)
      if (tool === undefined) continue
      const repository =
        container.image
          .split('@')[0]
          ?.replace(/:[^:/]*$/, '')
          .split('/')
          .at(-1) ?? ''
      const version = repository.includes(commandOf(call) ?? '?') ? tagOf(container.image) : undefined
      // Without a file blobfuse2 is told everything by variables.
      const readsFile =
        tool.tool === 'blobfuse2' &&
        files.options.length === 0 &&
        (findOption(own, 'config-file') !== undefined ||
          !options.some(({ name }) => /^(?:mode|AZURE_STORAGE_AUTH_TYPE)$/.test(name)))
      uses.push({
        ...{ tool, container, options, unseen: readsFile || env?.envFrom === true || call.includes(unseenOptions) },
        ...(version === undefined ? {} : { version }),
      })
    }
  return uses
}

/** The volumes behind the pod's claims; what cannot be seen is left out. */
async function claimed(pod: Pod, { ask }: Inquiry): Promise<Scene['volumes']> {
  const found: (Volume & { podVolume: string })[] = []
  for (const { claim, name } of pod.storage?.volumes ?? []) {
    if (claim === undefined) continue
    const answer = await ask(kubernetes.get('persistentvolumeclaims', pod.namespace, claim))
    const bound = answer.state === 'known' ? readClaim(answer.value)?.volume : undefined
    if (bound === undefined) continue
    const volume = await ask(kubernetes.get('persistentvolumes', undefined, bound))
    const read = volume.state === 'known' ? readPersistentVolume(volume.value) : undefined
    if (read !== undefined) found.push({ ...read, podVolume: name })
  }
  return found
}

/** Of a driver's error without a pod: the volumes of EFS that are there, and the classes that make them. */
async function ofEfs({ ask }: Inquiry): Promise<Scene['volumes']> {
  const [volumes, classes] = await Promise.all([
    listed(await ask(kubernetes.list('persistentvolumes')), readPersistentVolume),
    listed(await ask(kubernetes.list('storageclasses')), readStorageClass),
  ])
  return [volumes, classes].flatMap((list) =>
    list.state === 'known'
      ? list.value.items.filter(({ driver }) => driver === efsDriver).map((one) => ({ ...one, podVolume: '' }))
      : [],
  )
}

/** How the pod is bound, in the words of the table of mounters. */
function modesOf(pod: Pod | undefined, account: ServiceAccount | undefined, associated: boolean): readonly string[] {
  const modes = new Set<string>()
  const has = (name: string): boolean => pod?.containers.some(({ env }) => name in env) === true
  const audience = (fits: (text: string) => boolean): boolean =>
    pod?.volumes.some(({ tokens }) => tokens.some((token) => token.audience !== undefined && fits(token.audience))) ===
    true
  const annotations = account?.annotations ?? {}
  if (annotations[roleAnnotation]?.trim() || has('AWS_ROLE_ARN') || has('AWS_WEB_IDENTITY_TOKEN_FILE'))
    modes.add('aws-web-identity')
  if (associated || has('AWS_CONTAINER_CREDENTIALS_FULL_URI') || audience((text) => text === podIdentityAudience))
    modes.add('eks-pod-identity')
  if (
    annotations[azureClientAnnotation]?.trim() ||
    pod?.labels['azure.workload.identity/use'] === 'true' ||
    has('AZURE_FEDERATED_TOKEN_FILE') ||
    audience((text) => text.toLowerCase() === 'api://azureadtokenexchange')
  )
    modes.add('azure-workload-identity')
  if (annotations[googleAnnotation]?.trim()) modes.add('gke-metadata')
  if (has('GOOGLE_APPLICATION_CREDENTIALS') && audience((text) => text.includes('/workloadIdentityPools/')))
    modes.add('gcp-external-account')
  return [...modes]
}

export const scene = defineProbe({
  id: 'storage/scene',
  about: 'how the pod mounts its stores',
  scope: 'pod',
  needs: {},
  wants: { storagePod, storageErrors, serviceAccount, association },
  ask: async (_have, { storagePod, storageErrors, serviceAccount, association }, inquiry): Promise<Fact<Scene>> => {
    const pod = storagePod.state === 'known' ? storagePod.value : undefined
    const errors = storageErrors.state === 'known' ? storageErrors.value : []
    if (pod === undefined && errors.length === 0) return absent(storagePod.from)
    const runs = pod?.storage?.containers.some(({ calls }) => calls.length > 0) === true
    const { mounters } = await import('../../knowledge/mounters.ts')
    const account = serviceAccount.state === 'known' ? serviceAccount.value : undefined
    const inline = pod?.storage === undefined ? [] : inlineVolumes(`pod ${pod.name}`, pod.storage)
    return known(
      {
        ...(pod === undefined ? {} : { pod }),
        uses: pod === undefined || !runs ? [] : await usesOf(pod, mounters, inquiry),
        volumes:
          pod === undefined
            ? errors.some(({ text }) => isEfsDenial(text))
              ? await ofEfs(inquiry)
              : []
            : [...inline.map((one) => ({ ...one, podVolume: one.name })), ...(await claimed(pod, inquiry))],
        modes: modesOf(pod, account, association.state === 'known'),
        modesSeen: serviceAccount.state !== 'unknown' && (association.state !== 'unknown' || account !== undefined),
        errors,
      },
      pod === undefined ? storageErrors.from : storagePod.from,
    )
  },
})
