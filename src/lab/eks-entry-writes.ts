/** The calls of EKS that make and take away access entries, and that associate access policies with them. */
import { randomUUID } from 'node:crypto'
import { at, type JsonObject, textAt, textsAt } from '../core/json.ts'
import { type Holdings, no, type Order, onTheWire, type Write } from './eks-orders.ts'
import { objectIn } from './listener.ts'

/** EKS keeps the namespace `system:` to itself: https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAccessEntry.html */
const reserved = (groups: readonly string[]): boolean => groups.some((group) => group.startsWith('system:'))

export function entryWrite(order: Order, held: Holdings): Write | undefined {
  if (order.more !== undefined) return order.more === 'access-policies' ? policyWrite(order, held) : undefined
  const { method, body, cluster, one, arn } = order
  const all = held.entries ?? new Map<string, JsonObject>()
  if (method === 'POST' && one === undefined)
    return {
      call: 'eks:CreateAccessEntry',
      run: () => {
        const input = objectIn(body)
        const principalArn = textAt(input, 'principalArn') ?? ''
        if (all.has(principalArn))
          return no(
            409,
            'ResourceInUseException',
            'The specified access entry resource is already in use on this cluster.',
          )
        const type = textAt(input, 'type') ?? 'STANDARD'
        if (type === 'STANDARD' && reserved(textsAt(input, 'kubernetesGroups')))
          return no(
            400,
            'InvalidParameterException',
            'The kubernetes group name is invalid, it cannot start with system:',
          )
        const groups = type === 'STANDARD' ? textsAt(input, 'kubernetesGroups') : ['system:nodes']
        const accessEntry: JsonObject = {
          clusterName: cluster,
          principalArn,
          type,
          kubernetesGroups: groups,
          username: textAt(input, 'username') ?? nameOf(principalArn),
          tags: input.tags ?? {},
          createdAt: new Date().toISOString(),
          accessEntryArn: `${arn}:access-entry/${cluster}/${randomUUID()}`,
        }
        held.entries = new Map([...all, [principalArn, accessEntry]])
        held.policies = new Map([...held.policies, [principalArn, []]])
        return { status: 200, body: { accessEntry: onTheWire(accessEntry) } }
      },
    }
  if (method !== 'DELETE' || one === undefined) return undefined
  return {
    call: 'eks:DeleteAccessEntry',
    run: () => {
      if (!all.has(one)) return no(404, 'ResourceNotFoundException', `No such resource: ${one}`)
      held.entries = new Map([...all].filter(([principal]) => principal !== one))
      held.policies = new Map([...held.policies].filter(([principal]) => principal !== one))
      return { status: 200, body: {} }
    },
  }
}

const nameOf = (principal: string): string =>
  principal.replace(/^(arn:[^:]+):iam::(\d+):role\/(?:.*\/)?([^/]+)$/, '$1:sts::$2:assumed-role/$3/{{SessionName}}')

function policyWrite({ method, body, one = '', last }: Order, held: Holdings): Write | undefined {
  const missing = no(404, 'ResourceNotFoundException', `No such resource: ${one}`)
  const all = held.policies.get(one) ?? []
  const put = (policies: readonly JsonObject[]): void => {
    held.policies = new Map([...held.policies, [one, policies]])
  }
  if (method === 'POST' && last === undefined)
    return {
      call: 'eks:AssociateAccessPolicy',
      run: () => {
        const input = objectIn(body)
        const entry = held.entries?.get(one)
        if (entry === undefined) return missing
        if (entry.type !== 'STANDARD')
          return no(
            400,
            'InvalidRequestException',
            'Access policies can only be associated with STANDARD access entries.',
          )
        const [policyArn, accessScope] = [textAt(input, 'policyArn') ?? '', at(input, 'accessScope') ?? {}]
        const now = new Date().toISOString()
        const associatedAccessPolicy = { policyArn, accessScope, associatedAt: now, modifiedAt: now }
        put([...all.filter((policy) => policy.policyArn !== policyArn), associatedAccessPolicy])
        return { status: 200, body: { principalArn: one, associatedAccessPolicy: onTheWire(associatedAccessPolicy) } }
      },
    }
  if (method !== 'DELETE' || last === undefined) return undefined
  return {
    call: 'eks:DisassociateAccessPolicy',
    run: () => {
      if (!all.some(({ policyArn }) => policyArn === last)) return missing
      put(all.filter(({ policyArn }) => policyArn !== last))
      return { status: 200, body: {} }
    },
  }
}
