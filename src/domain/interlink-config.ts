/** InterLinkConfig.yaml of a virtual kubelet: where remote pods are told that the Kubernetes API is, and whether they get tokens. */
import { LineCounter, parseDocument } from 'yaml'
import { isObject, type Json } from '../core/json.ts'

export type InterLinkConfig = {
  /** Empty where it is not set. */
  readonly address: string
  readonly port: string
  readonly ca: string
  readonly disablesVolumes: boolean
  readonly verbose: boolean
  /** Of a plugin; left out where it is no plugin's. */
  readonly exportsPodData?: boolean
  /** It tells something of the API at all: a plugin's does not. */
  readonly ofKubelet: boolean
}
export type Unparsed = { readonly line: number; readonly reason: string }

const text = (value: Json | undefined): string =>
  typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : ''
const isTrue = (value: Json | undefined): boolean => value === true || value === 'true'

export const interLinkIn = (value: Json): InterLinkConfig => {
  const config = isObject(value) ? value : {}
  return {
    address: text(config.KubernetesApiAddr),
    port: text(config.KubernetesApiPort),
    ca: text(config.KubernetesApiCaCrt),
    disablesVolumes: isTrue(config.DisableProjectedVolumes),
    verbose: isTrue(config.VerboseLogging),
    ...(config.ExportPodData === undefined ? {} : { exportsPodData: isTrue(config.ExportPodData) }),
    ofKubelet: config.ExportPodData === undefined || config.KubernetesApiAddr !== undefined,
  }
}

/** Lines are those of the inner text, from 1. */
export function parseInterLink(yaml: string): InterLinkConfig | Unparsed {
  const lines = new LineCounter()
  const document = parseDocument(yaml, { lineCounter: lines, logLevel: 'silent', prettyErrors: false })
  const [error] = document.errors
  if (error !== undefined) {
    const code = error.code.toLowerCase().replaceAll('_', ' ')
    return { line: lines.linePos(error.pos[0]).line, reason: code }
  }
  const value: Json = document.toJS({ maxAliasCount: 20 })
  return isObject(value) ? interLinkIn(value) : { line: 1, reason: 'it is no mapping' }
}

/** An address that only exists inside the cluster, or on the machine itself. */
export const isInternal = (address: string): boolean =>
  /(?:^|\.)svc(?:\.|$)|\.cluster\.local\.?$|^localhost$|^127\.|^\[?::1\]?$/i.test(address.replace(/^https?:\/\//, ''))
