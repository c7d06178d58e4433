/** Whether the token file of a blob mount belongs to one ServiceAccount, and is renewed. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { tokenMounts } from '../../probes/storage/token-mounts.ts'

type Data = {
  readonly node: string
  readonly accounts: string
  readonly storageAccount: string
  readonly version: string
  readonly hours: string
}

export const check = defineCheck({
  meta: {
    id: 'storage/blob-token-stays-valid',
    title: 'The token file of a blob mount belongs to one ServiceAccount and is renewed',
    severity: 'warning',
    scope: 'node',
    cloud: 'azure',
    section: 'Storage',
    why: 'The driver keeps one token file for each client and storage account on a node: whoever mounts last is who all of them are.',
    fix: {
      safety: 'manual',
      does: 'Federate every ServiceAccount for the identity, give each an identity of its own, or upgrade the driver.',
    },
    links: [
      'https://github.com/kubernetes-sigs/blob-csi-driver/issues/1982',
      'https://github.com/kubernetes-sigs/blob-csi-driver/issues/1987',
      'https://github.com/kubernetes-sigs/blob-csi-driver/blob/0744a60/pkg/blob/blob.go',
    ],
  },
  only: { probe: tokenMounts, otherwise: 'no blob volume is mounted by token' },
  needs: { tokenMounts },
  wants: {},
  after: ['storage/csi-driver-receives-tokens', 'storage/blob-volume-needs-no-account-key'],
  messages: {
    'shared-by-accounts': ({ node, accounts, storageAccount }: Data) =>
      `on node ${node}, ${accounts} mount account ${storageAccount} with the same clientID and share one token file; the subject is whoever came last`,
    'not-renewed': ({ version, hours }: Data) =>
      `driver ${version} does not renew the token: access ends after ${hours} h; 1.27.0 does`,
  },
  remedies: {
    'shared-by-accounts': ({ accounts, node }) =>
      advice(
        `Give the identity a federated credential for each of ${accounts}, or give each of them an identity of its own and its volume that clientID.`,
        sh`kubectl get pods -A -o wide --field-selector spec.nodeName=${node}`,
      ),
    'not-renewed': () =>
      advice('Upgrade the driver to 1.27.0 or later.', 'kubectl get daemonset csi-blob-node -n kube-system -o yaml'),
  },
  judge: ({ have: { tokenMounts }, subject }) => {
    if (tokenMounts.state === 'absent')
      return { status: 'not-applicable', reason: 'no blob volume is mounted by token' }
    const { mounts, version, complete } = tokenMounts.value
    const here = mounts.filter(({ node }) => node === subject.name)
    if (here.length === 0)
      return { status: 'not-applicable', reason: 'no blob volume is mounted by token on this node' }
    const byFile = new Map<string, Set<string>>()
    for (const { client, storageAccount, account } of here) {
      const file = `${client}-${storageAccount}`
      byFile.set(file, (byFile.get(file) ?? new Set()).add(account))
    }
    const evidence: Evidence[] = [...byFile].map(([file, accounts]) => ({
      question: tokenMounts.from,
      path: `token file ${file}`,
      observed: [...accounts].sort().join(', '),
    }))
    const shared = [...byFile].find(([, accounts]) => accounts.size > 1)
    const data: Data = {
      ...{
        node: subject.name,
        accounts: [...(shared?.[1] ?? [])].sort().join(' and '),
        version: version ?? '',
        hours: '2 to 24',
      },
      storageAccount:
        here.find(({ client, storageAccount }) => `${client}-${storageAccount}` === shared?.[0])?.storageAccount ?? '',
    }
    if (shared !== undefined) return { status: 'fail', message: 'shared-by-accounts', data, evidence }
    if (version === '1.26.1') return { status: 'fail', message: 'not-renewed', data, evidence }
    if (version === undefined || !complete)
      return {
        status: 'undecided',
        lacks:
          version === undefined
            ? 'which version of the driver runs'
            : 'whether other pods of the node mount the same account',
        lift: version === undefined ? 'kubectl get daemonsets -n kube-system -o yaml' : 'kubectl get pods -A -o yaml',
        evidence,
      }
    return { status: 'pass', evidence }
  },
})
