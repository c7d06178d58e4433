/** A cloud provider's configuration file read into sections and keys: INI in the gcfg dialect, JSON or YAML. Values stay out. */
import { isList, isObject, type Json, type JsonObject } from '../core/json.ts'

export type ConfigKey = {
  readonly key: string
  /** From 1; 0 where the form does not tell. */
  readonly line: number
  readonly state: 'empty' | 'set' | 'placeholder'
  /** Of a key that holds a secret: how many characters, in the place of them. */
  readonly secret?: number
}
export type ConfigSection = { readonly name: string; readonly keys: readonly ConfigKey[] }
export type CloudConfig = {
  readonly sections: readonly ConfigSection[]
  /** The first line that is neither a section, a key nor a comment. */
  readonly bad?: number
}

/** Keys whose value is a secret, whichever provider reads them. */
const secretKeys: ReadonlySet<string> = new Set([
  'password',
  'secret-key',
  'secretkey',
  'api-key',
  'apikey',
  'aadclientsecret',
  'aadclientcertpassword',
  'application-credential-secret',
  'client-secret',
  'clientsecret',
  'token-body',
])

export const isSecretKey = (key: string): boolean => secretKeys.has(key.toLowerCase())

/** The documentation's own words in the place of a value. */
const placeholders =
  /^(?:OS_[A-Z_]{2,40}|<[^<>]{1,80}>|\$\{?[A-Z_]{2,40}\}?|your[-_ ].{1,80}|change[-_]?me|x{4,}|todo|placeholder|1{8}-1{4}-1{4}-1{4}-1{12}|0{8}-0{4}-0{4}-0{4}-0{12})$/i

/** What Azure's own tools write where a managed identity takes the place of a client: https://cloud-provider-azure.sigs.k8s.io/install/configs/ */
const noSecret = /^msi$/i
/** Switched off, it says as much as if it were not there. */
const switches = /^use(?:ManagedIdentity|FederatedWorkloadIdentity)Extension$/i

const keyOf = (key: string, value: string, line: number): ConfigKey => {
  const plain = value.trim().replace(/^(["'])(.*)\1$/, '$2')
  const isOff = switches.test(key) && plain.toLowerCase() !== 'true'
  return {
    key,
    line,
    state: plain === '' || isOff ? 'empty' : placeholders.test(plain) ? 'placeholder' : 'set',
    ...(isSecretKey(key) ? { secret: noSecret.test(plain) ? 0 : plain.length } : {}),
  }
}

type Draft = { readonly name: string; readonly keys: ConfigKey[] }

const sectionLine = /^\[\s{0,9}([\w.-]{1,80})(?:\s{1,9}"[^"]{0,200}")?\s{0,9}\]/
const keyLine = /^([A-Za-z][\w.-]{0,80})\s{0,40}(?:=(.*))?$/

function readIni(lines: readonly string[]): CloudConfig {
  const sections: Draft[] = []
  let here: Draft | undefined
  let bad: number | undefined
  let continued = false
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim()
    const wasContinued = continued
    continued = line.endsWith('\\')
    if (wasContinued || line === '' || line.startsWith('#') || line.startsWith(';')) continue
    const section = sectionLine.exec(line)?.[1]
    if (section !== undefined) {
      here = { name: section, keys: [] }
      sections.push(here)
      continue
    }
    const [, key, value = 'true'] = keyLine.exec(line) ?? []
    if (key === undefined) bad ??= index + 1
    else {
      here ??= { name: '', keys: [] }
      if (!sections.includes(here)) sections.push(here)
      here.keys.push(keyOf(key, value.replace(/\s[#;].*$/, ''), index + 1))
    }
  }
  return { sections, ...(bad === undefined ? {} : { bad }) }
}

const yamlLine = /^(\s{0,40})(?:-\s{1,4})?["']?([A-Za-z][\w.-]{0,80})["']?\s{0,9}:(?:\s(.*))?$/

function readYaml(lines: readonly string[]): CloudConfig {
  const top: Draft = { name: '', keys: [] }
  const sections: Draft[] = [top]
  let here = top
  for (const [index, line] of lines.entries()) {
    const [, indent = '', key, value = ''] = yamlLine.exec(line) ?? []
    if (key === undefined) continue
    const plain = value.replace(/\s#.*$/, '').trim()
    if (indent === '') here = top
    if (indent === '' && plain === '') {
      here = { name: key, keys: [] }
      sections.push(here)
    } else here.keys.push(keyOf(key, plain, index + 1))
  }
  return { sections: sections.filter(({ keys }) => keys.length > 0) }
}

const scalar = (value: Json): string =>
  typeof value === 'string' ? value : value === null || isList(value) || isObject(value) ? '' : String(value)

/** The same of what has been parsed already. */
export function configOfValue(value: JsonObject): CloudConfig {
  const top: Draft = { name: '', keys: [] }
  const sections: Draft[] = [top]
  for (const [name, member] of Object.entries(value)) {
    if (isObject(member))
      sections.push({ name, keys: Object.entries(member).map(([key, inner]) => keyOf(key, scalar(inner), 0)) })
    else top.keys.push(keyOf(name, scalar(member), 0))
  }
  return { sections: sections.filter(({ keys }) => keys.length > 0) }
}

/** Pure; never throws, whatever the text. */
export function readCloudConfig(text: string): CloudConfig {
  const lines = text.split(/\r?\n/).slice(0, 5000)
  const first = lines.find((line) => line.trim() !== '' && !/^\s*[#;]/.test(line))?.trim() ?? ''
  if (first.startsWith('{'))
    try {
      const value: Json = JSON.parse(text)
      if (isObject(value)) return configOfValue(value)
    } catch {
      return { sections: [], bad: 1 }
    }
  const isIni = first.startsWith('[') || lines.some((line) => sectionLine.test(line.trim()))
  return isIni || !lines.some((line) => yamlLine.test(line)) ? readIni(lines) : readYaml(lines)
}

/** Read back from a fact. */
export function cloudConfigIn(json: Json | undefined): CloudConfig | undefined {
  if (!isObject(json) || !isList(json.sections)) return undefined
  const { bad } = json
  return {
    sections: json.sections.filter(isObject).map(({ name, keys }) => ({
      name: typeof name === 'string' ? name : '',
      keys: (isList(keys) ? keys : []).filter(isObject).map(({ key, line, state, secret }) => ({
        key: typeof key === 'string' ? key : '',
        line: typeof line === 'number' ? line : 0,
        state: state === 'empty' || state === 'placeholder' ? state : 'set',
        ...(typeof secret === 'number' ? { secret } : {}),
      })),
    })),
    ...(typeof bad === 'number' ? { bad } : {}),
  }
}

/** As a part of an answer. */
export const configAsJson = ({ sections, bad }: CloudConfig): JsonObject => ({
  sections: sections.map(({ name, keys }) => ({ name, keys: keys.map((one) => ({ ...one })) })),
  ...(bad === undefined ? {} : { bad }),
})

/** Names under which ConfigMaps and Secrets hold such a file. */
export const holdsCloudConfig = (object: string, key: string): boolean =>
  /cloud[-_.]?(?:config|conf|provider)|^(?:vsphere|azure|openstack|gce|aws)\.(?:conf|ini|json|ya?ml|cfg)$/i.test(key) ||
  (/cloud[-_.]?(?:config|conf|provider|controller)/i.test(object) && /conf|config|\.ya?ml$|\.ini$/i.test(key))
