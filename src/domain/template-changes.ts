/** Changes to the pod template of a workload, which then makes its pods anew; each down to the one text or list that changes. */
import { at, isList, isObject, type Json, type JsonObject, listAt, textAt } from '../core/json.ts'
import type { Effect, Path } from '../core/plan.ts'
import { type Changed, type Edit, type ObjectPlace, patchObject } from './kubernetes-changes.ts'
import { kubernetes } from './questions.ts'

export type Template = {
  readonly place: ObjectPlace
  /** `deployment/cart`. */
  readonly workload: string
  /** The pod that is judged, which goes when the template changes. */
  readonly pod: string
  /** `metadata` and `spec`, as far as they are looked at. */
  readonly template: JsonObject
}

/** Paths are those inside the template. */
export function changeTemplate({ place, pod }: Template, edits: readonly [Edit, ...Edit[]]): Changed {
  const [first, ...rest] = edits
  const inside = (edit: Edit): Edit => ({ ...edit, path: ['spec', 'template', ...edit.path] })
  const changed = patchObject(place, [inside(first), ...rest.map(inside)])
  const [own, ...others] = changed.effects
  const gone: Effect = { question: kubernetes.get('pods', place.namespace, pod), path: [] }
  return { ...changed, effects: [own, ...others, gone] }
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
