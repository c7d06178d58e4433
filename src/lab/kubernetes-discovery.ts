/** What the API server says about itself: groups, resources, version, and as much OpenAPI as kubectl asks for. */
import type { Json, JsonObject } from '../core/json.ts'
import { apiVersionOf, type Resource } from './kubernetes-resources.ts'

const kept = ['create', 'delete', 'get', 'list', 'patch', 'update']
const unique = <T>(items: readonly T[]): readonly T[] => [...new Set(items)]

const described = (resource: Resource): readonly JsonObject[] => {
  const { plural, kind, namespaced, shortNames, review } = resource
  const own = {
    name: plural,
    singularName: kind.toLowerCase(),
    namespaced,
    kind,
    verbs: review ? ['create'] : kept,
    ...(shortNames.length === 0 ? {} : { shortNames }),
  }
  if (plural !== 'serviceaccounts') return [own]
  const token = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' }
  return [own, { name: 'serviceaccounts/token', singularName: '', namespaced: true, ...token, verbs: ['create'] }]
}

const resourceList = (groupVersion: string, resources: readonly Resource[]): JsonObject => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources: resources.filter((one) => apiVersionOf(one) === groupVersion).flatMap(described),
})

function groupOf(name: string, resources: readonly Resource[]): JsonObject {
  const versions = unique(resources.filter(({ group }) => group === name).map(({ version }) => version)).map(
    (version) => ({
      groupVersion: `${name}/${version}`,
      version,
    }),
  )
  return { name, versions, preferredVersion: versions[0] ?? {} }
}

/** The documents by path; undefined for a path that is none of them. */
export function discoveryAt(
  path: string,
  resources: readonly Resource[],
  version: string,
  port: number,
): Json | undefined {
  const groups = unique(resources.map(({ group }) => group)).filter((group) => group !== '')
  const [, root, ...rest] = path.replace(/\/$/, '').split('/')
  const below = rest.join('/')
  if (root === 'version' && below === '') return versionInfo(version)
  if (root === 'api' && below === '')
    return {
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: `127.0.0.1:${port}` }],
    }
  if (root === 'apis' && below === '')
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map((group) => groupOf(group, resources)) }
  if (root === 'apis' && groups.includes(below))
    return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(below, resources) }
  if (root === 'api' || root === 'apis') {
    const known = resources.some((one) => apiVersionOf(one) === below && (one.group === '') === (root === 'api'))
    return known ? resourceList(below, resources) : undefined
  }
  if (root === 'openapi' && below === 'v3')
    return {
      paths: Object.fromEntries(
        unique(resources.map(pathOf)).map((one) => [one, { serverRelativeURL: `/openapi/v3/${one}` }]),
      ),
    }
  if (root === 'openapi' && below.startsWith('v3/')) return openApi(below.slice('v3/'.length), resources)
  return undefined
}

const pathOf = (resource: Resource): string => `${resource.group === '' ? 'api' : 'apis'}/${apiVersionOf(resource)}`

/**
 * kubectl looks here for one thing before it sends an object: whether PATCH takes `fieldValidation`, so that the server
 * validates and kubectl need not. https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/2885-server-side-unknown-field-validation
 */
function openApi(groupVersion: string, resources: readonly Resource[]): Json | undefined {
  const served = resources.filter((one) => pathOf(one) === groupVersion && !one.review)
  if (served.length === 0 && !resources.some((one) => pathOf(one) === groupVersion)) return undefined
  const parameter = (name: string) => ({ name, in: 'query', schema: { type: 'string' } })
  const parameters = ['fieldValidation', 'fieldManager', 'dryRun'].map(parameter)
  const paths = served.map(({ group, version, kind, plural, namespaced }) => [
    `/${groupVersion}/${namespaced ? 'namespaces/{namespace}/' : ''}${plural}/{name}`,
    {
      patch: {
        parameters,
        responses: { 200: { description: 'OK' } },
        'x-kubernetes-action': 'patch',
        'x-kubernetes-group-version-kind': { group, version, kind },
      },
    },
  ])
  return { openapi: '3.0.0', info: { title: 'kubectl wi lab', version: 'v1' }, paths: Object.fromEntries(paths) }
}

function versionInfo(gitVersion: string): JsonObject {
  const [, major = '1', minor = '32'] = /^v?(\d+)\.(\d+)/.exec(gitVersion) ?? []
  return {
    major,
    minor,
    gitVersion,
    gitCommit: '0000000000000000000000000000000000000000',
    gitTreeState: 'clean',
    buildDate: '2025-01-01T00:00:00Z',
    goVersion: 'go1.24.0',
    compiler: 'gc',
    platform: 'linux/amd64',
  }
}
