/** Recognises cloud provider configurations, plans of KET, kubeadm's configuration and the flags of components. */
import { isList, isObject, type Json, type JsonObject, textAt, textsAt } from '../../core/json.ts'
import { configAsJson, configOfValue, readCloudConfig } from '../../domain/cloud-config.ts'
import type { Reader, TextReader } from './configurations.ts'
import { stemOf } from './document.ts'

const baseOf = (name: string): string => name.split(/[\\/]/).at(-1) ?? name

/** Sections that only such a file has; other INI files go on to whoever knows them. */
const ownSections =
  /^\s{0,9}\[\s{0,9}(?:Global|LoadBalancer|BlockStorage|Metadata|VirtualCenter|Workspace|ServiceOverride|connection|mesos-cloud)\b[^\]]{0,200}\]/im
const ownNames = /cloud[-_.]?(?:config|conf|provider)|^(?:aws|azure|gce|openstack|vsphere)\.(?:conf|cfg|ini)$/i

export const cloudConfig: TextReader = ({ name, text }) => {
  const base = baseOf(name)
  if (/\.(?:ya?ml|json|log|jwt|tf)$/i.test(base) || text.length > 1_000_000) return undefined
  if (!ownSections.test(text) && !(ownNames.test(base) && /^\s{0,9}[\w"-]{2,60}\s{0,9}[=:{]/m.test(text)))
    return undefined
  return { kind: 'CloudConfig', name: base, content: configAsJson(readCloudConfig(text)) }
}

const azureKeys = ['tenantId', 'subscriptionId', 'aadClientId', 'resourceGroup', 'useManagedIdentityExtension']

/** Azure's is JSON or YAML. */
export const azureCloudConfig: Reader = ({ value, file }) => {
  if (!isObject(value) || value.apiVersion !== undefined) return undefined
  const ours =
    azureKeys.filter((key) => value[key] !== undefined).length >= 3 ||
    (ownNames.test(baseOf(file)) && (value.global !== undefined || value.vcenter !== undefined))
  return ours ? { kind: 'CloudConfig', name: baseOf(file), content: configAsJson(configOfValue(value)) } : undefined
}

const planComponents = ['kube_apiserver', 'kube_controller_manager', 'kube_scheduler', 'kube_proxy', 'kubelet']

/** https://github.com/jlmeeker/kismatic/blob/57f9005a1f1a/docs/design-decisions/cloud-provider.md */
export const ketPlan: Reader = ({ value, file }) => {
  if (!isObject(value) || value.apiVersion !== undefined || !isObject(value.cluster)) return undefined
  const { cluster } = value
  const isPlan =
    isObject(cluster.cloud_provider) ||
    planComponents.some((one) => isObject(cluster[one]) && isObject(cluster[one]?.option_overrides))
  if (!isPlan) return undefined
  const overrides: { [component: string]: Json } = {}
  for (const one of planComponents) {
    const component = cluster[one]
    const set = isObject(component) ? component.option_overrides : undefined
    if (isObject(set) && Object.keys(set).length > 0) overrides[one] = Object.keys(set)
  }
  const provider = textAt(value, 'cluster', 'cloud_provider', 'provider')
  const config = textAt(value, 'cluster', 'cloud_provider', 'config')
  const version = textAt(value, 'cluster', 'version')
  return {
    kind: 'KetPlan',
    name: baseOf(file),
    content: {
      ...(provider === undefined ? {} : { provider }),
      ...(config === undefined ? {} : { config }),
      ...(version === undefined ? {} : { version }),
      overrides,
    },
  }
}

const wanted: ReadonlySet<string> = new Set([
  'cloud-provider',
  'cloud-config',
  'image-credential-provider-config',
  'image-credential-provider-bin-dir',
])

/** kubeadm writes arguments as a mapping up to v1beta3, as a list of names and values from v1beta4. */
function argsOf(args: Json | undefined): JsonObject {
  const pairs = isList(args)
    ? args.map((one) => [textAt(one, 'name') ?? '', textAt(one, 'value') ?? ''] as const)
    : Object.entries(isObject(args) ? args : {}).map(
        ([name, value]) => [name, typeof value === 'string' ? value : ''] as const,
      )
  return Object.fromEntries(pairs.filter(([name]) => wanted.has(name)))
}

const part = (value: JsonObject, member: string): JsonObject | undefined => {
  const found = value[member]
  return isObject(found) ? found : undefined
}

function kubeadmComponents(value: JsonObject): readonly JsonObject[] {
  const registration = part(value, 'nodeRegistration')
  const node = textAt(registration, 'name')
  const cloud = textAt(value, 'cloudProvider')
  const all: readonly (JsonObject | undefined)[] = [
    registration === undefined
      ? undefined
      : {
          component: 'kubelet',
          ...(node === undefined ? {} : { node }),
          flags: argsOf(registration.kubeletExtraArgs),
        },
    { component: 'kube-apiserver', flags: argsOf(part(value, 'apiServer')?.extraArgs ?? value.apiServerExtraArgs) },
    {
      component: 'kube-controller-manager',
      flags: {
        ...(cloud === undefined ? {} : { 'cloud-provider': cloud }),
        ...argsOf(part(value, 'controllerManager')?.extraArgs ?? value.controllerManagerExtraArgs),
      },
    },
  ]
  return all.filter((one) => one !== undefined).filter(({ flags }) => isObject(flags) && Object.keys(flags).length > 0)
}

export const kubeadm: Reader = ({ value, file }) => {
  if (!isObject(value) || !textAt(value, 'apiVersion')?.startsWith('kubeadm.k8s.io/')) return undefined
  const version = textAt(value, 'kubernetesVersion')
  return {
    kind: 'ComponentFlags',
    name: `${baseOf(file)} ${textAt(value, 'kind') ?? ''}`,
    content: { components: kubeadmComponents(value), ...(version === undefined ? {} : { version }) },
  }
}

const components = ['kubelet', 'kube-apiserver', 'kube-controller-manager'] as const
const flagWord =
  /--(cloud-provider|cloud-config|image-credential-provider-config|image-credential-provider-bin-dir)(?:=|\s{1,9})("[^"\n]{0,300}"|'[^'\n]{0,300}'|[^\s"'\\]{0,300})/g

/** A unit of systemd, an environment file, a command line as ps prints it. */
export const componentFlags: TextReader = ({ name, text }) => {
  const base = baseOf(name)
  if (/\.(?:ya?ml|json|log|jwt|pem|tf|md)$/i.test(base) || text.length > 1_000_000) return undefined
  const component = components.find((one) => base.includes(one)) ?? components.find((one) => text.includes(one))
  if (component === undefined || !text.includes('--')) return undefined
  const flags: { [name: string]: Json } = {}
  for (const [, flag, value] of text.matchAll(flagWord))
    if (flag !== undefined) flags[flag] = (value ?? '').replace(/^["']|["']$/g, '')
  const isOurs = Object.keys(flags).length > 0 || /^kubelet|^10-kubeadm|^kubeadm-flags/.test(base)
  return isOurs ? { kind: 'ComponentFlags', name: base, content: { components: [{ component, flags }] } } : undefined
}

/** https://kubernetes.io/docs/tasks/administer-cluster/kubelet-credential-provider/ */
export const credentialProviders: Reader = ({ value, file }) => {
  if (!isObject(value) || value.kind !== 'CredentialProviderConfig' || !isList(value.providers)) return undefined
  return {
    kind: 'CredentialProviderConfig',
    name: baseOf(file),
    content: {
      providers: value.providers
        .filter(isObject)
        .map((one) => ({ name: textAt(one, 'name') ?? '', matchImages: textsAt(one, 'matchImages') })),
    },
  }
}

const statements = (value: JsonObject): readonly JsonObject[] =>
  (isList(value.Statement) ? value.Statement : [value.Statement ?? null]).filter(isObject)

/** The permission policy of a node's role, in a file that is called after what such a role is for. */
export const nodeRolePolicy: Reader = ({ value, file, folder }) => {
  if (!isObject(value) || value.Statement === undefined) return undefined
  const own = /(?:^|[-_.])(?:master|control-?plane|worker|nodes?)(?:$|[-_.])/i.test(stemOf(file))
  const elsewhere = /(?:^|\/)(?:policies|inline-policies|attached-policies)$/.test(folder)
  const permits = statements(value).every((one) => one.Principal === undefined && one.NotPrincipal === undefined)
  return own && permits && !elsewhere
    ? { kind: 'IAMRole', name: stemOf(file), content: { policy: value }, beside: true }
    : undefined
}
