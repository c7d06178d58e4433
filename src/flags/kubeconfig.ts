/** The flags of every command that talks to a cluster, under kubectl's own names. */
import { Flags } from '@oclif/core'

const helpGroup = 'CLUSTER'

export const kubeconfigFlags = {
  kubeconfig: Flags.string({
    helpGroup,
    helpValue: 'FILE',
    summary: 'Path of the kubeconfig file (default: $KUBECONFIG, then ~/.kube/config).',
  }),
  context: Flags.string({ helpGroup, helpValue: 'NAME', summary: 'The kubeconfig context to use.' }),
  cluster: Flags.string({ helpGroup, helpValue: 'NAME', summary: 'The kubeconfig cluster to use.' }),
  user: Flags.string({ helpGroup, helpValue: 'NAME', summary: 'The kubeconfig user to use.' }),
  namespace: Flags.string({
    char: 'n',
    helpGroup,
    helpValue: 'NAME',
    summary: 'The namespace to look in (default: the one of the context).',
  }),
  server: Flags.string({ char: 's', helpGroup, helpValue: 'URL', summary: 'Address and port of the API server.' }),
  as: Flags.string({ helpGroup, helpValue: 'USER', summary: 'User name to impersonate.' }),
  'as-group': Flags.string({
    helpGroup,
    helpValue: 'GROUP',
    multiple: true,
    multipleNonGreedy: true,
    summary: 'Group to impersonate; may be given more than once.',
  }),
  'as-uid': Flags.string({ helpGroup, helpValue: 'UID', summary: 'UID to impersonate.' }),
  token: Flags.string({ helpGroup, helpValue: 'TOKEN', summary: 'Bearer token for the API server.' }),
  'tls-server-name': Flags.string({
    helpGroup,
    helpValue: 'NAME',
    summary: "Name to expect in the API server's certificate.",
  }),
  'certificate-authority': Flags.string({
    helpGroup,
    helpValue: 'FILE',
    summary: 'Certificate authority of the API server.',
  }),
  'client-certificate': Flags.string({
    helpGroup,
    helpValue: 'FILE',
    summary: 'Client certificate for the API server.',
  }),
  'client-key': Flags.string({ helpGroup, helpValue: 'FILE', summary: 'Key of the client certificate.' }),
  'insecure-skip-tls-verify': Flags.boolean({ helpGroup, summary: "Do not verify the API server's certificate." }),
  'request-timeout': Flags.string({
    helpGroup,
    helpValue: 'DURATION',
    summary: 'Time for one request to the API server, such as 5s or 1m.',
  }),
}

/** The values of these flags as a command has parsed them. */
export type KubeconfigValues = {
  readonly [F in Exclude<keyof typeof kubeconfigFlags, 'as-group' | 'insecure-skip-tls-verify'>]?: string | undefined
} & { readonly 'as-group'?: readonly string[] | undefined; readonly 'insecure-skip-tls-verify'?: boolean | undefined }

/** The same values under the names that the live source takes. */
export const clusterChoice = (flags: KubeconfigValues) => ({
  kubeconfig: flags.kubeconfig,
  context: flags.context,
  cluster: flags.cluster,
  user: flags.user,
  namespace: flags.namespace,
  server: flags.server,
  as: flags.as,
  asGroup: flags['as-group'],
  asUid: flags['as-uid'],
  token: flags.token,
  tlsServerName: flags['tls-server-name'],
  certificateAuthority: flags['certificate-authority'],
  clientCertificate: flags['client-certificate'],
  clientKey: flags['client-key'],
  insecureSkipTlsVerify: flags['insecure-skip-tls-verify'],
  requestTimeout: flags['request-timeout'],
})
