/** How one Kubernetes object is laid over another: lists by the member that tells their items apart. Server-side apply merges alike. */
import { isList, isObject, type Json, type JsonObject } from '../core/json.ts'

/** By which member the items of these lists are told apart; other lists are replaced as a whole. */
const mergeKeys: { readonly [list: string]: readonly string[] } = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  env: ['name'],
  ports: ['containerPort', 'port'],
  imagePullSecrets: ['name'],
  secrets: ['name'],
  hostAliases: ['ip'],
  topologySpreadConstraints: ['topologyKey'],
  ownerReferences: ['uid'],
  conditions: ['type'],
  webhooks: ['name'],
}

/** https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md */
export function strategicPatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch
  if (patch.$patch === 'replace') return without(patch, '$patch')
  const merged: { [key: string]: Json } = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) {
      const primitive = /^\$deleteFromPrimitiveList\/(.+)$/.exec(key)?.[1]
      const held = primitive === undefined ? undefined : merged[primitive]
      // $setElementOrder and $retainKeys only tidy up what the rest of the patch has said.
      if (primitive !== undefined && isList(held) && isList(value))
        merged[primitive] = held.filter((one) => !value.includes(one))
    } else if (value === null || (isObject(value) && value.$patch === 'delete')) delete merged[key]
    else if (key === 'finalizers' && isList(value)) merged[key] = [...new Set([...listOf(merged[key]), ...value])]
    else if (isList(value)) merged[key] = mergeLists(key, listOf(merged[key]), value)
    else merged[key] = strategicPatch(merged[key], value)
  }
  return merged
}

/**
 * What one patch had put there and the next does not, taken out again: what a controller that makes an object anew leaves behind. Items of lists go
 * by the member that tells them apart, so that what others have added to the same list stays.
 */
function withoutDropped(held: Json, was: Json | undefined, now: Json | undefined): Json {
  if (!isObject(held) || !isObject(was)) return held
  const left: { [key: string]: Json } = { ...held }
  for (const [key, old] of Object.entries(was)) {
    const own = left[key]
    const next = isObject(now) ? now[key] : undefined
    const by = mergeKeys[key]?.find((name) => listOf(old).every((item) => isObject(item) && item[name] !== undefined))
    if (isList(own) && isList(old) && by !== undefined) {
      const among = (list: Json | undefined, item: Json): Json | undefined =>
        listOf(list).find((one) => isObject(one) && isObject(item) && one[by] === item[by])
      const kept = own.flatMap((item) => {
        const before = among(old, item)
        const after = among(next, item)
        return before === undefined ? [item] : after === undefined ? [] : [withoutDropped(item, before, after)]
      })
      if (kept.length > 0) left[key] = kept
      else delete left[key]
    } else if (own !== undefined && next === undefined) delete left[key]
    else if (own !== undefined) left[key] = withoutDropped(own, old, next)
  }
  return left
}

const listOf = (value: Json | undefined): readonly Json[] => (isList(value) ? value : [])
const without = (object: JsonObject, key: string): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([name]) => name !== key))

function mergeLists(list: string, held: readonly Json[], patch: readonly Json[]): Json {
  const items = patch.filter(isObject)
  const key = mergeKeys[list]?.find((name) => items.every((item) => item[name] !== undefined))
  if (key === undefined || items.length !== patch.length) {
    return items.some((item) => item.$patch === 'replace') ? items.filter((item) => item.$patch === undefined) : patch
  }
  const merged = [...held]
  for (const item of items) {
    const index = merged.findIndex((one) => isObject(one) && one[key] === item[key])
    if (item.$patch === 'delete') {
      if (index >= 0) merged.splice(index, 1)
    } else if (index >= 0) merged[index] = strategicPatch(merged[index], item)
    else merged.push(strategicPatch(undefined, item))
  }
  return merged
}

/** Pod parts as a controller makes them anew from a template that was another before; what others have added to them stays. */
export const asTemplated = (held: JsonObject, was: Json | undefined, now: Json | undefined): JsonObject => {
  const left = withoutDropped(held, was, now)
  const merged = now === undefined ? left : strategicPatch(left, now)
  return isObject(merged) ? merged : held
}
