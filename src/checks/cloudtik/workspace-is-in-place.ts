/** Whether the two ServiceAccounts of a CloudTik workspace are bound to the identities that CloudTik derives, and its storage is there. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { azureClientAnnotation, roleAnnotation } from '../../domain/audiences.ts'
import {
  accounts,
  bucketPrefix,
  googleAccount,
  identityName,
  isOwnBucket,
  type Part,
  roleName,
} from '../../domain/cloudtik.ts'
import { sh } from '../../domain/shell-words.ts'
import { bucketsOf, clientIds, unlabelled } from '../../probes/cloudtik/storage.ts'
import { accountsOf, namespaceOf, workspace } from '../../probes/cloudtik/workspace.ts'

const googleAnnotation = 'iam.gke.io/gcp-service-account'
const update = 'have its owner run cloudtik workspace update'
type Account = { readonly namespace: string; readonly name: string }
const show = ({ namespace, name }: Account): string =>
  sh`kubectl get ${`serviceaccount/${name}`} -n ${namespace} -o yaml`

export const check = defineCheck({
  meta: {
    id: 'cloudtik/workspace-is-in-place',
    title: "The workspace's two ServiceAccounts are bound to the identities CloudTik derives, and its storage exists",
    severity: 'error',
    scope: 'object',
    kinds: ['Workspace'],
    cloud: 'any',
    section: 'CloudTik',
    why: 'CloudTik finds everything by names that it derives; what has another name is not there for it.',
    fix: {
      safety: 'review',
      does: 'Annotate the one ServiceAccount with the derived name after the identity was seen to exist; storage and identities are made by cloudtik workspace create.',
    },
    links: ['https://github.com/oap-project/cloudtik'],
  },
  only: { probe: workspace, otherwise: 'it is no CloudTik workspace' },
  needs: { workspace },
  wants: { accountsOf, namespaceOf, clientIds, unlabelled, bucketsOf },
  after: ['cloudtik/workspace-can-be-created'],
  messages: {
    'service-account-missing': ({ namespace, name }: Account) => `ServiceAccount ${namespace}/${name} does not exist`,
    'annotation-missing': ({ namespace, name, annotation }: Account & { annotation: string }) =>
      `ServiceAccount ${namespace}/${name} carries no ${annotation}`,
    'annotation-differs': ({
      namespace,
      name,
      actual,
      expected,
    }: Account & { annotation: string; actual: string; expected: string }) =>
      `ServiceAccount ${namespace}/${name} is bound to ${actual}; CloudTik derives ${expected}`,
    'pod-label-missing': ({ namespace, name }: Account) =>
      `pods of ${namespace}/${name} carry no label azure.workload.identity/use: "true"`,
    'storage-missing': ({ workspace, storage }: { workspace: string; storage: string }) =>
      `workspace ${workspace} has managed storage, and ${storage} does not exist`,
    'storage-ambiguous': ({ workspace, count, names }: { workspace: string; count: number; names: string }) =>
      `${count} buckets match cloudtik-${workspace} (${names}); CloudTik takes the first that contains its prefix`,
  },
  remedies: {
    'service-account-missing': (data) =>
      advice(`Create the workspace anew or ${update}: it makes the ServiceAccount.`, show(data)),
    'annotation-missing': (data) =>
      advice(`Look whether the identity exists, then ${update}, which writes ${data.annotation}.`, show(data)),
    'annotation-differs': (data) =>
      advice(
        `Look whether ${data.expected} exists, then ${update}, or write it into ${data.annotation} of the ServiceAccount.`,
        show(data),
      ),
    'pod-label-missing': ({ namespace }) =>
      advice(
        'Add the label azure.workload.identity/use with the value "true" to the pods in the configuration of the cluster, and start that again.',
        sh`kubectl get pods -n ${namespace} --show-labels`,
      ),
    'storage-missing': () =>
      advice(`Create the storage: ${update} with managed_cloud_storage: True.`, 'aws s3api list-buckets --output json'),
    'storage-ambiguous': ({ workspace }) =>
      advice(
        `Move what is to be kept of workspace ${workspace} into one bucket, and give the other workspace a name that does not begin with this one.`,
        'aws s3api list-buckets --output json',
      ),
  },
  judge: ({ have, want: { accountsOf, namespaceOf, clientIds, unlabelled, bucketsOf } }) => {
    if (have.workspace.state === 'absent') return { status: 'not-applicable', reason: 'it is no CloudTik workspace' }
    const { name: workspace, namespace, cloud, values } = have.workspace.value
    if (cloud === undefined)
      return { status: 'not-applicable', reason: 'the workspace is of no cloud that has identities' }
    const annotation = { aws: roleAnnotation, gcp: googleAnnotation, azure: azureClientAnnotation }[cloud]
    const expectedOf = (part: Part): string | undefined => {
      if (cloud === 'aws') return `role/${roleName(namespace)}`
      if (cloud === 'gcp') return `${googleAccount(workspace, part)}@${values.project_id ?? ''}.iam.gserviceaccount.com`
      const id = clientIds.state === 'known' ? clientIds.value.get(identityName(workspace, part)) : undefined
      return id === undefined ? undefined : `${id} of ${identityName(workspace, part)}`
    }
    if (accountsOf.state !== 'known')
      return { status: 'undecided', lacks: 'the ServiceAccounts of the workspace were not seen' }
    if (namespaceOf.state === 'absent')
      return { status: 'not-applicable', reason: `namespace ${namespace} was not made yet` }
    const evidence: Evidence[] = []
    let open: string | undefined
    for (const { part, account } of accountsOf.value) {
      const data = { namespace, name: accounts[part] }
      if (account.state === 'unknown') {
        open ??= `ServiceAccount ${namespace}/${accounts[part]} was not seen`
        continue
      }
      if (account.state === 'absent') {
        const other = accountsOf.value.some((one) => one.account.state === 'known')
        // Without the namespace nobody can tell a workspace that was never made from one that lacks something.
        if (namespaceOf.state !== 'known' && !other)
          return { status: 'undecided', lacks: `namespace ${namespace} was not seen` }
        return {
          status: 'fail',
          message: 'service-account-missing',
          data,
          evidence: [{ question: account.from, path: 'metadata.name', observed: null, expected: accounts[part] }],
        }
      }
      const actual = account.value.annotations[annotation]
      const expected = expectedOf(part)
      const seen = { question: account.from, path: `metadata.annotations["${annotation}"]`, observed: actual ?? null }
      evidence.push(seen)
      if (actual === undefined || actual === '')
        return { status: 'fail', message: 'annotation-missing', data: { ...data, annotation }, evidence: [seen] }
      const fits =
        expected === undefined
          ? undefined
          : cloud === 'aws'
            ? actual.endsWith(`:${expected}`)
            : cloud === 'gcp'
              ? actual === expected
              : expected.startsWith(`${actual} `)
      if (fits === false && expected !== undefined)
        return {
          status: 'fail',
          message: 'annotation-differs',
          data: { ...data, annotation, actual, expected },
          evidence: [{ ...seen, expected }],
        }
      if (fits === undefined) open ??= 'the client ids of the identities were not seen'
    }
    if (unlabelled.state === 'known' && unlabelled.value.length > 0)
      return {
        status: 'fail',
        message: 'pod-label-missing',
        data: { namespace, name: unlabelled.value[0] ?? '' },
        evidence: [{ question: unlabelled.from, path: 'items[].metadata.labels', observed: [...unlabelled.value] }],
      }
    if (bucketsOf.state === 'known') {
      const { items, complete } = bucketsOf.value
      const region = values.region ?? ''
      const question = bucketsOf.from
      if (complete && !items.some((one) => isOwnBucket(one, workspace, region)) && items.length === 0)
        return {
          status: 'fail',
          message: 'storage-missing',
          data: { workspace, storage: `bucket ${bucketPrefix(workspace)}-${region}-…` },
          evidence: [{ question, path: 'Buckets[].Name', observed: [] }],
        }
      if (items.length > 1)
        return {
          status: 'fail',
          message: 'storage-ambiguous',
          data: { workspace, count: items.length, names: items.join(', ') },
          evidence: [{ question, path: 'Buckets[].Name', observed: [...items] }],
        }
      if (items.length === 0) open ??= 'the bucket of the workspace was not seen'
    }
    return open === undefined ? { status: 'pass', evidence } : { status: 'undecided', lacks: open, evidence }
  },
})
