/** The calls of EKS that make, change and take away Pod Identity associations and add-ons, and with them access entries. */
import { randomUUID } from 'node:crypto'
import { type JsonObject, textAt } from '../core/json.ts'
import { entryWrite } from './eks-entry-writes.ts'
import { type Holdings, no, type Order, type Write } from './eks-orders.ts'
import { objectIn } from './listener.ts'

/** The write that a request asks for; undefined where it asks for none. */
export function writeOf(order: Order, held: Holdings): Write | undefined {
  if (order.shelf === 'pod-identity-associations') return associationWrite(order, held)
  if (order.shelf === 'addons') return addonWrite(order, held)
  return order.shelf === 'access-entries' ? entryWrite(order, held) : undefined
}

/** Settings come with the installation, or in a call of their own. */
function addonWrite({ method, body, cluster, one, more, arn }: Order, held: Holdings): Write | undefined {
  const input = objectIn(body)
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
  const input = objectIn(body)
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
