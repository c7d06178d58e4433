/** Which settings a credentials file in a Secret names, never their values. */
import { isList, isObject, type Json, type JsonObject } from '../core/json.ts'

/** Made by clusterctl, for which the file may also be an empty line: https://cluster-api-aws.sigs.k8s.io/topics/using-clusterawsadm-to-fulfill-prerequisites */
const file = { secret: 'capa-manager-bootstrap-credentials', key: 'credentials' }
const longest = 20_000

function plain(from: JsonObject): string | undefined {
  const written = isObject(from.stringData) ? from.stringData[file.key] : undefined
  if (typeof written === 'string') return written
  const encoded = isObject(from.data) ? from.data[file.key] : undefined
  if (typeof encoded !== 'string' || encoded.length > longest) return undefined
  try {
    return atob(encoded)
  } catch {
    return undefined
  }
}

/** Undefined for every other Secret; what was picked before has them already. */
export function settingsIn(from: JsonObject): Json | undefined {
  if (isList(from.settings)) return from.settings.filter((one) => typeof one === 'string')
  const { metadata } = from
  if (!isObject(metadata) || metadata.name !== file.secret) return undefined
  const text = plain(from)
  if (text === undefined) return undefined
  return text.split('\n').flatMap((line) => /^\s*([a-z_]{1,40})\s*=\s*\S/.exec(line)?.[1] ?? [])
}
