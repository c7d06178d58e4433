/** EKS as REST and JSON: the cluster of the case, its Pod Identity associations, access entries and node groups. */
import { randomUUID } from 'node:crypto'
import { type JsonObject, textAt } from '../core/json.ts'
import { isSigned } from './aws-query.ts'
import type { LabCase } from './case.ts'
import { type Holdings, onTheWire } from './eks-orders.ts'
import { writeOf } from './eks-writes.ts'
import type { Handler, Reply } from './listener.ts'

const jsonReply = (status: number, body: JsonObject, error?: string): Reply => ({
  status,
  headers: {
    'content-type': 'application/json',
    'x-amzn-requestid': randomUUID(),
    ...(error === undefined ? {} : { 'x-amzn-errortype': error }),
  },
  body: JSON.stringify(body),
})

/** `refused` tells by `eks:DescribeCluster` which calls the signed-in identity may not make. */
export function eksService(lab: LabCase, refused: (action: string) => boolean): Handler {
  const { cluster, entering, accounts, region } = lab
  const { names: entryNames, described } = entering.entries
  const held: Holdings = {
    associations: lab.associations,
    entries: entryNames === undefined ? undefined : new Map(described),
    policies: entering.policies,
    addons: new Map(),
  }
  const name = textAt(cluster, 'name') ?? textAt(cluster, 'arn')?.split('/').at(-1)
  const denied = (action: string, resource: string): Reply => {
    const arn = `arn:${accounts.partition}:eks:${region}:${accounts.own}:${resource}`
    const message = `User: ${accounts.caller.Arn} is not authorized to perform: ${action} on resource: ${arn}`
    return jsonReply(403, { message }, 'AccessDeniedException')
  }
  const notFound = (asked: string): Reply =>
    jsonReply(404, { clusterName: asked, message: `No cluster found for name: ${asked}.` }, 'ResourceNotFoundException')

  /** The case may show only the names of some. */
  const entries = (): typeof entering.entries => {
    const { entries: now } = held
    if (now === undefined) return entering.entries
    const unseen = entryNames?.filter((one) => !described.has(one)) ?? []
    return { ...entering.entries, names: [...unseen, ...now.keys()], described: now }
  }

  const policies = (asked: string, principalArn: string): Reply => {
    const call = 'eks:ListAssociatedAccessPolicies'
    if (name !== undefined && asked !== name) return notFound(asked)
    const all = held.policies.get(principalArn)
    if (!refused(call) && all !== undefined) {
      const associatedAccessPolicies = all.map(onTheWire)
      return jsonReply(200, { clusterName: asked, principalArn, associatedAccessPolicies, nextToken: null })
    }
    return entries().names?.includes(principalArn) === false
      ? jsonReply(404, { message: `No such resource: ${principalArn}` }, 'ResourceNotFoundException')
      : denied(call, `cluster/${asked}`)
  }

  return (request) => {
    const { method, path, query } = request
    if (!isSigned(request))
      return jsonReply(403, { message: 'Missing Authentication Token' }, 'MissingAuthenticationTokenException')
    const [top, asked, below, one, more, last, ...rest] = path.split('/').slice(1).map(decodeURIComponent)
    if (method !== 'GET' && top === 'clusters' && asked !== undefined && below !== undefined && rest.length === 0) {
      const arn = `arn:${accounts.partition}:eks:${region}:${accounts.own}`
      const write = writeOf(
        { method, body: request.body, cluster: asked, shelf: below, one, more, last, arn, idOf },
        held,
      )
      if (write !== undefined) {
        if (refused(write.call)) return denied(write.call, `cluster/${asked}`)
        if (name !== undefined && asked !== name) return notFound(asked)
        const { status, body, error } = write.run()
        return jsonReply(status, body, error)
      }
    }
    if (method === 'GET' && below === 'access-entries' && one !== undefined && more === 'access-policies')
      return policies(asked ?? '', one)
    if (method !== 'GET' || top !== 'clusters' || more !== undefined)
      return jsonReply(404, { message: 'Not Found' }, 'UnknownOperationException')
    if (asked === undefined) {
      // The lab knows of one cluster, and nothing about others beside it.
      if (refused('eks:ListClusters') || name === undefined) return denied('eks:ListClusters', 'cluster/*')
      return jsonReply(200, { clusters: [name], nextToken: null })
    }
    if (below === undefined) {
      if (refused('eks:DescribeCluster') || cluster === undefined)
        return denied('eks:DescribeCluster', `cluster/${asked}`)
      return asked === name ? jsonReply(200, { cluster: onTheWire(cluster) }) : notFound(asked)
    }
    const { associations } = held
    if (below === 'addons' && one !== undefined) {
      if (refused('eks:DescribeAddon')) return denied('eks:DescribeAddon', `addon/${asked}/${one}`)
      const addon = held.addons.get(one)
      return addon === undefined
        ? jsonReply(404, { message: `No addon: ${one} found in cluster: ${asked}` }, 'ResourceNotFoundException')
        : jsonReply(200, { addon })
    }
    const shelf = below === 'access-entries' ? entries() : below === 'node-groups' ? entering.groups : undefined
    if (shelf !== undefined) {
      if (name !== undefined && asked !== name) return notFound(asked)
      if (one === undefined)
        return refused(shelf.list) || shelf.names === undefined
          ? denied(shelf.list, `cluster/${asked}`)
          : jsonReply(200, { [shelf.plural]: [...shelf.names], nextToken: null })
      if (refused(shelf.describe) || shelf.names === undefined) return denied(shelf.describe, `cluster/${asked}`)
      const found = shelf.described.get(one)
      if (found !== undefined) return jsonReply(200, { [shelf.singular]: onTheWire(found) })
      return shelf.names.includes(one)
        ? denied(shelf.describe, `cluster/${asked}`)
        : jsonReply(404, { message: `No such resource: ${one}` }, 'ResourceNotFoundException')
    }
    if (below !== 'pod-identity-associations')
      return jsonReply(404, { message: 'Not Found' }, 'UnknownOperationException')
    if (one !== undefined) {
      const call = 'eks:DescribePodIdentityAssociation'
      const found = associations?.find((each) => idOf(each) === one)
      if (refused(call) || associations === undefined) return denied(call, `podidentityassociation/${asked}/${one}`)
      if (name !== undefined && asked !== name) return notFound(asked)
      if (found === undefined)
        return jsonReply(404, { message: `No association found with id ${one}` }, 'ResourceNotFoundException')
      // The case shows only that there is such an association.
      if (textAt(found, 'roleArn') === undefined) return denied(call, `podidentityassociation/${asked}/${one}`)
      return jsonReply(200, { association: onTheWire({ ...found, associationId: one }) })
    }
    if (refused('eks:ListPodIdentityAssociations') || associations === undefined)
      return denied('eks:ListPodIdentityAssociations', `cluster/${asked}`)
    if (name !== undefined && asked !== name) return notFound(asked)
    const wanted = (one: JsonObject): boolean =>
      ['namespace', 'serviceAccount'].every((key) => query.get(key) === null || query.get(key) === one[key])
    return jsonReply(200, { associations: associations.filter(wanted).map(inList), nextToken: null })
  }
}

/** A list tells of which ServiceAccounts there are associations, not of their roles. */
const listKeys = ['clusterName', 'namespace', 'serviceAccount', 'associationArn', 'ownerArn'] as const
const idOf = (one: JsonObject): string | undefined =>
  textAt(one, 'associationId') ?? textAt(one, 'associationArn')?.split('/').at(-1)
const inList = (one: JsonObject): JsonObject => {
  const associationId = idOf(one)
  return {
    ...Object.fromEntries(listKeys.flatMap((key) => (one[key] === undefined ? [] : [[key, one[key]]]))),
    ...(associationId === undefined ? {} : { associationId }),
  }
}
