/** Known error texts about cloud providers of Kubernetes and about interLink. */
import type { ErrorText } from '../domain/error-texts.ts'

export const cloudProviderErrorTexts = [
  {
    fragment: 'was specified, but built-in cloud providers are disabled. Please set --cloud-provider=external',
    leads: [{ check: 'cloud-provider/flags-fit-the-version', message: 'built-in-removed' }],
    means: 'A component of Kubernetes was told to use a cloud provider that is no longer built in.',
  },
  {
    fragment: 'was specified, but built-in cloud providers are disabled',
    leads: [{ check: 'cloud-provider/flags-fit-the-version', message: 'built-in-removed' }],
    means: 'A component of Kubernetes was told to use a cloud provider that is no longer built in.',
  },
  {
    fragment: 'unknown cloud provider "',
    leads: [{ check: 'cloud-provider/flags-fit-the-version', message: 'unknown-provider' }],
    means: 'A component of Kubernetes was told to use a cloud provider that it does not know.',
  },
  {
    fragment: 'could not init cloud provider "',
    leads: [
      { check: 'cloud-provider/flags-fit-the-version', when: 'The provider is no longer built in.' },
      { check: 'cloud-provider/config-is-understood', when: 'The provider could not read its configuration.' },
    ],
    means: 'A cloud provider could not be started.',
  },
  {
    fragment: 'unknown flag: --cloud-',
    leads: [{ check: 'cloud-provider/flags-fit-the-version', message: 'flag-removed' }],
    means: 'A component of Kubernetes no longer has a flag of cloud providers.',
  },
  {
    fragment: 'is not a valid cloud provider. Options are',
    leads: [{ check: 'cloud-provider/config-is-understood', message: 'not-a-provider' }],
    means: 'The plan names a cloud provider that Kubernetes never had.',
  },
  {
    fragment: 'cloud config file was not found at "',
    leads: [{ check: 'cloud-provider/config-is-understood', message: 'file-missing' }],
    means: 'The plan names a configuration file that is not there.',
  },
  {
    fragment: 'Kube ApiServer Option(s) [',
    leads: [{ check: 'cloud-provider/config-is-understood', message: 'override-refused' }],
    means: 'The plan overrides an option that the installer sets by itself.',
  },
  {
    fragment: '] cannot be overridden',
    leads: [{ check: 'cloud-provider/config-is-understood', message: 'override-refused' }],
    means: 'The plan overrides an option that the installer sets by itself.',
  },
  {
    fragment: 'no cloud provider config given',
    leads: [{ check: 'cloud-provider/config-is-understood', message: 'file-required' }],
    means: 'The cloud provider needs a configuration file and was given none.',
  },
  ...[
    '/Unable to convert node name .{1,260} to aws instanceID/',
    "because it's not present according to cloud provider",
    'because it does not exist in the cloud provider',
  ].map(
    (fragment): ErrorText => ({
      fragment,
      leads: [
        {
          check: 'cloud-provider/node-is-initialized',
          when: "The node's name is not the one that its cloud knows, or the machine lacks the cluster's tag.",
        },
      ],
      means: 'The cloud controller manager finds no machine by the name of the node.',
    }),
  ),
  {
    fragment: '/failed to get provider ID for node .{1,300}instance not found/',
    leads: [
      {
        check: 'cloud-provider/node-is-initialized',
        when: "The node's name is not the one that its cloud knows, or the machine lacks the cluster's tag.",
      },
    ],
    means: 'The cloud controller manager finds no machine by the name of the node.',
  },
  {
    fragment: 'failed to get instance metadata for node ',
    leads: [
      {
        check: 'cloud-provider/controller-manager-runs',
        when: 'The cloud controller manager may not ask its cloud about machines.',
      },
      {
        check: 'cloud-provider/node-is-initialized',
        when: "The node's name is not the one that its cloud knows, or the machine lacks the cluster's tag.",
      },
    ],
    means: 'The cloud controller manager did not find the machine of a node.',
  },
  {
    // The other reason in the same line says more: the taint may be that of the control plane.
    fragment: '/nodes are available: [^\\n]{0,300}Too many pods/',
    leads: [{ check: 'eks/node-has-room-for-pods', message: 'too-many-pods' }],
    means: 'A pod found no node that admits one more.',
  },
  {
    fragment: 'node(s) had untolerated taint',
    leads: [
      {
        check: 'cloud-provider/controller-manager-runs',
        when: 'The pod is that of the cloud controller manager, and the taint is node.cloudprovider.kubernetes.io/uninitialized.',
      },
    ],
    means: 'No node takes the pod, which does not tolerate a taint.',
  },
  {
    fragment: 'node.cloudprovider.kubernetes.io/uninitialized',
    leads: [
      { check: 'cloud-provider/node-is-initialized' },
      { check: 'cloud-provider/controller-manager-runs', when: 'The cloud controller manager itself is kept out.' },
    ],
    means: 'A node waits for the controller of its cloud, and takes no pods meanwhile.',
  },
  {
    fragment: 'is registered without the cloud taint. Will not process.',
    leads: [{ check: 'cloud-provider/node-is-initialized', message: 'registered-without-taint' }],
    means: 'The cloud controller manager passes by a node that does not wait for it.',
  },
  {
    fragment: 'no basic auth credentials',
    leads: [{ check: 'cloud-provider/ecr-images-can-be-pulled', message: 'pull-denied', when: 'The image is in ECR.' }],
    means: 'The node had no credentials for the registry of an image.',
  },
] as const satisfies readonly ErrorText[]

