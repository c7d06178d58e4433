/** Which variables of a container a check may see with their values: those that name an identity, a place or a file, never a secret. */
import { isObject, type Json, type JsonObject } from '../core/json.ts'

type Draft = { [key: string]: Json }

const visible: ReadonlySet<string> = new Set([
  'AWS_ROLE_ARN',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_STS_REGIONAL_ENDPOINTS',
  'AWS_PROFILE',
  'AWS_ROLE_SESSION_NAME',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_EC2_METADATA_DISABLED',
  'ENABLE_PREFIX_DELEGATION',
  'AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG',
  'ENABLE_IPv6',
  'AZURE_CLIENT_ID',
  'AZURE_TENANT_ID',
  'AZURE_FEDERATED_TOKEN_FILE',
  'AZURE_AUTHORITY_HOST',
  'GOOGLE_APPLICATION_CREDENTIALS',
  'GOOGLE_CLOUD_PROJECT',
  'GCE_METADATA_HOST',
  'AZURE_STORAGE_AUTH_TYPE',
  'AZURE_STORAGE_SPN_CLIENT_ID',
  'AZURE_STORAGE_SPN_TENANT_ID',
  'AZURE_STORAGE_AAD_ENDPOINT',
  'AZURE_STORAGE_IDENTITY_CLIENT_ID',
  'AZURE_OAUTH_TOKEN_FILE',
  'GCE_METADATA_IP',
  'CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
])

/** Of rclone, which reads every option from the environment too. */
const ofRclone = /^RCLONE_(?:[A-Z0-9_]{1,60}_)?(?:ENV_AUTH|USE_MSI|TYPE|PROVIDER)$/

/** `https://user:password@proxy:3128` → `https://proxy:3128`; a proxy is often written without the scheme. */
function withoutUserInfo(value: string): string {
  const at = value.lastIndexOf('@')
  if (at < 0) return value
  const scheme = value.indexOf('://')
  return `${scheme >= 0 && scheme < at ? value.slice(0, scheme + 3) : ''}${value.slice(at + 1)}`
}

const carriesAddress = (name: string): boolean =>
  name.startsWith('AWS_ENDPOINT_URL') ||
  name.endsWith('_PROXY') ||
  name.endsWith('_proxy') ||
  name === 'AZURE_AUTHORITY_HOST'

/** The kind of reference with the names in it: secretKeyRef {name, key}, fieldRef {fieldPath}, … */
export function pickReference(from: JsonObject): JsonObject {
  const draft: Draft = {}
  for (const kind in from) {
    const reference = from[kind]
    if (!isObject(reference)) continue
    const named: Draft = {}
    for (const name of ['name', 'key', 'fieldPath', 'resource', 'optional']) {
      const value = reference[name]
      if (value !== undefined) named[name] = value
    }
    draft[kind] = named
  }
  const { prefix } = from
  return typeof prefix === 'string' ? { ...draft, prefix } : draft
}

/** One object per name: a cluster has the same few variables in thousands of pods. */
const hiddenOnes = new Map<string, JsonObject>()
const mostHiddenOnes = 10_000

function hidden(name: string): JsonObject {
  const held = hiddenOnes.get(name)
  if (held !== undefined) return held
  const one = Object.freeze({ name, hidden: true })
  if (hiddenOnes.size < mostHiddenOnes) hiddenOnes.set(name, one)
  return one
}

/** A variable whose value is not looked at is marked `hidden`, to be told from an empty one. */
export function pickVariable(from: JsonObject): JsonObject {
  const { name, value, valueFrom } = from
  if (typeof name !== 'string') return {}
  if (isObject(valueFrom)) return { name, valueFrom: pickReference(valueFrom) }
  if (value === undefined) return from.hidden === undefined ? { name } : hidden(name)
  if (typeof value === 'string' && (visible.has(name) || name.startsWith('AWS_ENDPOINT_URL') || ofRclone.test(name))) {
    // Where a file name belongs, some put the whole key.
    if (value.length <= 2048 && !value.includes('{'))
      return { name, value: carriesAddress(name) ? withoutUserInfo(value) : value }
  }
  return hidden(name)
}
