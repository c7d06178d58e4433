/** Known error texts about volumes: CSI drivers, FUSE, mounters and the stores that they mount. */
import type { ErrorText, Lead } from '../domain/error-texts.ts'

type Text = readonly [fragment: string, message: string | undefined, means: string]

const texts: readonly (readonly [check: `storage/${string}`, texts: readonly Text[]])[] = [
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
    'storage/fuse-device-is-openable',
    [
      [
        '/dev/fuse: Operation not permitted',
        'device-cgroup-denies',
        'The device cgroup of the container does not let it open /dev/fuse.',
      ],
      [
        '/dev/fuse: Permission denied',
        'mode-denies',
        'The mode of /dev/fuse, or a security module, does not let this user open it.',
      ],
      [
        "fuse: device not found, try 'modprobe fuse' first",
        undefined,
        'The container has no /dev/fuse, or the node no module for it.',
      ],
      [
        "fuse device not found, try 'modprobe fuse' first",
        undefined,
        'The container has no /dev/fuse, or the node no module for it.',
      ],
      [
        'fuse device … not found. Kernel module not loaded?',
        undefined,
        'The container has no /dev/fuse, or the node no module for it.',
      ],
    ],
  ],
  [
    'storage/fuse-mount-is-permitted',
    [
      [
        'fuse: mount failed: Permission denied',
        'apparmor-denies',
        'A security module, most often the default AppArmor profile, denies the mount.',
      ],
      [
        'fusermount: mount failed: Permission denied',
        'apparmor-denies',
        'A security module, most often the default AppArmor profile, denies the mount.',
      ],
      [
        'fusermount3: mount failed: Permission denied',
        'apparmor-denies',
        'A security module, most often the default AppArmor profile, denies the mount.',
      ],
      [
        'fuse: mount failed: Operation not permitted',
        'capability-missing',
        'The container may not mount: it lacks CAP_SYS_ADMIN.',
      ],
      [
        'fusermount: mount failed: Operation not permitted',
        'capability-missing',
        'The container may not mount: it lacks CAP_SYS_ADMIN.',
      ],
      [
        'fusermount3: mount failed: Operation not permitted',
        'capability-missing',
        'The container may not mount: it lacks CAP_SYS_ADMIN.',
      ],
      [
        "only allowed if 'user_allow_other' is set in /etc/fuse.conf",
        'allow-other-refused',
        'The fuse.conf of the image does not let users other than root pass allow_other.',
      ],
      [
        'too many FUSE filesystems mounted; mount_max=',
        'too-many-mounts',
        'One user has as many FUSE mounts as fuse.conf lets it have.',
      ],
      [
        'exec: "fusermount": executable file not found in $PATH',
        'helper-missing',
        'The image lacks the helper that mounts for users other than root.',
      ],
      [
        'exec: "fusermount3": executable file not found in $PATH',
        'helper-missing',
        'The image lacks the helper that mounts for users other than root.',
      ],
      [
        'fuse: failed to exec fusermount',
        'helper-missing',
        'The image lacks the helper that mounts for users other than root.',
      ],
      [
        'Bidirectional mount propagation is available only to privileged containers',
        'propagation-needs-privilege',
        'The API server takes Bidirectional mount propagation from privileged containers only.',
      ],
      [
        'apparmor="DENIED" … info="failed mntpnt match"',
        'host-profile-denies-path',
        'An AppArmor profile of the node does not allow a mount at this place.',
      ],
      [
        '/violates PodSecurity "(?:baseline|restricted):[a-z0-9.]{1,20}": .{0,600}(?:privileged|hostPath|SYS_ADMIN)/',
        'pod-security-forbids',
        'The Pod Security level of the namespace forbids what the container needs for mounting.',
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
        'could not get EC2 instance identity metadata',
        undefined,
        'The driver could not ask the metadata service of its node.',
      ],
    ],
  ],
  [
    'storage/mounter-supports-the-identity',
    [
      [
        'failed to get IAM Role token from meta data.',
        undefined,
        "s3fs asks the node's metadata service for a role, and got no token.",
      ],
      [
        'could not load IAM role name from meta data.',
        undefined,
        "s3fs asks the node's metadata service for a role, and got none.",
      ],
      [
        'AWS IMDSv2 token retrieval failed:',
        undefined,
        "s3fs asks the node's metadata service, which does not answer it.",
      ],
      [
        'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set.',
        undefined,
        's3fs was called with ecs, which only works where ECS runs the container.',
      ],
      [
        'addon does not support pod identity associations',
        undefined,
        'This version of the add-on takes its identity from a role annotation only.',
      ],
      [
        'could not get secret(azure-storage-account-…-secret)',
        undefined,
        'The blob driver looks for an account key: it does not use the identity of the pod.',
      ],
      [
        '/the sidecar container terminated due to Error, exit code: 255.{0,600}metadata/',
        'known-fault',
        'The sidecar of gcsfuse gave up on a metadata server that was not up yet.',
      ],
    ],
  ],
  [
    'storage/mounter-asks-for-the-identity',
    [
      [
        'Using anonymous credentials - did you mean to set env_auth=true?',
        'anonymous',
        'rclone was not told to take its credentials from the environment.',
      ],
      [
        'JWTConfigFromJSON: google: read JWT from JSON credentials: \'type\' field is "…" (expected "service_account")',
        'key-file-not-a-key',
        'gcsfuse takes keys of service accounts only with --key-file.',
      ],
      [
        'Client ID, Tenant ID or Application ID not provided',
        'mode-misread',
        "blobfuse2 is in mode workloadidentity, which starts from a managed identity of the node, never from the pod's token.",
      ],
      [
        'Client ID, Tenant ID or Client Secret, OAuthTokenFilePath, WorkloadIdentityToken not provided',
        'token-path-missing',
        'blobfuse2 in mode spn was not told where the token is, or whose it is.',
      ],
      [
        'failed to initialize new pipeline [failed to authenticate credentials for azstorage]',
        undefined,
        'blobfuse2 got no token with the settings that it was given.',
      ],
      [
        'GetTokenSource: DefaultTokenSource: google: could not find default credentials',
        undefined,
        'gcsfuse found no credentials in its environment.',
      ],
      [
        'mount.nfs4: access denied by server while mounting 127.0.0.1:/',
        'option-missing',
        'The EFS file system asks for IAM, and the mount options do not say iam and tls.',
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
  [
    'storage/store-admits-the-identity',
    [
      ["Unable to access '…': permission denied", 'refused', 'goofys says so of every 403 of S3.'],
      ['Mounting file system: Mount: initialization failed', 'refused', 'goofys could not look into the bucket.'],
      ['initial ListObjectsV2 failed for bucket', 'refused', 'Mountpoint for S3 may not list the bucket.'],
      [
        'Failed to check bucket and directory for mount point : Invalid Credentials(host=',
        'token-rejected',
        'S3 does not accept the credentials of s3fs.',
      ],
      ['Bad credentials for bucket …: permission denied', 'refused', 'gcsfuse may not look into the bucket.'],
      [
        'Caller does not have storage.objects.list access to the Google Cloud Storage bucket',
        'refused',
        'The identity may not list the bucket.',
      ],
      [
        'does not have storage.objects.list access to the Google Cloud Storage bucket',
        'refused',
        'The identity may not list the bucket.',
      ],
      ["storage: bucket doesn't exist", 'not-found', 'There is no bucket of this name.'],
      [
        'This request is not authorized to perform this operation.',
        'network-refused',
        'The network rules of the storage account keep the caller out, as a rule.',
      ],
      [
        'This request is not authorized to perform this operation using this permission.',
        'refused',
        'The token is good; a data role is missing, or has not spread yet.',
      ],
      [
        'Server failed to authenticate the request. Please refer to the information in the www-authenticate header.',
        'token-rejected',
        'The store accepts no such token: audience or tenant are wrong, or there is none.',
      ],
      [
        'gke-gcsfuse/bucket-scan-pending',
        'scan-pending',
        'The pod waits for a look at its bucket, which the service agent of GKE may not take.',
      ],
      ['/\\bAccountIsDisabled\\b/', 'disabled', 'The storage account is disabled.'],
      ['/\\bContainerNotFound\\b/', 'not-found', 'There is no such container.'],
    ],
  ],
  [
    'storage/mount-is-alive',
    [
      ['Transport endpoint is not connected', 'disconnected', 'The process behind the mount has ended.'],
      [
        'Failed to receive mount options from /comm/mount.sock',
        'disconnected',
        'Mountpoint was not told what to mount.',
      ],
      ['signal: killed', 'out-of-memory', 'The mounter was killed, as a rule for want of memory.'],
      ['OOMKilled, exit code: 137', 'out-of-memory', 'The mounter was killed for want of memory.'],
      [
        'mkdir /gcsfuse-cache/.volumes: permission denied',
        'cache-not-writable',
        'The sidecar may not write into its cache volume.',
      ],
      ['flag provided but not defined: -', 'option-refused', 'The mounter does not know a mount option.'],
      ['request_wait_answer+0x', 'hung', 'A process waits in the kernel for an answer of a FUSE mount.'],
    ],
  ],
]

/** Where the same words are of something else, too. */
const others: {
  readonly [fragment: string]: readonly Lead[]
} = {
  'No signing credentials available, see CRT debug logs': [
    {
      check: 'aws/oidc-provider-accepts-audience',
      when: "The volume uses the pod's identity, and the IAM OIDC provider does not list sts.amazonaws.com.",
    },
    { check: 'aws/trust-policy-admits-service-account' },
  ],
  'initial ListObjectsV2 failed for bucket': [{ check: 'aws/role-permits-action' }],
  'failed to initialize new pipeline [failed to get credential]': [
    { check: 'storage/mounter-asks-for-the-identity', when: 'blobfuse2 was started by the pod itself.' },
  ],
  'This request is not authorized to perform this operation using this permission.': [
    { check: 'azure/identity-has-role', message: 'data-denied' },
  ],
  'per-RPC creds failed due to error: compute: Received 504': [
    { check: 'workload/network-leads-to-the-token-endpoint' },
  ],
}

export const storageErrorTexts: readonly ErrorText[] = texts.flatMap(([check, known]) =>
  known.map(([fragment, message, means]) => ({
    fragment,
    leads: [message === undefined ? { check } : { check, message }, ...(others[fragment] ?? [])],
    means,
  })),
)
