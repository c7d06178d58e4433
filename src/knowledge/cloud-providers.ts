/** Cloud providers that Kubernetes knew: what became of them, and what each reads from its configuration file. */

export type Provider = {
  /** The minor version (of 1.x) in which its code left Kubernetes; left out where that was long ago and is not certain. */
  readonly removed?: number
  readonly successor?: string
  /** The scheme of the providerIDs that it writes, and their form for a person. */
  readonly scheme?: string
  readonly form?: string
}

/** https://kep.k8s.io/2395 */
export const providers: { readonly [name: string]: Provider } = {
  aws: { removed: 27, successor: 'cloud-provider-aws', scheme: 'aws', form: 'aws:///ZONE/INSTANCE' },
  azure: {
    removed: 30,
    successor: 'cloud-provider-azure',
    scheme: 'azure',
    form: 'azure:///subscriptions/…/virtualMachines/NAME',
  },
  cloudstack: { scheme: 'external-cloudstack', form: 'external-cloudstack://ID' },
  fake: {},
  gce: { removed: 31, successor: 'cloud-provider-gcp', scheme: 'gce', form: 'gce://PROJECT/ZONE/NAME' },
  mesos: {},
  openstack: {
    removed: 26,
    successor: 'cloud-provider-openstack',
    scheme: 'openstack',
    form: 'openstack:///UUID or openstack://REGION/UUID',
  },
  ovirt: {},
  photon: {},
  rackspace: {},
  vsphere: { removed: 30, successor: 'cloud-provider-vsphere', scheme: 'vsphere', form: 'vsphere://UUID' },
}

export const providerNames: readonly string[] = Object.keys(providers)
export const providerOf = (name: string): Provider | undefined =>
  Object.hasOwn(providers, name) ? providers[name] : undefined

/** From here on no built-in provider can be switched on. */
export const builtInsLockedOff = 31

/** Providers that read a file and nothing without it. */
export const needsFile: ReadonlySet<string> = new Set([
  'azure',
  'cloudstack',
  'openstack',
  'ovirt',
  'photon',
  'rackspace',
  'vsphere',
])

/** `whole`: no other key is read there; where it is left out, further keys exist. The section without a name is that of JSON and YAML. */
type Section = { readonly name: string; readonly keys: readonly string[]; readonly whole?: true }

const words = (text: string): readonly string[] => text.split(' ')

export const sectionsRead: { readonly [provider: string]: readonly Section[] } = {
  aws: [
    {
      name: 'Global',
      keys: words(
        'Zone VPC SubnetID RouteTableID RoleARN KubernetesClusterTag KubernetesClusterID DisableSecurityGroupIngress ElbSecurityGroup DisableStrictZoneCheck Region SourceARN NodeIPFamilies NLBSecurityGroupMode ClusterServiceLoadBalancerHealthProbeMode ClusterServiceSharedLoadBalancerHealthProbePort ClusterServiceSharedLoadBalancerHealthProbePath',
      ),
      whole: true,
    },
    { name: 'ServiceOverride', keys: [] },
  ],
  azure: [
    {
      name: '',
      keys: words(
        'cloud tenantId subscriptionId aadClientId aadClientSecret aadClientCertPath aadClientCertPassword useManagedIdentityExtension userAssignedIdentityID resourceGroup location vnetName subnetName securityGroupName routeTableName vmType primaryScaleSetName loadBalancerSku',
      ),
    },
  ],
  openstack: [
    {
      name: 'Global',
      keys: words(
        'auth-url user-id username password tenant-id tenant-name trust-id domain-id domain-name region ca-file application-credential-id application-credential-name application-credential-secret secret-name secret-namespace trustee-id trustee-password trust-url tenant-domain-id tenant-domain-name user-domain-id user-domain-name use-clouds clouds-file cloud tls-insecure cert-file key-file os-endpoint-type kubeconfig-path',
      ),
      whole: true,
    },
    {
      name: 'LoadBalancer',
      keys: words('subnet-id floating-network-id lb-method create-monitor'),
    },
    { name: 'LoadBalancerClass', keys: [] },
    { name: 'BlockStorage', keys: [] },
    { name: 'Route', keys: [] },
    { name: 'Metadata', keys: [] },
    { name: 'Networking', keys: [] },
    { name: 'KeyManager', keys: [] },
  ],
  rackspace: [
    {
      name: 'Global',
      keys: words('auth-url username user-id password api-key tenant-id tenant-name region'),
      whole: true,
    },
    { name: 'LoadBalancer', keys: [] },
  ],
  vsphere: [
    {
      name: 'Global',
      keys: words(
        'user password server port insecure-flag ca-file thumbprint datacenters datacenter secret-name secret-namespace',
      ),
    },
    { name: 'VirtualCenter', keys: [] },
    { name: 'Workspace', keys: words('server datacenter folder default-datastore resourcepool-path') },
    { name: 'Disk', keys: words('scsicontrollertype') },
    { name: 'Network', keys: words('public-network') },
    { name: 'Labels', keys: words('zone region') },
    { name: 'Nodes', keys: [] },
    { name: 'LoadBalancer', keys: [] },
    { name: 'LoadBalancerClass', keys: [] },
    // The external provider also reads YAML.
    { name: 'vcenter', keys: [] },
    { name: '', keys: [] },
  ],
  gce: [
    {
      name: 'Global',
      keys: words(
        'token-url token-body project-id network-project-id network-name subnetwork-name secondary-range-name node-tags node-instance-prefix regional multizone api-endpoint container-api-endpoint local-zone alpha-features stack-type',
      ),
      whole: true,
    },
  ],
  cloudstack: [
    { name: 'Global', keys: words('api-url api-key secret-key ssl-no-verify project-id zone'), whole: true },
  ],
  ovirt: [
    { name: 'connection', keys: words('uri username password'), whole: true },
    { name: 'filters', keys: words('vms'), whole: true },
  ],
  photon: [{ name: 'Global', keys: words('target ignoreCertificate tenant project overrideIP'), whole: true }],
  mesos: [{ name: 'mesos-cloud', keys: words('mesos-master http-client-timeout state-cache-ttl'), whole: true }],
}

/** What a provider offers in the place of a secret in the file. */
export const alternatives: { readonly [provider: string]: string } = {
  aws: 'aws lives on the instance role',
  azure: 'azure takes useManagedIdentityExtension and userAssignedIdentityID',
  gce: 'gce lives on the service account of the machine',
  openstack: "openstack's external controller takes secret-name, or the file as a Secret",
  vsphere: 'vsphere takes secret-name and secret-namespace',
}

/** Provisioners that Kubernetes itself once had: https://kubernetes.io/docs/concepts/storage/volumes/ */
export const inTreeProvisioners: { readonly [name: string]: { readonly driver: string; readonly since: string } } = {
  'kubernetes.io/aws-ebs': { driver: 'ebs.csi.aws.com', since: '1.25' },
  'kubernetes.io/gce-pd': { driver: 'pd.csi.storage.gke.io', since: '1.25' },
  'kubernetes.io/cinder': { driver: 'cinder.csi.openstack.org', since: '1.24' },
  'kubernetes.io/azure-disk': { driver: 'disk.csi.azure.com', since: '1.24' },
  'kubernetes.io/azure-file': { driver: 'file.csi.azure.com', since: '1.26' },
  'kubernetes.io/vsphere-volume': { driver: 'csi.vsphere.vmware.com', since: '1.26' },
  'kubernetes.io/portworx-volume': { driver: 'pxd.portworx.com', since: 'its move to CSI' },
}