export const interLinkErrorTexts = [
  {
    fragment:
      'InterLink configuration does not contains both KubernetesApiAddr and KubernetesApiPort, so no env var like KUBERNETES_SERVICE_HOST is added.',
    leads: [{ check: 'interlink/service-accounts-are-enabled', message: 'address-and-port-missing' }],
    means: 'Remote pods are not told where the Kubernetes API is.',
  },
  {
    fragment: 'error during token request in RemoteExecution()',
    leads: [
      {
        check: 'interlink/service-accounts-are-enabled',
        when: 'The ServiceAccount of the virtual kubelet may not create serviceaccounts/token.',
      },
    ],
    means: 'The virtual kubelet got no token for a remote pod.',
  },
  {
    fragment: 'InterLink VK has DisableProjectedVolumes set to true',
    leads: [{ check: 'interlink/service-accounts-are-enabled', message: 'projected-volumes-disabled' }],
    means: 'The virtual kubelet passes no projected volumes, and with them no token, to remote pods.',
  },
  {
    fragment: 'CFGMaps/Secrets not found',
    leads: [{ check: 'interlink/service-accounts-are-enabled', message: 'pod-data-missing' }],
    means: 'The ConfigMaps or Secrets of a pod did not reach interLink.',
  },
  {
    fragment: 'unable to retrieve ConfigMaps or Secrets after 5m. Check logs',
    leads: [{ check: 'interlink/service-accounts-are-enabled', message: 'pod-data-missing' }],
    means: 'The ConfigMaps or Secrets of a pod did not reach interLink.',
  },
  {
    fragment: 'unable to retrieve ConfigMaps or Secrets after 5m',
    leads: [{ check: 'interlink/service-accounts-are-enabled', message: 'pod-data-missing' }],
    means: 'The ConfigMaps or Secrets of a pod did not reach interLink.',
  },
  {
    fragment: 'using default Kubernetes API kube-root-ca.crt (no override found)',
    leads: [{ check: 'interlink/api-certificate-is-trusted', message: 'ca-missing' }],
    means: "Remote pods are given the cluster's own CA for the published address.",
  },
  {
    fragment: 'kube-root-ca.crt (no override found)',
    leads: [{ check: 'interlink/api-certificate-is-trusted', message: 'ca-missing' }],
    means: "Remote pods are given the cluster's own CA for the published address.",
  },
  {
    fragment: ':10250/containerLogs/…x509: certificate signed by unknown authority',
    leads: [
      {
        check: 'interlink/serving-certificate-is-approved',
        message: 'not-trusted',
        when: 'The address is that of a virtual node.',
      },
    ],
    means: 'The API server does not trust the certificate with which a kubelet serves logs.',
  },
  {
    fragment: ':10250/containerLogs/',
    leads: [
      {
        check: 'interlink/serving-certificate-is-approved',
        message: 'not-trusted',
        when: 'The address is that of a virtual node.',
      },
    ],
    means: 'The API server could not read logs from a kubelet.',
  },
  {
    fragment: 'requested expiration of 3153600000 seconds shortened to',
    leads: [
      {
        check: 'interlink/remote-token-is-safe',
        message: 'ends-before-the-job',
        when: 'A job runs longer than that.',
      },
    ],
    means: 'The API server grants the token of a remote pod for less time than interLink asks.',
  },
] as const satisfies readonly ErrorText[]
