/** Recognises the documents of interLink: its configuration, the values of its chart, and the nginx server block of its guide. */
import { isObject, type Json, type JsonObject, textAt } from '../../core/json.ts'
import { readServerBlock } from '../../domain/nginx.ts'
import type { Reader, TextReader } from './configurations.ts'

const baseOf = (name: string): string => name.split(/[\\/]/).at(-1) ?? name

/** Keys of InterLinkConfig.yaml that a check looks at; any of these tells it apart. */
const marks = [
  'KubernetesApiAddr',
  'KubernetesApiPort',
  'KubernetesApiCaCrt',
  'DisableProjectedVolumes',
  'InterlinkURL',
  'VKTokenFile',
]

const kept = [
  'KubernetesApiAddr',
  'KubernetesApiPort',
  'KubernetesApiCaCrt',
  'DisableProjectedVolumes',
  'ServiceAccount',
  'Namespace',
  'VerboseLogging',
  'ErrorsOnlyLogging',
  'ExportPodData',
]

const picked = (value: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(names.flatMap((name) => (value[name] === undefined ? [] : [[name, value[name] ?? null]])))

/** The configuration itself, of the virtual kubelet, of interLink or of a plugin. */
export const interLinkConfig: Reader = ({ value, file }) => {
  if (!isObject(value) || value.apiVersion !== undefined) return undefined
  if (!marks.some((name) => value[name] !== undefined)) return undefined
  return { kind: 'InterLinkConfig', name: baseOf(file), content: { config: picked(value, kept) } }
}

/** A plugin's configuration: https://github.com/interlink-hq/interlink-slurm-plugin */
export const interLinkPlugin: Reader = ({ value, file }) => {
  if (!isObject(value) || value.apiVersion !== undefined || value.ExportPodData === undefined) return undefined
  return { kind: 'InterLinkConfig', name: baseOf(file), content: { config: picked(value, kept) } }
}

const valueNames: { readonly [name: string]: string } = {
  kubernetesApiAddr: 'KubernetesApiAddr',
  kubernetesApiPort: 'KubernetesApiPort',
  kubernetesApiCaCrt: 'KubernetesApiCaCrt',
  disableProjectedVolumes: 'DisableProjectedVolumes',
}

/** Values of the Helm chart. */
export const interLinkValues: Reader = ({ value, file }) => {
  if (!isObject(value) || value.apiVersion !== undefined || !isObject(value.interlink)) return undefined
  const { interlink } = value
  const node = textAt(value, 'nodeName')
  if (node === undefined && !Object.keys(valueNames).some((name) => interlink[name] !== undefined)) return undefined
  const config: { [name: string]: Json } = {}
  for (const [from, to] of Object.entries(valueNames))
    if (interlink[from] !== undefined) config[to] = interlink[from] ?? null
  return {
    kind: 'InterLinkConfig',
    name: baseOf(file),
    content: { config, ...(node === undefined ? {} : { node }) },
  }
}

const portOf = (value: JsonObject): Json | undefined =>
  isObject(value.service) && isObject(value.service.ports) ? value.service.ports.http : undefined

/** Values of the nginx chart with a server block in them. */
export const nginxValues: Reader = ({ value, file }) => {
  if (!isObject(value)) return undefined
  const block = value.apiVersion === undefined ? textAt(value, 'serverBlock') : undefined
  if (block === undefined) return undefined
  const read = readServerBlock(block)
  const port = portOf(value)
  return read === undefined
    ? undefined
    : { kind: 'NginxServerBlock', name: baseOf(file), content: { ...read, ...(port === undefined ? {} : { port }) } }
}

export const nginxBlock: TextReader = ({ name, text }) => {
  if (!/\.conf$/i.test(name) || text.length > 1_000_000) return undefined
  const read = readServerBlock(text)
  return read === undefined ? undefined : { kind: 'NginxServerBlock', name: baseOf(name), content: read }
}
