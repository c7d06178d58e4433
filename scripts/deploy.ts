/** What the doctor in the cluster (deploy/) may read, derived from the questions of its checks; Secrets apart. */
import { stringify } from 'yaml'
import { checks } from '../src/checks/index.ts'
import { manifestOf } from '../src/examine/manifest.ts'
import { clusterRoleBinding, clusterRoleOf, type Rule, roleName } from '../src/examine/roles.ts'

const subjects = [{ kind: 'ServiceAccount', name: 'doctor', namespace: 'kubectl-wi' }]

const readsSecrets = ({ resources = [] }: Rule): boolean => resources.includes('secrets')

function granted(name: string, rules: readonly Rule[], about: string): string {
  const role = { apiVersion: clusterRoleBinding.apiVersion, kind: 'ClusterRole', metadata: { name }, rules }
  const binding = {
    ...clusterRoleBinding,
    metadata: { name },
    roleRef: { ...clusterRoleBinding.roleRef, name },
    subjects,
  }
  const texts = [role, binding].map((one) => stringify(one, { lineWidth: 0, aliasDuplicateObjects: false }))
  return `# ${about}\n# Written by npm run generate from what the checks ask, with --all-namespaces and --no-exchange.\n${texts.join('---\n')}`
}

/** The generated files below deploy/, by path. */
export async function deployFiles(): Promise<ReadonlyMap<string, string>> {
  const run = { checks, targets: [], allNamespaces: true, exchange: false, clouds: true }
  const rules = clusterRoleOf(await manifestOf(run))?.rules ?? []
  return new Map([
    [
      'deploy/doctor.yaml',
      granted(
        roleName,
        rules.filter((rule) => !readsSecrets(rule)),
        'What it may read: everything that the doctor may have to see but Secrets.',
      ),
    ],
    [
      'deploy/secrets/role.yaml',
      granted(`${roleName}-secrets`, rules.filter(readsSecrets), 'Secrets, of which it keeps names and no values.'),
    ],
  ])
}
