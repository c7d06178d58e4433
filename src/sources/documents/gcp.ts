/** Recognises what gcloud prints: clusters, node pools, accounts, policies, pools and providers, projects, roles, buckets, configurations. */
import type { Fact, Question } from '../../core/fact.ts'
import { at, isList, isObject, type Json, type JsonObject, listAt, textAt } from '../../core/json.ts'
import { pickConfiguration } from '../../domain/gcp-credentials.ts'
import { type Document, type Recogniser, told } from './document.ts'

const providerName = /(?:^|\/)(projects\/[^/]+\/locations\/[^/]+\/workloadIdentityPools\/[^/]+\/providers\/[^/]+)$/
const poolName = /(?:^|\/)(projects\/[^/]+\/locations\/[^/]+\/workloadIdentityPools\/[^/]+)$/
const clusterLink = /container\.googleapis\.com\/.*\/clusters\/[^/]+$/
const nodePoolLink = /container\.googleapis\.com\/.*\/clusters\/[^/]+\/nodePools\/[^/]+$/

const pick = (value: JsonObject, names: readonly string[]): JsonObject => {
  const kept: { [key: string]: Json } = {}
  for (const name of names) {
    const member = value[name]
    if (member !== undefined) kept[name] = member
  }
  return kept
}
const clusterMembers = [
  'name',
  'location',
  'zone',
  'selfLink',
  'workloadIdentityConfig',
  'autopilot',
  'currentMasterVersion',
  'networkConfig',
  'privateClusterConfig',
  'nodePools',
] as const
const providerMembers = ['oidc', 'state', 'attributeMapping', 'attributeCondition', 'disabled', 'expireTime'] as const

const unnamed = 'unnamed/'

/** Whose policy it is: the name of the file, with `_` for `/`, or its folder; an account's e-mail by itself. */
function resourceOf({ stem, folder }: Document): string {
  const inFolder = /(?:^|\/)(projects|buckets|service-?accounts)$/i.exec(folder)?.[1]?.toLowerCase()
  const [, kind, rest] = /^(projects|buckets|service-?accounts)[_/](.+)$/i.exec(stem) ?? []
  const of = (kind ?? inFolder)?.toLowerCase()
  const name = rest ?? stem
  if (of === 'projects' || of === 'buckets') return `${of}/${name}`
  if (/@[a-z0-9.:-]+gserviceaccount\.com/i.test(stem))
    return `serviceAccounts/${/([^/\s]+@[a-z0-9.:-]+gserviceaccount\.com)/i.exec(name)?.[1] ?? name}`
  return unnamed
}

