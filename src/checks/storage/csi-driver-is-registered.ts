/** Whether the CSI driver of a volume is installed, and registered where the pod runs. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { knownDrivers, misspelt } from '../../domain/storage-volumes.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { claimErrors } from '../../probes/storage/object-errors.ts'
import { type Wanted, wantedDrivers } from '../../probes/storage/wanted-drivers.ts'
import { provedBy, saidFor } from '../../probes/storage/words.ts'

const id = 'storage/csi-driver-is-registered'

type Data = {
  readonly volume: string
  readonly driver: string
  readonly installed: string
  readonly provisioner: string
  readonly version: string
  readonly claim: string
  readonly node: string
}

/** What to install, and which ServiceAccount needs an identity before the first volume. */
const sources: { readonly [driver: string]: string } = {
  'ebs.csi.aws.com': 'the add-on aws-ebs-csi-driver (kube-system/ebs-csi-controller-sa needs a role first)',
  'efs.csi.aws.com': 'the add-on aws-efs-csi-driver (both of its ServiceAccounts need a role first)',
  's3.csi.aws.com': 'the add-on aws-mountpoint-s3-csi-driver (kube-system/s3-csi-driver-sa needs a role first)',
  'blob.csi.azure.com': 'the blob driver of AKS (az aks update --enable-blob-driver) or its chart',
  'file.csi.azure.com': 'the files driver of AKS (az aks update --enable-file-driver) or its chart',
  'disk.csi.azure.com': 'the disk driver of AKS (az aks update --enable-disk-driver) or its chart',
  'gcsfuse.csi.storage.gke.io': 'the add-on GcsFuseCsiDriver of GKE',
  'pd.csi.storage.gke.io': 'the add-on GcePersistentDiskCsiDriver of GKE',
}
const install = ({ driver }: Data): string =>
  advice(
    `Install ${sources[driver] ?? `the driver ${driver}`}, and wait until its node pods run.`,
    'kubectl get csidrivers',
  )

export const check = defineCheck({
  meta: {
    id,
    title: "The volume's CSI driver is installed and registered on the node",
    severity: 'error',
    scope: 'object',
    kinds: ['PersistentVolumeClaim', 'PersistentVolume', 'Pod'],
    cloud: 'any',
    section: 'Storage',
    why: 'A claim without its driver stays Pending for ever, and says only that it waits for somebody.',
    fix: {
      safety: 'manual',
      does: 'Install the add-on or chart of the driver, after giving its ServiceAccount an identity; nothing is installed from here.',
    },
    links: [
      'https://github.com/awslabs/cdk-eks-blueprints/issues/561',
      'https://github.com/SigNoz/charts/issues/621',
      'https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/blob/main/docs/troubleshooting.md',
    ],
  },
  only: { probe: wantedDrivers, otherwise: 'no volume of a driver that is known' },
  needs: { wantedDrivers },
  wants: { claimErrors },
  after: [],
  messages: {
    'name-misspelt': ({ volume, driver, installed }: Data) =>
      `${volume} names driver ${driver}; the installed one is ${installed}`,
    'migrated-without-driver': ({ provisioner, driver, version, claim }: Data) =>
      `${provisioner} is served by ${driver} since Kubernetes ${version}, which is not installed; claim ${claim} stays Pending`,
    'not-installed': ({ volume, driver }: Data) =>
      `${volume} uses driver ${driver}, and the cluster has no CSIDriver of that name`,
    'not-on-this-node': ({ driver, node }: Data) => `driver ${driver} is not registered on ${node}`,
  },
  remedies: {
    'name-misspelt': (data) =>
      advice(
        `Make ${data.volume} anew with driver ${data.installed}: the source of a volume cannot be changed.`,
        'kubectl get csidrivers',
      ),
    'migrated-without-driver': install,
    'not-installed': install,
    'not-on-this-node': (data) =>
      advice(
        `See whether a node pod of ${data.driver} runs on ${data.node}; within some minutes of the start of a node or an add-on it may still come.`,
        'kubectl get csinodes -o yaml',
        sh`kubectl get pods -n kube-system -o wide`,
      ),
  },
  judge: ({ have: { wantedDrivers }, want: { claimErrors } }) => {
    if (wantedDrivers.state === 'absent')
      return { status: 'not-applicable', reason: 'no volume of a driver that is known' }
    const { wanted, installed, incomplete, node, onNode } = wantedDrivers.value
    const said = saidFor(claimErrors.state === 'known' ? claimErrors.value : [], id)
    const names = 'state' in installed ? undefined : installed
    const evidence: Evidence[] = [
      ...said.map(({ error }) => ofError(error)),
      ...wanted.map(({ volume, driver }) => ({ question: wantedDrivers.from, path: volume, observed: driver })),
      { question: wantedDrivers.from, path: 'items[*].metadata.name', observed: names?.join(', ') ?? 'not seen' },
    ]
    const failing = (
      message: 'name-misspelt' | 'migrated-without-driver' | 'not-installed' | 'not-on-this-node',
      { volume, driver, claim, inTree }: Wanted,
      more: Partial<Data> = {},
    ) => {
      const data: Data = {
        ...{ volume, driver, installed: '', provisioner: inTree?.provisioner ?? '', version: inTree?.since ?? '' },
        ...{
          claim: claim ?? `of ${volume}`,
          node: node === undefined ? 'the node of the pod' : `node ${node}`,
          ...more,
        },
      }
      return { status: 'fail', message, data, evidence } as const
    }
    const missing = names === undefined || incomplete ? [] : wanted.filter(({ driver }) => !names.includes(driver))
    for (const one of wanted) {
      const right =
        misspelt[one.driver] ??
        (names !== undefined && !names.includes(one.driver)
          ? names.find((name) => isNear(name, one.driver))
          : undefined)
      if (right !== undefined) return failing('name-misspelt', one, { installed: right })
    }
    const migrated = missing.find(({ inTree }) => inTree !== undefined)
    if (migrated !== undefined) return failing('migrated-without-driver', migrated)
    const [absentOne] = missing.filter(({ driver }) => knownDrivers.has(driver))
    if (absentOne !== undefined) return failing('not-installed', absentOne)
    const here = provedBy(said, 'not-on-this-node')
    const named =
      here === undefined ? undefined : (wanted.find(({ driver }) => here.text.includes(driver)) ?? wanted[0])
    if (named !== undefined && onNode?.includes(named.driver) !== true) return failing('not-on-this-node', named)
    const open = said.length > 0 && named === undefined
    if (names === undefined || incomplete || missing.length > 0 || open)
      return {
        status: 'undecided',
        lacks:
          open && names !== undefined && !incomplete
            ? 'why the driver that is installed does not make the volume'
            : 'which CSI drivers are installed',
        lift: 'kubectl get csidrivers -o yaml',
        evidence,
      }
    return { status: 'pass', evidence }
  },
})

/** One letter more, less or other: the rest of a name is its own. */
function isNear(a: string, b: string): boolean {
  if (a === b || Math.abs(a.length - b.length) > 1) return false
  let start = 0
  while (start < a.length && a[start] === b[start]) start += 1
  let end = 0
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1
  return a.length - start - end <= 1 && b.length - start - end <= 1
}
