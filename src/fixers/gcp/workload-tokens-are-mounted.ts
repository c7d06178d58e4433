/** Mounts the token, or the configuration, where the configuration and its variable say; gives it to a group that may read it; or has the webhook see the pods anew. */
import { check } from '../../checks/gcp/workload-tokens-are-mounted.ts'
import type { MessageData } from '../../core/check.ts'
import { at, listAt, textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { word } from '../../domain/gcp-words.ts'
import { type Edit, restartWorkload } from '../../domain/kubernetes-changes.ts'
import { configMapVolume, tokenVolume, withMount, withVolume } from '../../domain/template-additions.ts'
import {
  changeTemplate,
  containerIn,
  containersIn,
  type Held,
  named,
  type Template,
} from '../../domain/template-changes.ts'
import { googleMounts, type Mounts } from '../../probes/gcp/mounts.ts'
import { template } from '../../probes/workload/template.ts'

const needs = { template, googleMounts }
type Brief = ProposalBrief<typeof needs, Record<never, never>, MessageData>
type Scene = { readonly held: Template; readonly mounts: Mounts; readonly data: MessageData }
type Change = { readonly summary: string; readonly edits: readonly (Edit | undefined)[] }

/** All edits or none. */
const change =
  (make: (scene: Scene) => Change | undefined) =>
  ({ have: { template, googleMounts }, data }: Brief): Proposal => {
    if (template.state === 'absent' || googleMounts.state === 'absent') return byHand
    const held = template.value
    const made = make({ held, mounts: googleMounts.value, data })
    const [first, ...rest] = made?.edits ?? []
    const others = rest.filter((one) => one !== undefined)
    if (made === undefined || first === undefined || others.length < rest.length) return byHand
    const summary = `${made.summary} in the pod template of ${named(held)}`
    return [{ summary, safety: 'review', ...changeTemplate(held, [first, ...others]) }]
  }

const split = (path: string): readonly [directory: string, name: string] => {
  const cut = path.lastIndexOf('/')
  return [path.slice(0, cut), path.slice(cut + 1)]
}
const trimmed = (path: string | undefined): string => path?.replace(/\/+$/, '') ?? ''
/** What is mounted there already would go out of sight. */
const isTaken = ({ json }: Held, directory: string): boolean =>
  directory === '' || listAt(json, 'volumeMounts').some((one) => trimmed(textAt(one, 'mountPath')) === directory)

/** Containers that read a credential configuration. */
const readersIn = (held: Template): readonly Held[] =>
  containersIn(held).filter(({ json }) =>
    listAt(json, 'env').some((one) => textAt(one, 'name') === 'GOOGLE_APPLICATION_CREDENTIALS'),
  )

const volume = 'google-token'
const settings = 'google-credentials'

function addToken({ held, mounts: { reads = '', configuration = '' } }: Scene): Change | undefined {
  const [directory, name] = split(reads)
  const readers = readersIn(held)
  if (configuration === '' || readers.length === 0 || readers.some((one) => isTaken(one, directory))) return undefined
  return {
    summary: `Project a token for ${configuration} to ${reads}`,
    edits: [
      withVolume(held, tokenVolume(volume, configuration, name)),
      ...readers.map((one) => withMount(one, volume, directory)),
    ],
  }
}

/** The mount moves; a file of another name needs another token source, which is for a person. */
function moveMount({ held, mounts: { reads }, data }: Scene): Change | undefined {
  const [from, was] = split(word(data, 'mounted'))
  const [to, name] = split(word(data, 'configured'))
  if (was !== name || from === '' || reads !== word(data, 'configured')) return undefined
  const containers = containersIn(held).filter((one) => isTaken(one, from))
  if (containers.length === 0 || containers.some((one) => isTaken(one, to))) return undefined
  const edits = containers.flatMap(({ path, json }) =>
    listAt(json, 'volumeMounts').flatMap((one, index): Edit[] => {
      const before = textAt(one, 'mountPath')
      const isIt = trimmed(before) === from && at(one, 'subPath') === undefined && before !== undefined
      return isIt ? [{ path: [...path, 'volumeMounts', index, 'mountPath'], before, after: to }] : []
    }),
  )
  return { summary: `Mount the token at ${to}, where the configuration reads it,`, edits }
}

function addConfiguration({ held, mounts: { google }, data }: Scene): Change | undefined {
  const [directory, name] = split(word(data, 'path'))
  const [one, ...others] = google.world.configurations.filter(({ namespace }) => namespace === held.place.namespace)
  const container = containerIn(held, word(data, 'container'))
  // Of several it is not known which one was meant.
  if (one?.key === undefined || others.length > 0 || container === undefined || isTaken(container, directory))
    return undefined
  return {
    summary: `Mount ConfigMap ${one.name} at ${directory}`,
    edits: [
      withVolume(held, configMapVolume(settings, one.name, one.key, name)),
      withMount(container, settings, directory),
    ],
  }
}

/** As the documentation of such webhooks has it: https://github.com/pfnet-research/gcp-workload-identity-federation-webhook */
const fsGroup = 65_534

function shareWithGroup({ held }: Scene): Change | undefined {
  const path = ['spec', 'securityContext', 'fsGroup']
  // Another group was somebody's choice, for the files of other volumes.
  if (at(held.template, ...path) !== undefined) return undefined
  return { summary: `Set fsGroup ${fsGroup}, whom the token is then given to,`, edits: [{ path, after: fsGroup }] }
}

function automount({ held }: Scene): Change {
  const path = ['spec', 'automountServiceAccountToken']
  const before = at(held.template, ...path)
  return {
    summary: 'Set automountServiceAccountToken to true',
    edits: [{ path, ...(before === undefined ? {} : { before }), after: true }],
  }
}

/** The webhook reads the ServiceAccount when a pod is admitted. */
function restart({ have: { template } }: Brief): Proposal {
  if (template.state === 'absent') return byHand
  const { place, pod } = template.value
  const summary = `Restart ${named(template.value)}, so that the federation webhook sees its pods`
  return [{ summary, safety: 'review', ...restartWorkload(place, [pod]) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: {
    'path-differs': change(moveMount),
    'no-token-volume': change(addToken),
    'configuration-not-mounted': change(addConfiguration),
    'not-readable': change(shareWithGroup),
    'webhook-did-not-inject': restart,
    'api-token-not-mounted': change(automount),
  },
})