export function gcpDocuments(): Recogniser {
  const providers = new Map<string, JsonObject>()
  const pools = new Map<string, JsonObject>()
  const clusters = new Map<string, JsonObject>()
  const nodePools = new Map<string, JsonObject>()
  const accounts = new Map<string, JsonObject>()
  const policies = new Map<string, JsonObject>()
  const projects: JsonObject[] = []
  const roles = new Map<string, JsonObject>()
  const buckets = new Map<string, JsonObject>()
  const services: JsonObject[] = []
  const memberships: JsonObject[] = []
  const configurations: { readonly name: string; readonly configuration: JsonObject }[] = []
  let clustersComplete = false
  const clusterFiles = new Map<string, number>()

  const takeCluster = (value: JsonObject, file: string): boolean => {
    // Several in one file are a list as gcloud prints it, which is that of the whole project.
    const before = clusterFiles.get(file) ?? 0
    clusterFiles.set(file, before + 1)
    if (before > 0) clustersComplete = true
    clusters.set(textAt(value, 'selfLink') ?? '', pick(value, clusterMembers))
    return true
  }

  const take = (document: Document): boolean => {
    const { value, stem } = document
    if (!isObject(value) || value.apiVersion !== undefined) return false
    const configuration = pickConfiguration(value)
    if (configuration !== undefined) {
      configurations.push({ name: stem, configuration })
      return true
    }
    const link = textAt(value, 'selfLink') ?? ''
    if (nodePoolLink.test(link)) {
      nodePools.set(link, pick(value, ['name', 'selfLink', 'config', 'maxPodsConstraint', 'version']))
      return true
    }
    if (clusterLink.test(link)) return takeCluster(value, document.file)
    if (isList(value.clusters) && value.clusters.length > 0) {
      const all = value.clusters.filter(isObject)
      if (!all.every((one) => clusterLink.test(textAt(one, 'selfLink') ?? ''))) return false
      for (const one of all) takeCluster(one, document.file)
      clustersComplete = value.missingZones === undefined || listAt(value, 'missingZones').length === 0
      return true
    }
    const name = textAt(value, 'name')
    const provider = providerName.exec(name ?? '')?.[1]
    if (provider !== undefined) {
      providers.set(provider, { name: provider, ...pick(value, providerMembers) })
      return true
    }
    const pool = poolName.exec(name ?? '')?.[1]
    if (pool !== undefined) {
      pools.set(pool, { name: pool, ...pick(value, ['state', 'disabled', 'expireTime']) })
      return true
    }
    const isPolicy = isList(value.bindings) && (value.etag !== undefined || value.version !== undefined)
    // A policy without bindings is printed as its etag alone.
    const isEmpty =
      typeof value.etag === 'string' &&
      Object.keys(value).every((key) => ['etag', 'version', 'bindings', 'auditConfigs'].includes(key)) &&
      resourceOf(document) !== unnamed
    if (isPolicy || isEmpty) {
      policies.set(resourceOf(document), {
        bindings: [],
        ...pick(value, isPolicy ? ['bindings', 'etag', 'version'] : ['etag']),
      })
      return true
    }
    const email = textAt(value, 'email')
    if (email?.endsWith('gserviceaccount.com') === true && value.private_key === undefined) {
      accounts.set(email, pick(value, ['email', 'uniqueId', 'disabled', 'name', 'projectId']))
      return true
    }
    if (textAt(value, 'projectId') !== undefined && value.projectNumber !== undefined) {
      projects.push({ projectId: value.projectId ?? '', projectNumber: String(value.projectNumber) })
      return true
    }
    if (isList(value.includedPermissions) && name !== undefined) {
      roles.set(name, pick(value, ['name', 'includedPermissions']))
      return true
    }
    return takeOther(value, name)
  }

  const takeOther = (value: JsonObject, name: string | undefined): boolean => {
    const url = textAt(value, 'storage_url') ?? ''
    const link = textAt(value, 'selfLink') ?? ''
    if (value.kind === 'storage#bucket' || /^gs:\/\/[^/]+\/?$/.test(url) || /storage\/v1\/b\/[^/]+$/.test(link)) {
      const bucket = name ?? /^gs:\/\/([^/]+)/.exec(url)?.[1] ?? link.split('/').at(-1) ?? ''
      const flat = value.uniform_bucket_level_access
      const nested = at(value, 'iamConfiguration', 'uniformBucketLevelAccess', 'enabled')
      const enabled = typeof flat === 'boolean' ? flat : typeof nested === 'boolean' ? nested : undefined
      buckets.set(bucket, { name: bucket, ...(enabled === undefined ? {} : { uniformBucketLevelAccess: enabled }) })
      return true
    }
    const [, project, service] = /^projects\/([^/]+)\/services\/([a-z0-9.-]+\.googleapis\.com)$/.exec(name ?? '') ?? []
    if (project !== undefined && service !== undefined && textAt(value, 'state') !== undefined) {
      services.push({ name: service, project, state: value.state ?? '' })
      return true
    }
    const [, fleet, membership] = /^projects\/([^/]+)\/locations\/[^/]+\/memberships\/([^/]+)$/.exec(name ?? '') ?? []
    if (fleet !== undefined && membership !== undefined) {
      const pool = textAt(value, 'authority', 'workloadIdentityPool')
      memberships.push({ name: name ?? '', project: fleet, membership, ...(pool === undefined ? {} : { pool }) })
      return true
    }
    return false
  }

  /** A policy whose output names nobody is that of the one account, or the one thing, that is asked about. */
  const policyOf = (resource: string, question: Question): Fact<Json> | undefined => {
    const found = policies.get(resource) ?? (policies.size === 1 ? policies.get(unnamed) : undefined)
    return found === undefined ? undefined : told(found, question)
  }

  const one = (found: Json | undefined, question: Question): Fact<Json> | undefined =>
    found === undefined ? undefined : told(found, question)

  const cluster = (question: Question): Fact<Json> | undefined => {
    const [first] = clusters.values()
    if (textAt(question.input, 'part') !== 'nodePools')
      // Of several nobody says which one is examined.
      return clusters.size === 1 ? one(first, question) : undefined
    const inCluster = clusters.size === 1 ? listAt(first, 'nodePools') : []
    if (inCluster.length === 0 && nodePools.size === 0) return undefined
    const named = new Set([...nodePools.values()].map((pool) => textAt(pool, 'name')))
    const all = [...nodePools.values(), ...inCluster.filter((pool) => !named.has(textAt(pool, 'name')))]
    return told({ nodePools: all, complete: inCluster.length > 0 }, question)
  }

  const collected = (question: Question): Fact<Json> =>
    told(
      {
        policies: [...policies].map(([resource, policy]) => ({ resource, policy })),
        accounts: [...accounts.keys()],
        buckets: [...buckets.keys()],
        configurations,
        gke: clusters.size + nodePools.size > 0,
      },
      question,
    )

  const answer = (question: Question): Fact<Json> | undefined => {
    if (question.system !== 'gcp') return undefined
    const text = (name: string): string => textAt(question.input, name) ?? ''
    switch (question.call) {
      case 'container.clusters.get':
        return cluster(question)
      case 'container.clusters.list': {
        if (clusters.size === 0) return undefined
        const all = [...clusters.values()].map((value) => {
          const pool = textAt(value, 'workloadIdentityConfig', 'workloadPool')
          const location = textAt(value, 'location')
          return {
            name: textAt(value, 'name') ?? '',
            ...(location === undefined ? {} : { location }),
            ...(pool === undefined ? {} : { workloadPool: pool }),
          }
        })
        return told({ clusters: all, complete: clustersComplete }, question)
      }
      case 'iam.serviceAccounts.get':
        return one(accounts.get(text('email')), question)
      case 'iam.serviceAccounts.getIamPolicy':
        return policyOf(`serviceAccounts/${text('email')}`, question)
      case 'resourcemanager.projects.getIamPolicy':
        return one(policies.get(`projects/${text('project')}`), question)
      case 'storage.buckets.getIamPolicy':
        return one(policies.get(`buckets/${text('bucket')}`), question)
      case 'storage.buckets.get':
        return one(buckets.get(text('bucket')), question)
      case 'resourcemanager.projects.get':
        return one(
          projects.find(({ projectId, projectNumber }) => [projectId, projectNumber].includes(text('project'))),
          question,
        )
      case 'iam.roles.get':
        return one(roles.get(text('role')), question)
      case 'iam.workloadIdentityPools.get':
        return one(pools.get(text('name')), question)
      case 'iam.workloadIdentityPoolProviders.get':
        return one(providers.get(text('name')), question)
      // A list of providers is of one pool only, so nobody has said that there are no others.
      case 'iam.workloadIdentityPoolProviders.list':
        return providers.size > 0 ? told({ providers: [...providers.values()], complete: false }, question) : undefined
      case 'serviceusage.services.get':
        return services.length > 0 ? told({ services, complete: false }, question) : undefined
      case 'gkehub.memberships.get':
        return memberships.length === 1 ? one(memberships[0], question) : undefined
      case 'collected':
        return collected(question)
      default:
        return undefined
    }
  }
  return { take, answer }
}
