/** Known error texts of CSI drivers and of the volumes that they mount. */
import type { CheckTexts } from '../domain/error-texts.ts'

export const csiTexts: readonly CheckTexts[] = [
  [
    'storage/csi-driver-is-registered',
    [
      [
        'waiting for a volume to be created, either by external provisioner "…" or manually created by system administrator',
        undefined,
        'Kubernetes leaves the volume to a CSI driver, and that has not made it yet: most often it is not installed.',
      ],
      [
        "Waiting for a volume to be created either by the external provisioner '…' or manually by the system administrator",
        undefined,
        'Kubernetes leaves the volume to a CSI driver, and that has not made it yet: most often it is not installed.',
      ],
      [
        'driver name … not found in the list of registered CSI drivers',
        'not-on-this-node',
        'The CSI driver has not registered with the kubelet of that node: it is not installed there, or has just started.',
      ],
    ],
  ],
  [
    'storage/csi-driver-receives-tokens',
    [
      [
        'Skip NodeStageVolume for volume(…) since clientID … is provided but service account token is empty',
        'token-requests-unset',
        "The driver got no token of the pod; the volume looks mounted, and files land on the node's disk.",
      ],
      [
        'token for audience api://AzureADTokenExchange not found',
        'audience-missing',
        'The kubelet handed the driver tokens for other audiences.',
      ],
      [
        'could not find token for "…svc.id.goog"',
        'audience-missing',
        'The kubelet handed the driver no token for the workload pool of the cluster.',
      ],
      [
        'Missing service account tokens',
        undefined,
        "The kubelet handed the driver no token of the pod's ServiceAccount.",
      ],
    ],
  ],
  [
    'storage/driver-has-its-own-identity',
    [
      [
        'No signing credentials available, see CRT debug logs',
        undefined,
        'Mountpoint for S3 found no credentials at all.',
      ],
      ['No signing credentials found', undefined, 'Mountpoint for S3 found no credentials at all.'],
      [
        '/initial ListObjectsV2 failed for bucket.{0,300}?No signing credentials available/',
        undefined,
        'Mountpoint for S3 found no credentials at all, and asked the bucket nothing.',
      ],
      [
        'could not get EC2 instance identity metadata',
        undefined,
        'The driver could not ask the metadata service of its node.',
      ],
    ],
  ],
  [
    'storage/mountpoint-s3-volume-is-consistent',
    [
      [
        'unknown `authenticationSource`:',
        'unknown-source',
        'The volume names an authenticationSource that the driver does not know.',
      ],
      [
        "Missing role annotation on pod's service account",
        'role-annotation-missing',
        'This version of the driver reads role annotations only, and the ServiceAccount has none.',
      ],
      [
        'Missing service account tokens. Please make sure to enable `podInfoOnMountCompat`',
        'pod-info-compat-off',
        'This version of the driver gets no tokens unless its chart is told to.',
      ],
      [
        'Please make sure to enable `podInfoOnMountCompat`',
        'pod-info-compat-off',
        'This version of the driver gets no tokens unless its chart is told to.',
      ],
      ['Failed to detect STS AWS Region', 'region-unknown', 'The driver does not know which STS to call.'],
    ],
  ],
  [
    'storage/blob-volume-uses-workload-identity',
    [
      [
        'failed to initialize new pipeline [failed to get credential]',
        'managed-identity-instead',
        'blobfuse2 got no token of the managed identity that it was told to ask the node for.',
      ],
      [
        'no key for storage account(…) under resource group(…)',
        'identity-without-auth-type',
        'The driver looks for an account key: nothing tells it to use an identity.',
      ],
      [
        'mountWithWorkloadIdentityToken is true but clientID is not specified',
        'client-id-missing',
        'The volume is to be mounted by token, and does not say for which client.',
      ],
    ],
  ],
  [
    'storage/blob-volume-needs-no-account-key',
    [
      [
        'clientID(…) is specified, use service account token to get account key',
        undefined,
        "The driver spends the pod's token on fetching the account key, with which it mounts.",
      ],
      ['KeyBasedAuthenticationNotPermitted', undefined, 'An account key was used, and the storage account takes none.'],
      [
        'Key based authentication is not permitted on this storage account.',
        undefined,
        'An account key was used, and the storage account takes none.',
      ],
      [
        '/does not have authorization to perform action .{0,5}Microsoft\\.Storage\\/storageAccounts\\/listKeys\\/action/',
        'may-not-list-keys',
        'The identity may not fetch the keys of the storage account.',
      ],
    ],
  ],
  [
    'storage/gcsfuse-sidecar-is-injected',
    [
      [
        'failed to find the sidecar container in Pod spec',
        'annotation-missing',
        'The pod asked for no gcsfuse sidecar.',
      ],
      [
        'the webhook failed to inject the sidecar container into the Pod spec',
        'webhook-failed',
        'The pod asked for a gcsfuse sidecar and has none.',
      ],
    ],
  ],
  [
    'storage/gcsfuse-volume-can-authenticate',
    [
      [
        'code = Unauthenticated desc = failed to prepare storage service',
        'no-token-in-time',
        "The driver got no token for the pod's ServiceAccount.",
      ],
      [
        'failed to read kubeconfig: open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory',
        'account-token-not-mounted',
        'The sidecar needs the token of the ServiceAccount, which is not mounted.',
      ],
      [
        'HostNetwork Pod KSA feature is opted in, but token server identity provider is not set',
        'host-network-without-provider',
        'The pod is on the host network, and the driver was not told which provider to name.',
      ],
      [
        'per-RPC creds failed due to error: compute: Received 504',
        'no-token-in-time',
        'The metadata server did not answer in time.',
      ],
    ],
  ],
]
