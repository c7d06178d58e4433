/** Known error texts about volumes: those of mounters and stores here, with those of drivers and of FUSE beside it. */
import type { CheckTexts, ErrorText, Lead } from '../domain/error-texts.ts'
import { csiTexts } from './error-texts-csi.ts'
import { fuseTexts } from './error-texts-fuse.ts'

const texts: readonly CheckTexts[] = [
  ...csiTexts,
  ...fuseTexts,
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
      ['/Mounting arguments: -t efs -o \\S/', undefined, 'The EFS driver says with which options it mounted.'],
      [
        'AWS credentials source used for IAM authentication',
        undefined,
        'The mount helper of EFS used IAM, with credentials that it found.',
      ],
      [
        'mount.nfs4: access denied by server while mounting 127.0.0.1:/',
        'option-missing',
        'The EFS file system asks for IAM, and the mount options do not say iam and tls.',
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
      ['Bad credentials for bucket …', 'refused', 'gcsfuse may not look into the bucket.'],
      [
        'error in closing writer : googleapi: Error 403: Access denied.',
        'refused',
        'gcsfuse may read the bucket and not write it.',
      ],
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
