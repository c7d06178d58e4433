/** Users of the lane's cluster other than its administrator, and what they may do. */
import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { parse, stringify } from 'yaml'
import type { Cluster } from './cluster.ts'
import type { Lane } from './lane.ts'

export type Rule = { readonly verb: string; readonly group: string; readonly resource: string }

const apiVersion = 'rbac.authorization.k8s.io/v1'
const apiGroup = 'rbac.authorization.k8s.io'

/** A user of this name with these rules by RBAC, in one namespace where it is given, else everywhere; resolves when they are in force. */
export async function userWith(
  { objects }: Cluster,
  name: string,
  rules: readonly Rule[],
  namespace?: string,
): Promise<string> {
  const all = rules.map(({ verb, group, resource }) => ({ verbs: [verb], apiGroups: [group], resources: [resource] }))
  // The last rule is a mark by which it is seen that the role is in force.
  const mark = { verbs: ['get'], apiGroups: ['example.com'], resources: [name] }
  // What Kubernetes gives to ServiceAccounts and no other user by itself; a Role cannot hold it.
  const discovery = { verbs: ['get'], nonResourceURLs: ['/.well-known/openid-configuration', '/openid/v1/jwks'] }
  const beside = namespace === undefined && rules.length > 0 ? [discovery] : []
  const metadata = namespace === undefined ? { name } : { name, namespace }
  const kind = namespace === undefined ? 'ClusterRole' : 'Role'
  await objects.create({ apiVersion, kind, metadata, rules: [...all, ...beside, mark] } as never)
  await objects.create({
    ...{ apiVersion, kind: `${kind}Binding`, metadata },
    roleRef: { apiGroup, kind, name },
    subjects: [{ apiGroup, kind: 'User', name }],
  } as never)
  const where = namespace === undefined ? {} : { namespace }
  const resourceAttributes = { verb: 'get', group: 'example.com', resource: name, ...where }
  const spec = { user: name, resourceAttributes }
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec }
  for (const end = Date.now() + 10_000; ; ) {
    const { status } = JSON.parse(JSON.stringify(await objects.create(review as never)))
    if (status.allowed === true) return name
    if (Date.now() > end) throw new Error(`the rules of ${name} are not in force after 10 s`)
    await new Promise((done) => setTimeout(done, 50))
  }
}

/** The lane's kubeconfig with another user in it, as an environment. */
export async function kubeconfigWith(
  { cluster, folder }: Pick<Lane, 'cluster' | 'folder'>,
  user: object,
): Promise<{ readonly KUBECONFIG: string }> {
  const config = parse(await readFile(cluster?.kubeconfig ?? '', 'utf8'))
  const place = path.join(folder, `${randomUUID()}.kubeconfig`)
  await writeFile(place, stringify({ ...config, users: [{ name: 'live', user }] }), { mode: 0o600 })
  return { KUBECONFIG: place }
}
