/** The calls of EKS that make, change and take away Pod Identity associations and access entries. */
import { randomUUID } from 'node:crypto'
import { isObject, type Json, type JsonObject, textAt, textsAt } from '../core/json.ts'

/** What the cluster holds: the case's at first. Left out where the case does not show it. */
export type Holdings = {
  associations: readonly JsonObject[] | undefined
  entries: ReadonlyMap<string, JsonObject> | undefined
  /** Add-ons that were installed since the lab began; no case shows any. */
  addons: ReadonlyMap<string, JsonObject>
}

export type Write = { readonly call: string; readonly run: () => Written }
export type Written = { readonly status: number; readonly body: JsonObject; readonly error?: string }

const no = (status: number, error: string, message: string): Written => ({ status, body: { message }, error })

function parsed(body: string): JsonObject {
  try {
    const value: Json = JSON.parse(body)
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}

type Order = {
  readonly method: string
  readonly body: string
  readonly cluster: string
  /** pod-identity-associations, access-entries */
  readonly shelf: string
  readonly one: string | undefined
  /** What of it: update. */
  readonly more?: string | undefined
  /** `arn:PARTITION:eks:REGION:ACCOUNT` */
  readonly arn: string
  readonly idOf: (association: JsonObject) => string | undefined
}

/** The write that a request asks for; undefined where it asks for none. */
export function writeOf(order: Order, held: Holdings): Write | undefined {
  if (order.shelf === 'pod-identity-associations') return associationWrite(order, held)
  if (order.shelf === 'addons') return addonWrite(order, held)
  return order.shelf === 'access-entries' ? entryWrite(order, held) : undefined
}

/** Settings come with the installation, or in a call of their own. */
function addonWrite({ method, body, cluster, one, more, arn }: Order, held: Holdings): Write | undefined {
  const input = parsed(body)
  const found = one === undefined ? undefined : held.addons.get(one)
  const missing = no(404, 'ResourceNotFoundException', `No addon: ${one} found in cluster: ${cluster}`)
  if (method === 'POST' && one === undefined)
    return {
      call: 'eks:CreateAddon',
      run: () => {
        const addonName = textAt(input, 'addonName') ?? ''
        if (held.addons.has(addonName)) return no(409, 'ResourceInUseException', 'Addon already exists.')
        const { clientRequestToken: _, ...given } = input
        const addonArn = `${arn}:addon/${cluster}/${addonName}/${randomUUID()}`
        const addon: JsonObject = { clusterName: cluster, ...given, addonName, addonArn, status: 'ACTIVE' }
        held.addons = new Map([...held.addons, [addonName, addon]])
        return { status: 200, body: { addon } }
      },
    }
  if (method === 'POST' && one !== undefined && more === 'update')
    return {
      call: 'eks:UpdateAddon',
      run: () => {
        if (found === undefined) return missing
        const configurationValues = textAt(input, 'configurationValues') ?? ''
        held.addons = new Map([...held.addons, [one, { ...found, configurationValues }]])
        return { status: 200, body: { update: { id: randomUUID(), status: 'InProgress', type: 'AddonUpdate' } } }
      },
    }
  if (method !== 'DELETE' || one === undefined) return undefined
  return {
    call: 'eks:DeleteAddon',
    run: () => {
      if (found === undefined) return missing
      held.addons = new Map([...held.addons].filter(([name]) => name !== one))
      return { status: 200, body: { addon: { ...found, status: 'DELETING' } } }
    },
  }
}

function associationWrite({ method, body, cluster, one, arn, idOf }: Order, held: Holdings): Write | undefined {
  const input = parsed(body)
  const all = held.associations ?? []
  const found = all.find((each) => idOf(each) === one)
  const missing = no(404, 'ResourceNotFoundException', `No association found with id ${one}`)
  if (method === 'POST' && one === undefined)
    return {
      call: 'eks:CreatePodIdentityAssociation',
      run: () => {
        const [namespace, serviceAccount] = [textAt(input, 'namespace'), textAt(input, 'serviceAccount')]
        if (all.some((each) => each.namespace === namespace && each.serviceAccount === serviceAccount))
          return no(409, 'ResourceInUseException', `Association already exists: ${namespace}/${serviceAccount}`)
        const associationId = `a-${randomUUID().replaceAll('-', '').slice(0, 16)}`
        const { clientRequestToken: _, ...given } = input
        const associationArn = `${arn}:podidentityassociation/${cluster}/${associationId}`
        const association: JsonObject = { clusterName: cluster, ...given, associationArn, associationId }
        held.associations = [...all, association]
        return { status: 200, body: { association } }
      },
    }
  if (method === 'POST')
    return {
      call: 'eks:UpdatePodIdentityAssociation',
      run: () => {
        if (found === undefined) return missing
        const association = { ...found, roleArn: textAt(input, 'roleArn') ?? found.roleArn ?? '' }
        held.associations = all.map((each) => (each === found ? association : each))
        return { status: 200, body: { association } }
      },
    }
  if (method !== 'DELETE') return undefined
  return {
    call: 'eks:DeletePodIdentityAssociation',
    run: () => {
      if (found === undefined) return missing
      held.associations = all.filter((each) => each !== found)
      return { status: 200, body: { association: found } }
    },
  }
}

function entryWrite({ method, body, cluster, one, arn }: Order, held: Holdings): Write | undefined {
  const all = held.entries ?? new Map<string, JsonObject>()
  if (method === 'POST' && one === undefined)
    return {
      call: 'eks:CreateAccessEntry',
      run: () => {
        const input = parsed(body)
        const principalArn = textAt(input, 'principalArn') ?? ''
        if (all.has(principalArn))
          return no(
            409,
            'ResourceInUseException',
            'The specified access entry resource is already in use on this cluster.',
          )
        const type = textAt(input, 'type') ?? 'STANDARD'
        const groups = type === 'STANDARD' ? textsAt(input, 'kubernetesGroups') : ['system:nodes']
        const accessEntry: JsonObject = {
          clusterName: cluster,
          principalArn,
          type,
          kubernetesGroups: groups,
          accessEntryArn: `${arn}:access-entry/${cluster}/${randomUUID()}`,
        }
        held.entries = new Map([...all, [principalArn, accessEntry]])
        return { status: 200, body: { accessEntry } }
      },
    }
  if (method !== 'DELETE' || one === undefined) return undefined
  return {
    call: 'eks:DeleteAccessEntry',
    run: () => {
      if (!all.has(one)) return no(404, 'ResourceNotFoundException', `No such resource: ${one}`)
      held.entries = new Map([...all].filter(([principal]) => principal !== one))
      return { status: 200, body: {} }
    },
  }
}
