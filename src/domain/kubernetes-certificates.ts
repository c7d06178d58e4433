/** Public certificates out of Secrets: the one part of their data that a check may see. */
import type { Json, JsonObject } from '../core/json.ts'

const longest = 100_000

function isCertificate(base64: string): boolean {
  try {
    const text = atob(base64)
    return text.startsWith('-----BEGIN CERTIFICATE-----') && !text.includes('PRIVATE')
  } catch {
    return false
  }
}

/** The serving certificate and its authority; a value in which a private key stands beside them is left out. */
export function pickCertificates(data: JsonObject): JsonObject {
  const found: { [key: string]: Json } = {}
  for (const name of ['tls.crt', 'ca.crt']) {
    const value = data[name]
    if (typeof value === 'string' && value.length < longest && isCertificate(value)) found[name] = value
  }
  return found
}
