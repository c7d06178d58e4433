/** The checks of storage/: `export const check = defineCheck({…})` in the file that its id names, and a line here. */
import type { Check } from '../core/check.ts'
import { check as blobTokenStaysValid } from './storage/blob-token-stays-valid.ts'
import { check as blobVolumeNeedsNoAccountKey } from './storage/blob-volume-needs-no-account-key.ts'
import { check as blobVolumeUsesWorkloadIdentity } from './storage/blob-volume-uses-workload-identity.ts'
import { check as csiDriverIsRegistered } from './storage/csi-driver-is-registered.ts'
import { check as csiDriverReceivesTokens } from './storage/csi-driver-receives-tokens.ts'
import { check as driverHasItsOwnIdentity } from './storage/driver-has-its-own-identity.ts'
import { check as fuseDeviceIsOpenable } from './storage/fuse-device-is-openable.ts'
import { check as fuseMountIsPermitted } from './storage/fuse-mount-is-permitted.ts'
import { check as gcsfuseSidecarIsInjected } from './storage/gcsfuse-sidecar-is-injected.ts'
import { check as gcsfuseVolumeCanAuthenticate } from './storage/gcsfuse-volume-can-authenticate.ts'
import { check as kubeletMayRequestDriverAudience } from './storage/kubelet-may-request-driver-audience.ts'
import { check as mountIsAlive } from './storage/mount-is-alive.ts'
import { check as mounterAsksForTheIdentity } from './storage/mounter-asks-for-the-identity.ts'
import { check as mounterIsMaintained } from './storage/mounter-is-maintained.ts'
import { check as mounterSupportsTheIdentity } from './storage/mounter-supports-the-identity.ts'
import { check as mountpointS3VolumeIsConsistent } from './storage/mountpoint-s3-volume-is-consistent.ts'
import { check as storeAdmitsTheIdentity } from './storage/store-admits-the-identity.ts'

export const storage: readonly Check[] = [
  blobTokenStaysValid,
  blobVolumeNeedsNoAccountKey,
  blobVolumeUsesWorkloadIdentity,
  csiDriverIsRegistered,
  csiDriverReceivesTokens,
  driverHasItsOwnIdentity,
  fuseDeviceIsOpenable,
  fuseMountIsPermitted,
  gcsfuseSidecarIsInjected,
  gcsfuseVolumeCanAuthenticate,
  kubeletMayRequestDriverAudience,
  mountIsAlive,
  mounterAsksForTheIdentity,
  mounterIsMaintained,
  mounterSupportsTheIdentity,
  mountpointS3VolumeIsConsistent,
  storeAdmitsTheIdentity,
]
