/** Changes to the pod template of a workload, which then makes its pods anew; each down to the one text or list that changes. */
import { withEdit } from '../core/edit.ts'
import { at, isList, isObject, type Json, type JsonObject, listAt, textAt } from '../core/json.ts'
import type { Effect, Path } from '../core/plan.ts'
import { type Changed, type Edit, type ObjectPlace, patchObject, pinned } from './kubernetes-changes.ts'
import { kubernetes } from './questions.ts'
import { asTemplated } from './strategic-merge.ts'

export type Template = {
  readonly place: ObjectPlace
  /** `deployment/cart`. */
  readonly workload: string
  /** The pod that is judged, which goes when the template changes. */
  readonly pod: string
  /** `metadata` and `spec`, as far as they are looked at. */
  readonly template: JsonObject
  /** The pod as it was seen; left out where it carries no token of an identity, so that one made anew may be given one. */
  readonly made?: JsonObject
  /** ISO 8601; when another pod would be made. */
  readonly time?: string
}

/** `deployment/cart in namespace shop`, as a summary names whom it changes. */
export const named = ({ workload, place }: Pick<Template, 'workload' | 'place'>): string =>
  `${workload} in namespace ${place.namespace}`

/** What keeps an index on the container or volume that was seen there. */
function pins(template: JsonObject, edits: readonly Edit[]): readonly Edit[] {
  const members = edits.flatMap(({ path }) => {
    const [, list, index] = path
    const isOwnName = path.length === 4 && path[3] === 'name'
    return path.length > 3 && typeof index === 'number' && !isOwnName ? [`${list}/${index}`] : []
  })
  return [...new Set(members)].flatMap((member) => {
    const [list = '', index] = member.split('/')
    const path = ['spec', list, Number(index), 'name']
    const name = textAt(template, ...path)
    return name === undefined ? [] : [pinned(path, name)]
  })
}

/** Paths are those inside the template. */
export function changeTemplate(held: Template, edits: readonly [Edit, ...Edit[]]): Changed {
  const { place, pod, template } = held
  const [first, ...rest] = edits
  const inside = (edit: Edit): Edit => ({ ...edit, path: ['spec', 'template', ...edit.path] })
  const changed = patchObject(place, [inside(first), ...rest.map(inside), ...pins(template, edits).map(inside)])
  const [own, ...others] = changed.effects
  const next = podAnew(held, edits)
  const question = kubernetes.get('pods', place.namespace, pod)
  const remade: Effect = { question, path: [], ...(next === undefined ? {} : { after: next }) }
  return { ...changed, effects: [own, ...others, remade] }
}

/** What webhooks put into pods: https://github.com/aws/amazon-eks-pod-identity-webhook */
const injections = /"(AWS_ROLE_ARN|AWS_WEB_IDENTITY_TOKEN_FILE|AWS_CONTAINER_\w+|[a-z-]*-token)"/g
const injectedIn = (value: Json | undefined): string =>
  JSON.stringify([...JSON.stringify(value ?? null).matchAll(injections)].map(([name]) => name).sort())

/**
 * The pod as it would be: the template with its edits laid over the one that there is. Undefined where a webhook would see another pod than
 * before, so that what it would add is not known.
 */
function podAnew({ template, made, time }: Template, edits: readonly Edit[]): JsonObject | undefined {
  const isSeen = ({ path, before, after }: Edit): boolean =>
    path[0] !== 'spec' || path[1] === 'serviceAccountName' || injectedIn(before) !== injectedIn(after)
  if (made === undefined || edits.some(isSeen)) return undefined
  const next = edits.reduce<Json | undefined>((left, edit) => withEdit(left, edit), template)
  const [metadata, spec] = [at(made, 'metadata'), at(made, 'spec')]
  return {
    ...made,
    metadata: { ...(isObject(metadata) ? metadata : {}), ...(time === undefined ? {} : { creationTimestamp: time }) },
    spec: asTemplated(isObject(spec) ? spec : {}, at(template, 'spec'), at(next, 'spec')),
  }
}

