/** Whether kubelet hands a CSI driver the tokens of the pods whose identity it mounts with, and renews them. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { blobDriver, s3Driver } from '../../domain/storage-volumes.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { driverErrors } from '../../probes/storage/object-errors.ts'
import { tokenNeeds } from '../../probes/storage/token-needs.ts'
import { partOf, provedBy, saidFor } from '../../probes/storage/words.ts'

const id = 'storage/csi-driver-receives-tokens'

type Data = {
  readonly driver: string
  readonly volume: string
  readonly audience: string
  readonly audiences: string
  readonly value: string
}

const byInstaller = ({ driver, audience }: Data): string =>
  advice(
    `Have the installer of ${driver} set it (the chart value node.tokenRequests[0].audience=${audience}, or an upgrade of the add-on): a change to the CSIDriver itself would be undone.`,
    'kubectl get csidrivers -o yaml',
  )

const messages = {
  'token-requests-unset': ({ driver, volume, audience }: Data) =>
    `CSIDriver ${driver} has no tokenRequests, so kubelet hands it no token; ${volume} needs one for ${audience}${driver === blobDriver ? ", and without it looks mounted while files land on the node's disk" : ''}`,
  'audience-missing': ({ driver, audiences, audience }: Data) =>
    `CSIDriver ${driver} asks kubelet for ${audiences}, not for ${audience}`,
  'not-republished': ({ driver, value }: Data) =>
    `CSIDriver ${driver} has requiresRepublish ${value}, so the token of a mounted volume is never renewed`,
  'pod-info-off': ({ driver, value }: Data) =>
    `CSIDriver ${driver} has podInfoOnMount ${value}, so the driver cannot tell whose token to use`,
}

export const check = defineCheck({
  meta: {
    id,
    title: "The kubelet hands the CSI driver the pod's token, and renews it",
    severity: 'error',
    scope: 'object',
    kinds: ['CSIDriver'],
    cloud: 'any',
    section: 'Storage',
    why: "A driver that mounts with the pod's identity gets its token only where its CSIDriver object asks for it.",
    fix: {
      safety: 'manual',
      does: 'Set the chart values or upgrade the add-on of the driver: the CSIDriver object belongs to its installer, and a patch would be undone.',
    },
    links: [
      'https://github.com/kubernetes-sigs/blob-csi-driver/issues/1240',
      'https://github.com/kubernetes-sigs/blob-csi-driver/issues/1487',
      'https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/blob/5fcdc04a/deploy/base/setup/csi_driver.yaml',
      'https://kep.k8s.io/1855',
    ],
  },
  only: { probe: tokenNeeds, otherwise: "no volume uses the pod's identity" },
  needs: { tokenNeeds },
  wants: { driverErrors },
  after: ['storage/csi-driver-is-registered'],
  messages,
  remedies: {
    'token-requests-unset': byInstaller,
    'audience-missing': byInstaller,
    'not-republished': byInstaller,
    'pod-info-off': byInstaller,
  },
  judge: ({ have: { tokenNeeds }, want: { driverErrors } }) => {
    if (tokenNeeds.state === 'absent') return { status: 'not-applicable', reason: "no volume uses the pod's identity" }
    const { driver, volume, audience, unseenPool } = tokenNeeds.value
    const said = saidFor(driverErrors.state === 'known' ? driverErrors.value : [], id)
    const texts = said.map(({ error }) => ofError(error))
    const evidence: Evidence[] = [
      ...texts,
      ...(driver === undefined
        ? []
        : [
            {
              question: tokenNeeds.from,
              path: 'spec.tokenRequests',
              observed: driver.audiences.join(', ') || 'none',
              ...(audience === undefined ? {} : { expected: audience }),
            },
            { question: tokenNeeds.from, path: 'spec.requiresRepublish', observed: driver.republish ?? 'not set' },
          ]),
    ]
    const failing = (message: keyof typeof messages, more: Partial<Data> = {}) => {
      const data: Data = {
        ...{
          driver: driver?.name ?? 'of the volume',
          volume,
          audience: audience ?? 'the workload pool of the cluster',
        },
        ...{
          audiences:
            driver?.audiences.map((one) => one || 'the audience of the API server').join(', ') ?? 'other audiences',
          value: 'not set',
          ...more,
        },
      }
      return { status: 'fail', message, data, evidence } as const
    }
    if (driver === undefined) {
      const azure = 'api://AzureADTokenExchange'
      if (provedBy(said, 'token-requests-unset') !== undefined)
        return failing('token-requests-unset', { driver: blobDriver, audience: azure })
      const missing = provedBy(said, 'audience-missing')
      if (missing !== undefined) {
        const pool = partOf(missing.text, /could not find token for \\*"([\w.-]{1,200}svc\.id\.goog)/, azure)
        return failing('audience-missing', {
          audience: pool,
          driver: pool === azure ? blobDriver : 'gcsfuse.csi.storage.gke.io',
        })
      }
      return {
        status: 'undecided',
        lacks: 'what the CSIDriver object of the driver asks for',
        lift: 'kubectl get csidrivers -o yaml',
        evidence,
      }
    }
    if (driver.audiences.length === 0) return failing('token-requests-unset')
    if (audience !== undefined && !driver.audiences.includes(audience)) return failing('audience-missing')
    if (driver.republish !== true) return failing('not-republished', { value: String(driver.republish ?? 'not set') })
    // Blob and Files learn the ServiceAccount from the token itself.
    const asksWho = driver.name === s3Driver || driver.name === 'gcsfuse.csi.storage.gke.io'
    if (asksWho && driver.podInfo !== true)
      return failing('pod-info-off', { value: String(driver.podInfo ?? 'not set') })
    if (unseenPool)
      return {
        status: 'undecided',
        lacks: 'the workload pool of the cluster, for which the driver has to ask',
        lift: 'gcloud container clusters describe CLUSTER --format json > gke.json',
        evidence,
      }
    if (said.length > 0) return { status: 'undecided', lacks: 'why the driver that asks for tokens got none', evidence }
    return { status: 'pass', evidence }
  },
})
