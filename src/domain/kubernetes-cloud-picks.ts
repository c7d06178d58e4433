/** What is kept of nodes, and of files of cloud providers in ConfigMaps and Secrets: names of keys, never a value. */
import { isObject, type Json } from '../core/json.ts'
import { configAsJson, holdsCloudConfig, readCloudConfig } from './cloud-config.ts'
import { type Draft, type Pick, part, parts, specOf } from './kubernetes-pick.ts'

const longest = 1_000_000

const plainOf = (value: string, encoded: boolean): string => {
  if (!encoded) return value
  try {
    return atob(value.replace(/\s+/g, ''))
  } catch {
    return ''
  }
}

/** → `cloudConfig: {KEY: sections and keys}`, where there is such a file in it; what was picked before has it already. */
export const pickCloudConfig: Pick = (from, draft) => {
  if (from.cloudConfig !== undefined) {
    draft.cloudConfig = from.cloudConfig
    return
  }
  const name = isObject(from.metadata) && typeof from.metadata.name === 'string' ? from.metadata.name : ''
  const found: { [key: string]: Json } = {}
  for (const member of ['data', 'stringData']) {
    const data = from[member]
    if (!isObject(data)) continue
    for (const [key, value] of Object.entries(data))
      if (typeof value === 'string' && value.length < longest && holdsCloudConfig(name, key))
        found[key] = configAsJson(readCloudConfig(plainOf(value, from.kind === 'Secret' && member === 'data')))
  }
  if (Object.keys(found).length > 0) draft.cloudConfig = found
}

/** Taints that a cloud's controller, or interLink, puts on a node. */
export const uninitialized = 'node.cloudprovider.kubernetes.io/uninitialized'
export const shutDown = 'node.cloudprovider.kubernetes.io/shutdown'
export const virtualNode = 'virtual-node.interlink/no-schedule'

export const hasTaint = (node: Json | undefined, key: string): boolean => {
  const taints = isObject(node) && isObject(node.spec) ? node.spec.taints : undefined
  return Array.isArray(taints) && taints.some((one) => isObject(one) && one.key === key)
}

export const pickNode: Pick = (from, draft) => {
  specOf('providerID', 'taints')(from, draft)
  if (!isObject(from.status)) return
  const { allocatable, nodeInfo, addresses, conditions } = from.status
  const status: Draft = {}
  // How many pods it takes, and by which names device plugins hand out /dev/fuse.
  const offered = isObject(allocatable) ? Object.keys(allocatable).filter((name) => name.endsWith('/fuse')) : []
  const resources = part(allocatable, ['pods', ...offered])
  if (Object.keys(resources).length > 0) status.allocatable = resources
  const info = part(nodeInfo, ['kubeletVersion'])
  if (info.kubeletVersion !== undefined) status.nodeInfo = info
  // Of the few nodes that a cloud has not taken in, how long they have waited; of virtual ones where they answer.
  if (hasTaint(draft, uninitialized)) status.conditions = parts(conditions, ['type', 'lastHeartbeatTime'])
  if (hasTaint(draft, virtualNode)) status.addresses = parts(addresses, ['type', 'address'])
  if (Object.keys(status).length > 0) draft.status = status
}