export type Held = { readonly path: Path; readonly json: Json }

/** A container of the template with its place. */
export function containerIn({ template }: Template, name: string): Held | undefined {
  for (const list of ['containers', 'initContainers']) {
    const index = listAt(template, 'spec', list).findIndex((one) => textAt(one, 'name') === name)
    if (index >= 0) return { path: ['spec', list, index], json: listAt(template, 'spec', list)[index] ?? null }
  }
  return undefined
}

/** All containers of the template with their places. */
export const containersIn = (held: Template): readonly Held[] =>
  ['containers', 'initContainers'].flatMap((list) =>
    listAt(held.template, 'spec', list).map((json, index) => ({ path: ['spec', list, index], json })),
  )

/** One variable of a container whose value is written there and was seen. */
export function variableIn(container: Held, name: string): (Held & { readonly value: string }) | undefined {
  const index = listAt(container.json, 'env').findIndex((one) => textAt(one, 'name') === name)
  const json = listAt(container.json, 'env')[index]
  const value = textAt(json, 'value')
  return json === undefined || value === undefined
    ? undefined
    : { path: [...container.path, 'env', index, 'value'], json, value }
}

/** Whether the variable was seen as it stands: of others only the name is known, and a list with those in it cannot be put back. */
function isWhole(variable: Json): boolean {
  if (!isObject(variable) || variable.hidden !== undefined) return false
  const { valueFrom } = variable
  return (
    valueFrom === undefined || ['secretKeyRef', 'configMapKeyRef'].some((kind) => at(valueFrom, kind) !== undefined)
  )
}

/** Takes variables out of a container; undefined where it has none of them, or where the list was not seen as it stands. */
export function withoutVariables(container: Held, names: readonly string[]): Edit | undefined {
  const before = listAt(container.json, 'env')
  const after = before.filter((one) => !names.includes(textAt(one, 'name') ?? ''))
  if (after.length === before.length || !before.every(isWhole)) return undefined
  return { path: [...container.path, 'env'], before, ...(after.length === 0 ? {} : { after }) }
}

/** Takes the mount at this path out of a container; its volume stays, and what that is filled from. */
export function withoutMount(container: Held, mountPath: string): Edit | undefined {
  const before = listAt(container.json, 'volumeMounts')
  const after = before.filter((one) => textAt(one, 'mountPath') !== mountPath)
  if (after.length === before.length) return undefined
  return { path: [...container.path, 'volumeMounts'], before, ...(after.length === 0 ? {} : { after }) }
}

/** A volume of the template with its place. */
export function volumeIn({ template }: Template, name: string): Held | undefined {
  const volumes = listAt(template, 'spec', 'volumes')
  const index = volumes.findIndex((one) => textAt(one, 'name') === name)
  const json = volumes[index]
  return json === undefined ? undefined : { path: ['spec', 'volumes', index], json }
}

/** The same of the volume that a finding names in its words: `volume data of pod cart-x2m4q`. */
export function volumeSaid(held: Template, words: string): (Held & { readonly name: string }) | undefined {
  const [, name = ''] = /^volume (\S+) of /.exec(words) ?? []
  const found = volumeIn(held, name)
  return found === undefined ? undefined : { ...found, name }
}

/** The one projected token of a volume; undefined where there are several, or none. */
export function tokenIn(volume: Held): Held | undefined {
  const sources = at(volume.json, 'projected', 'sources')
  if (!isList(sources)) return undefined
  const found = sources.flatMap((one, index): Held[] => {
    const json = at(one, 'serviceAccountToken')
    return json === undefined
      ? []
      : [{ path: [...volume.path, 'projected', 'sources', index, 'serviceAccountToken'], json }]
  })
  return found.length === 1 ? found[0] : undefined
}
