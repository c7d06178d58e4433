/** Whether the FUSE mount of a CloudTik workspace relies on a credential that its mounter can use. */
import { defineCheck } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { accounts } from '../../domain/cloudtik.ts'
import { workspace } from '../../probes/cloudtik/workspace.ts'

/** https://github.com/oap-project/cloudtik: cloud-storage-fuse.sh */
const mount = '/cloudtik/fs'
type Mount = { readonly path: string; readonly serviceAccount: string }

export const check = defineCheck({
  meta: {
    id: 'cloudtik/mounts-can-authenticate',
    title: 'Every FUSE mount relies on a credential that its mounter can use',
    severity: 'warning',
    scope: 'object',
    kinds: ['Workspace'],
    cloud: 'any',
    section: 'CloudTik',
    why: 'The mounters that CloudTik starts know the identity of a machine, and not that of a ServiceAccount; only gcsfuse does.',
    fix: {
      safety: 'manual',
      does: 'Read the storage through the connectors of Hadoop, or mount it with a tool that takes the web identity; access keys are never put into the workspace.',
    },
    links: [
      'https://github.com/oap-project/cloudtik',
      'https://github.com/s3fs-fuse/s3fs-fuse/issues/1778',
      'https://github.com/Azure/azure-storage-fuse/issues/1049',
    ],
  },
  only: { probe: workspace, otherwise: 'it is no CloudTik workspace' },
  needs: { workspace },
  wants: {},
  after: [],
  messages: {
    's3fs-without-web-identity': ({ path, serviceAccount }: Mount) =>
      `the mount of ${path} uses s3fs, which cannot use the role of ${serviceAccount}: it takes the node's role or fails`,
    'blobfuse-without-managed-identity': ({ path, serviceAccount }: Mount) =>
      `the mount of ${path} uses blobfuse2 with a managed identity, which ${serviceAccount} does not have under workload identity`,
  },
  remedies: {
    's3fs-without-web-identity': () =>
      advice(
        'Read the bucket through the S3A connector of Hadoop, which takes the web identity, or mount it with mountpoint-s3; access keys do not belong into the workspace.',
      ),
    'blobfuse-without-managed-identity': () =>
      advice(
        'Read the container through the ABFS connector of Hadoop, or mount it with blobfuse2 and the token file of the pod; account keys do not belong into the workspace.',
      ),
  },
  judge: ({ have: { workspace } }) => {
    if (workspace.state === 'absent') return { status: 'not-applicable', reason: 'it is no CloudTik workspace' }
    const { cloud, storage, keys, namespace } = workspace.value
    if (!storage) return { status: 'not-applicable', reason: 'the workspace mounts no storage of a cloud' }
    if (keys) return { status: 'not-applicable', reason: 'the mount has access keys of its own' }
    const evidence = [
      { question: workspace.from, path: 'provider.cloud_provider.type', observed: workspace.value.type },
    ]
    const data = { path: mount, serviceAccount: `${namespace}/${accounts.head}` }
    if (cloud === 'aws') return { status: 'fail', message: 's3fs-without-web-identity', data, evidence }
    if (cloud === 'azure') return { status: 'fail', message: 'blobfuse-without-managed-identity', data, evidence }
    return cloud === 'gcp'
      ? { status: 'pass', evidence }
      : { status: 'not-applicable', reason: 'the workspace is of no cloud that has identities' }
  },
})
