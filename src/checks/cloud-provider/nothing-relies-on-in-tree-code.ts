/** Whether a plan, a flag or a StorageClass still names a provider that has left Kubernetes. */
import { defineCheck } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { inTreeProvisioners, providerOf } from '../../knowledge/cloud-providers.ts'
import { declared } from '../../probes/cloud-provider/plan.ts'
import { declarationConcerns, provisioner } from '../../probes/cloud-provider/provisioner.ts'

export const check = defineCheck({
  meta: {
    id: 'cloud-provider/nothing-relies-on-in-tree-code',
    title: 'Everything is declared through providers and drivers that Kubernetes still has',
    severity: 'warning',
    scope: 'object',
    kinds: ['Cluster', 'StorageClass'],
    cloud: 'any',
    section: 'Cloud provider',
    why: 'What leans on code that has left Kubernetes stops at the next upgrade, or works only by a redirection.',
    fix: {
      safety: 'manual',
      does: 'Name the successor and what identity it needs, move step by step, and print a StorageClass under a new name without applying it.',
    },
    links: [
      'https://kep.k8s.io/2395',
      'https://github.com/jlmeeker/kismatic/blob/57f9005a1f1a/docs/design-decisions/cloud-provider.md',
    ],
  },
  only: { probe: declarationConcerns, otherwise: 'nothing names a cloud provider' },
  needs: {},
  wants: { declared, provisioner },
  after: [],
  messages: {
    'no-successor': ({ provider }: { provider: string }) =>
      `provider ${provider} was removed from Kubernetes and has no supported successor`,
    'in-tree-provider': ({ provider, version, successor }: { provider: string; version: string; successor: string }) =>
      `provider ${provider} was removed in Kubernetes ${version}; its successor is ${successor}, run as external`,
    'in-tree-provisioner': ({
      name,
      provisioner,
      driver,
      version,
    }: {
      name: string
      provisioner: string
      driver: string
      version: string
    }) => `StorageClass ${name} names ${provisioner}, a name that only redirects to ${driver} since ${version}`,
    'test-provider': ({ provider }: { provider: string }) => `provider ${provider} is for tests and does nothing`,
  },
  remedies: {
    'no-successor': ({ provider }) =>
      advice(`Take provider ${provider} out, and let the installer of the machines and a CSI driver do what it did.`),
    'in-tree-provider': ({ successor }) =>
      advice(
        `Install ${successor} with an identity of its own, then set --cloud-provider=external on the kubelets, one node at a time.`,
      ),
    'in-tree-provisioner': ({ name, driver }) =>
      advice(
        `Make a StorageClass of another name with provisioner ${driver} for new volumes, and keep this one for as long as claims name it.`,
        sh`kubectl get storageclass/${name} -o yaml`,
      ),
    'test-provider': () => advice('Name the provider of the cloud, or none.'),
  },
  judge: ({ want, subject }) => {
    if (subject.kind === 'StorageClass') {
      const { provisioner } = want
      if (provisioner.state !== 'known')
        return provisioner.state === 'unknown'
          ? { status: 'undecided', lacks: provisioner.detail }
          : { status: 'not-applicable', reason: 'there is no such StorageClass' }
      const name = provisioner.value
      const evidence = [{ question: provisioner.from, path: 'provisioner', observed: name }]
      const known = Object.hasOwn(inTreeProvisioners, name) ? inTreeProvisioners[name] : undefined
      if (known === undefined) return { status: 'pass', evidence }
      const data = { name: subject.name, provisioner: name, driver: known.driver, version: known.since }
      return { status: 'fail', message: 'in-tree-provisioner', data, evidence }
    }
    if (want.declared.state !== 'known') return { status: 'not-applicable', reason: 'nothing names a cloud provider' }
    const { provider, where, from } = want.declared.value
    const known = providerOf(provider)
    const evidence = [{ question: from, path: `${where}: cloud provider`, observed: provider }]
    if (provider === 'fake') return { status: 'fail', message: 'test-provider', data: { provider }, evidence }
    if (known === undefined)
      return provider === 'external'
        ? { status: 'pass', evidence }
        : { status: 'not-applicable', reason: 'Kubernetes never had the provider that is named' }
    if (known.removed !== undefined && known.successor !== undefined) {
      const data = { provider, version: `1.${known.removed}`, successor: known.successor }
      return { status: 'fail', message: 'in-tree-provider', data, evidence }
    }
    // The one of CloudStack lives on out of tree; since which version is not certain.
    if (provider === 'cloudstack')
      return { status: 'not-applicable', reason: 'the provider of CloudStack lives on out of tree' }
    return { status: 'fail', message: 'no-successor', data: { provider }, evidence }
  },
})
