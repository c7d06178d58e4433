/** Checks whose findings could be put right by a fixer that is not written yet; this list only shrinks. */
export const withoutFixer: readonly string[] = [
  'storage/blob-volume-needs-no-account-key',
  'storage/blob-volume-uses-workload-identity',
  'storage/fuse-device-is-openable',
  'storage/fuse-mount-is-permitted',
  'storage/gcsfuse-sidecar-is-injected',
  'storage/gcsfuse-volume-can-authenticate',
  'storage/kubelet-may-request-driver-audience',
  'storage/mount-is-alive',
  'storage/mounter-asks-for-the-identity',
  'storage/mountpoint-s3-volume-is-consistent',
]
