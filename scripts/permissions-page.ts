/** The page docs/permissions.md: everything that the doctor may have to see, and what for. */
import { checks } from '../src/checks/index.ts'
import { manifestOf, type Needed } from '../src/examine/manifest.ts'
import { permissions } from '../src/examine/permissions.ts'

const code = (text: string): string => `\`${text}\``
const most = 4

const wordsOf = ({ permission }: Needed): string =>
  permission.kind === 'iam' || permission.kind === 'azure'
    ? code(permission.action)
    : permission.kind === 'rbac-path'
      ? code(`${permission.verb} ${permission.path}`)
      : code(`${permission.verb} ${permission.resource}${permission.group === '' ? '' : `.${permission.group}`}`)

const linked = (ids: readonly string[]): string =>
  ids.length === 0
    ? 'every run'
    : ids.length > most
      ? `${ids.length} checks`
      : ids.map((id) => `[${code(id)}](checks/${id}.md)`).join(', ')

const table = (needed: readonly Needed[]): readonly string[] => [
  '| permission | shows | asked for by |',
  '| --- | --- | --- |',
  ...needed.map((one) => `| ${wordsOf(one)} | ${one.shows.join('; ')} | ${linked(one.checks)} |`),
  '',
]

export async function permissionsPage(): Promise<string> {
  const all = { checks, targets: [], allNamespaces: false, exchange: true, clouds: true }
  const needed = await manifestOf(all)
  const of = (...kinds: readonly string[]) => needed.filter(({ permission }) => kinds.includes(permission.kind))
  const text = await permissions([], {
    ...{ overlay: false, exchange: true, 'all-namespaces': false, 'cloud-credentials': 'default', output: 'table' },
  })
  return [
    '# Permissions',
    '',
    'What the doctor may have to see with all of its checks, derived from the questions that their probes ask. It changes nothing.',
    'A smaller selection needs less: `kubectl wi doctor --show-permissions` with the same targets and flags (`--check`, `--cloud`,',
    '`-A`, `--no-exchange`, `--cloud-credentials none`) says what that one needs. What may not be seen is reported as not seen, with the',
    'permission that would show it; it is never taken for a fault.',
    '',
    '## Kubernetes',
    '',
    ...table(of('rbac', 'rbac-path')),
    'With `-A`, lists of serviceaccounts, pods, namespaces, nodes and workloads stand for single objects.',
    '',
    '## AWS',
    '',
    'In the account of the cluster, and in those of the roles that ServiceAccounts name.',
    '',
    ...table(of('iam')),
    '## Ready to apply',
    '',
    '```yaml',
    text.trimEnd(),
    '```',
    '',
  ].join('\n')
}
