/** Whether a CloudTik workspace names a cluster that offers workload identity, and names that fit. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import {
  clusterKey,
  googleAccount,
  isPlaceholder,
  longestAccount,
  partitionOf,
  placeKey,
  required,
  samePlace,
} from '../../domain/cloudtik.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { clustersListed } from '../../probes/cloudtik/listed.ts'
import { clusterOf, namespaceOf, said, workspace } from '../../probes/cloudtik/workspace.ts'

type Cluster = { readonly cluster: string }
const rewrite = (key: string, value: string): string =>
  advice(`Write ${key}: ${value} into cloud_provider of the workspace, and look at it again with -f.`)

export const check = defineCheck({
  meta: {
    id: 'cloudtik/workspace-can-be-created',
    title: 'The workspace names a cluster that offers workload identity, and names that fit',
    severity: 'error',
    scope: 'object',
    kinds: ['Workspace'],
    cloud: 'any',
    section: 'CloudTik',
    why: 'CloudTik checks little of this itself and stops halfway, with some of its objects made.',
    fix: {
      safety: 'review',
      does: 'Rewrite the region or location in the document, or turn the feature on in the cluster; node pools are recreated by that, and a workspace is renamed only by its owner.',
    },
    links: ['https://github.com/oap-project/cloudtik'],
  },
  only: { probe: workspace, otherwise: 'it is no CloudTik workspace' },
  needs: { workspace },
  wants: { clusterOf, clustersListed, namespaceOf, said },
  after: ['azure/cluster-oidc-issuer-enabled', 'gcp/workload-pool-exists'],
  messages: {
    'unknown-provider': ({ value }: { value: string }) => `cloud_provider.type ${value} is none of aws, gcp, azure`,
    'key-missing': ({ type, keys }: { type: string; keys: string }) => `cloud_provider of type ${type} lacks ${keys}`,
    'placeholder-left': ({ key, value }: { key: string; value: string }) =>
      `${key} still holds the documentation's placeholder ${value}`,
    'name-too-long': ({ workspace, name, length }: { workspace: string; name: string; length: number }) =>
      `workspace ${workspace} makes the Google service account ${name} (${length} characters); 30 are allowed, so the workspace may have 10`,
    'partition-not-supported': ({ region, partition }: { region: string; partition: string }) =>
      `region ${region} is in partition ${partition}; CloudTik writes ARNs of partition aws`,
    'region-differs': ({ key, written, cluster, actual }: Cluster & { key: string; written: string; actual: string }) =>
      `the workspace says ${key} ${written}; cluster ${cluster} is in ${actual}`,
    'cluster-missing': ({ cluster, where }: Cluster & { where: string }) =>
      `cluster ${cluster} does not exist in ${where}`,
    'pool-differs': ({ cluster, actual, expected }: Cluster & { actual: string; expected: string }) =>
      `GKE cluster ${cluster} has workload pool ${actual}; CloudTik grants to members of ${expected}`,
    'metadata-server-off': ({ pool, cluster, mode }: Cluster & { pool: string; mode: string; place: string }) =>
      `node pool ${pool} of ${cluster} has workload metadata ${mode}; GKE_METADATA is needed`,
    'workload-identity-off': ({ cluster }: Cluster & { group: string }) =>
      `AKS cluster ${cluster} has workload identity off`,
    'pod-security-denies': ({ namespace, level }: { namespace: string; level: string }) =>
      `namespace ${namespace} enforces ${level}; CloudTik pods are privileged, add SYS_ADMIN and mount hostPath /dev/fuse`,
    autopilot: ({ cluster }: Cluster) =>
      `GKE Autopilot cluster ${cluster} admits no privileged pods, and CloudTik's are`,
  },
  remedies: {
    'unknown-provider': () => advice('Write aws, gcp or azure into cloud_provider.type of the workspace.'),
    'key-missing': ({ keys }) => advice(`Add ${keys} to cloud_provider of the workspace.`),
    'placeholder-left': ({ key }) => advice(`Write the value of your own account into ${key} of the workspace.`),
    'name-too-long': () =>
      advice(
        'Give the workspace a name of at most 10 characters, before it is created: the name cannot be changed after that.',
      ),
    'partition-not-supported': () =>
      advice(
        'Create the workspace in a region of the partition aws; CloudTik cannot name roles and policies of another one.',
      ),
    'region-differs': ({ key, actual }) => rewrite(key, actual),
    'cluster-missing': ({ cluster, where }) =>
      advice(
        `Create cluster ${cluster} in ${where} first, or name one that exists; the command shows which cluster kubectl talks to.`,
        'kubectl config current-context',
      ),
    'pool-differs': ({ expected }) =>
      advice(
        `Name the project of the cluster as project_id in the workspace, so that its pool is ${expected}, or choose a cluster of that project.`,
      ),
    'metadata-server-off': ({ pool, cluster, place }) =>
      advice(
        'Have the owner of the cluster switch the node pool to the metadata server of GKE; that makes its nodes anew.',
        sh`gcloud container node-pools update ${pool} --cluster=${cluster} --location=${place} --workload-metadata=GKE_METADATA`,
      ),
    'workload-identity-off': ({ cluster, group }) =>
      advice(
        'Have the owner of the cluster switch workload identity on; that restarts the API server.',
        sh`az aks update -g ${group} -n ${cluster} --enable-oidc-issuer --enable-workload-identity`,
      ),
    'pod-security-denies': ({ namespace }) =>
      advice(
        'Have whoever answers for the cluster decide whether privileged pods may run in this namespace; if so, the command lets them.',
        sh`kubectl label namespace/${namespace} pod-security.kubernetes.io/enforce=privileged --overwrite`,
      ),
    autopilot: () => advice('Choose a GKE Standard cluster for the workspace.'),
  },
  judge: ({ have, want: { clusterOf, clustersListed, namespaceOf, said } }) => {
    if (have.workspace.state === 'absent') return { status: 'not-applicable', reason: 'it is no CloudTik workspace' }
    const { value, from } = have.workspace
    const { name, namespace, type, cloud, values } = value
    const own = (path: string, observed: string | null, expected?: string): Evidence => ({
      question: from,
      path: `provider.cloud_provider.${path}`,
      observed,
      ...(expected === undefined ? {} : { expected }),
    })
    if (cloud === undefined)
      return {
        status: 'fail',
        message: 'unknown-provider',
        data: { value: type || '(none)' },
        evidence: [own('type', type)],
      }
    const missing = required[cloud].filter((key) => (values[key] ?? '') === '')
    if (missing.length > 0)
      return {
        status: 'fail',
        message: 'key-missing',
        data: { type, keys: missing.join(', ') },
        evidence: [own(missing[0] ?? '', null)],
      }
    const left = Object.entries(values).find(([, text]) => isPlaceholder(text))
    if (left !== undefined)
      return {
        status: 'fail',
        message: 'placeholder-left',
        data: { key: left[0], value: left[1] },
        evidence: [own(...left)],
      }
    const account = googleAccount(name, 'worker')
    if (cloud === 'gcp' && account.length > longestAccount)
      return {
        status: 'fail',
        message: 'name-too-long',
        data: { workspace: name, name: account, length: account.length },
        evidence: [{ question: from, path: 'metadata.name', observed: name }],
      }
    const key = placeKey[cloud]
    const written = values[key] ?? ''
    if (cloud === 'aws' && partitionOf(written) !== 'aws')
      return {
        status: 'fail',
        message: 'partition-not-supported',
        data: { region: written, partition: partitionOf(written) },
        evidence: [own(key, written)],
      }
    const cluster = values[clusterKey[cloud]] ?? 'of the project'
    if (clusterOf.state === 'known' && !samePlace(cloud, written, clusterOf.value.place))
      return {
        status: 'fail',
        message: 'region-differs',
        data: { key, written, cluster: clusterOf.value.name, actual: clusterOf.value.place },
        evidence: [
          own(key, written),
          { question: clusterOf.from, path: 'location', observed: clusterOf.value.place, expected: written },
        ],
      }
    const gone = said.state === 'known' ? said.value.find(({ text }) => text.includes(cluster)) : undefined
    const listed = clustersListed.state === 'known' && !clustersListed.value
    if (clusterOf.state !== 'known' && (gone !== undefined || listed))
      return {
        status: 'fail',
        message: 'cluster-missing',
        data: { cluster, where: written },
        evidence: [
          own(clusterKey[cloud], cluster),
          gone === undefined
            ? { question: clustersListed.from, path: 'clusters', observed: null, expected: cluster }
            : ofError(gone),
        ],
      }
    if (clusterOf.state === 'known') {
      const { pool, nodePools, autopilot, workloadIdentity, name: found } = clusterOf.value
      const expected = `${values.project_id ?? ''}.svc.id.goog`
      const at = (path: string, observed: string | boolean | null): Evidence => ({
        question: clusterOf.from,
        path,
        observed,
      })
      if (cloud === 'gcp' && pool !== undefined && pool !== expected)
        return {
          status: 'fail',
          message: 'pool-differs',
          data: { cluster: found, actual: pool, expected },
          evidence: [at('workloadIdentityConfig.workloadPool', pool)],
        }
      // Without a pool the mode says nothing yet.
      const off =
        autopilot === true || pool === undefined ? undefined : nodePools.find(({ mode }) => mode !== 'GKE_METADATA')
      if (cloud === 'gcp' && off !== undefined)
        return {
          status: 'fail',
          message: 'metadata-server-off',
          data: { pool: off.name, cluster: found, mode: off.mode ?? 'not set', place: clusterOf.value.place },
          evidence: [at('nodePools[].config.workloadMetadataConfig.mode', off.mode ?? null)],
        }
      if (cloud === 'azure' && workloadIdentity === false)
        return {
          status: 'fail',
          message: 'workload-identity-off',
          data: { cluster: found, group: values.aks_resource_group ?? '' },
          evidence: [at('securityProfile.workloadIdentity.enabled', false)],
        }
    }
    const level =
      namespaceOf.state === 'known' ? namespaceOf.value.labels['pod-security.kubernetes.io/enforce'] : undefined
    if (namespaceOf.state === 'known' && (level === 'baseline' || level === 'restricted'))
      return {
        status: 'fail',
        message: 'pod-security-denies',
        data: { namespace, level },
        evidence: [{ question: namespaceOf.from, path: 'metadata.labels', observed: level }],
      }
    if (clusterOf.state !== 'known')
      return {
        status: 'undecided',
        lacks: `cluster ${cluster}, which the workspace names, was not seen`,
        evidence: [own(key, written)],
      }
    const { autopilot, pool, nodePools, workloadIdentity, name: found } = clusterOf.value
    if (autopilot === true)
      return {
        status: 'fail',
        message: 'autopilot',
        data: { cluster: found },
        evidence: [{ question: clusterOf.from, path: 'autopilot.enabled', observed: true }],
      }
    const open =
      (cloud === 'gcp' && (pool === undefined || nodePools.length === 0)) ||
      (cloud === 'azure' && workloadIdentity === undefined)
    if (open)
      return {
        status: 'undecided',
        lacks: `${found} does not show that its pods can have an identity: its workload pool, node pools or security profile was not seen`,
        evidence: [own(key, written)],
      }
    return {
      status: 'pass',
      evidence: [own(key, written), { question: clusterOf.from, path: 'name', observed: found }],
    }
  },
})
