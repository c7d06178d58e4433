/** A Kubernetes API on loopback with a big cluster behind it, run as its own process so that its work is not measured. */
import { createServer } from 'node:https'
import { gzipSync } from 'node:zlib'
import { makeAuthority } from '../src/lab/certificates.ts'
import { cluster, type Size } from './cluster.ts'
import { issuerUrl } from './marks.ts'

const [serviceAccounts = 5000, pods = 10_000] = process.argv.slice(2).map(Number)
const size: Size = { serviceAccounts, pods }
const lists = cluster(size)

const kinds: Readonly<Record<string, string>> = {
  '/api/v1/serviceaccounts': 'ServiceAccount',
  '/api/v1/pods': 'Pod',
  '/api/v1/nodes': 'Node',
  '/api/v1/namespaces': 'Namespace',
}

const resource = (name: string, kind: string, namespaced: boolean, shortNames: readonly string[]): object => ({
  name,
  singularName: kind.toLowerCase(),
  namespaced,
  kind,
  verbs: ['get', 'list', 'watch'],
  shortNames,
})

const version = { major: '1', minor: '33', gitVersion: 'v1.33.1-eks-0', platform: 'linux/amd64' }

const documents: Readonly<Record<string, object>> = {
  '/version': version,
  '/api': { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] },
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
  '/api/v1': {
    kind: 'APIResourceList',
    groupVersion: 'v1',
    resources: [
      resource('serviceaccounts', 'ServiceAccount', true, ['sa']),
      resource('pods', 'Pod', true, ['po']),
      resource('nodes', 'Node', false, ['no']),
      resource('namespaces', 'Namespace', false, ['ns']),
    ],
  },
  '/.well-known/openid-configuration': {
    issuer: issuerUrl,
    jwks_uri: `${issuerUrl}/keys`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  },
  '/openid/v1/jwks': { keys: [] },
}

const pageOf = (path: string, items: readonly string[], query: URLSearchParams): string => {
  const limit = Number(query.get('limit') ?? 0)
  const from = Number(query.get('continue') ?? 0)
  const page = limit > 0 ? items.slice(from, from + limit) : items
  const rest = items.length - from - page.length
  const more = rest > 0 ? `,"continue":"${from + page.length}","remainingItemCount":${rest}` : ''
  return `{"kind":"${kinds[path]}List","apiVersion":"v1","metadata":{"resourceVersion":"200000"${more}},"items":[${page.join(',')}]}`
}

const status = (code: number, reason: string, message: string): string =>
  JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code })

// The same question always has the same answer, so that the second run measures the client and not this process.
const answers = new Map<string, Buffer>()

const answer = (method: string, url: string): { readonly code: number; readonly body: string } => {
  const { pathname, searchParams } = new URL(url, 'https://localhost')
  const items = lists.get(pathname)
  if (method !== 'GET') return { code: 403, body: status(403, 'Forbidden', 'the benchmark only reads') }
  if (items !== undefined) return { code: 200, body: pageOf(pathname, items, searchParams) }
  const document = documents[pathname]
  if (document !== undefined) return { code: 200, body: JSON.stringify(document) }
  return { code: 404, body: status(404, 'NotFound', 'the server could not find the requested resource') }
}

const authority = await makeAuthority()
const { cert, key } = await authority.leaf(['127.0.0.1'])
const codes = new Map<string, number>()
const requests: string[] = []

const server = createServer({ cert, key }, (request, response) => {
  const url = request.url ?? '/'
  if (url === '/requests') {
    response.end(JSON.stringify(requests.splice(0)))
    return
  }
  requests.push(`${request.method} ${url}`)
  const compressed = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
  const name = `${request.method} ${compressed} ${url}`
  let body = answers.get(name)
  if (body === undefined) {
    const made = answer(request.method ?? 'GET', url)
    body = compressed ? gzipSync(made.body, { level: 1 }) : Buffer.from(made.body)
    answers.set(name, body)
    codes.set(name, made.code)
  }
  request.resume()
  response.writeHead(codes.get(name) ?? 200, {
    'content-type': 'application/json',
    'content-length': body.length,
    ...(compressed ? { 'content-encoding': 'gzip' } : {}),
  })
  response.end(body)
})

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const bytes = [...lists.values()].flat().reduce((sum, item) => sum + item.length, 0)
  console.log(JSON.stringify({ server: `https://127.0.0.1:${address.port}`, ca: authority.root, bytes }))
})
