/** Certificates out of PEM, in base64 as the API serves them or plain, as far as a check compares them. */

export type Parsed = {
  readonly subject: string
  readonly issuer: string
  readonly notBefore: number
  readonly notAfter: number
  readonly names: readonly string[]
  /** SHA-256 of the whole certificate, in hex. */
  readonly fingerprint: string
  readonly serial: string
  readonly pem: string
}
export type Bundle = { readonly certificates: readonly Parsed[]; readonly bad: number }

const block = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,65536}-----END CERTIFICATE-----/g
const most = 50

const library = async () => {
  // x509's dependency injection looks for this polyfill while it is being loaded.
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  x509.cryptoProvider.set(globalThis.crypto)
  return x509
}

const hex = (bytes: ArrayBuffer): string =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('')

/** Base64 of PEM → PEM; a text that is none stays as it is. */
export function plainPem(text: string): string {
  if (text.includes('-----BEGIN')) return text
  try {
    return atob(text.replace(/\s+/g, ''))
  } catch {
    return text
  }
}

/** What cannot be read is counted, at least one where there is a text and no certificate in it. */
export async function readPem(text: string): Promise<Bundle> {
  const plain = plainPem(text)
  const blocks = plain.match(block)?.slice(0, most) ?? []
  const begun = plain.split('-----BEGIN CERTIFICATE-----').length - 1
  if (blocks.length === 0) return { certificates: [], bad: text.trim() === '' ? 0 : Math.max(begun, 1) }
  const x509 = await library()
  const certificates: Parsed[] = []
  let bad = Math.max(0, Math.min(begun, most) - blocks.length)
  for (const one of blocks)
    try {
      const read = new x509.X509Certificate(one)
      const names = read.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON() ?? []
      certificates.push({
        subject: read.subject,
        issuer: read.issuer,
        notBefore: read.notBefore.getTime(),
        notAfter: read.notAfter.getTime(),
        names: names.map(({ value }) => value),
        fingerprint: hex(await read.getThumbprint('SHA-256')),
        serial: read.serialNumber,
        pem: one,
      })
    } catch {
      bad += 1
    }
  return { certificates, bad }
}

/** Which of these authorities has signed the certificate; a certificate that is among them stands for itself. */
export async function signerOf(leaf: Parsed, authorities: readonly Parsed[]): Promise<Parsed | undefined> {
  const itself = authorities.find(({ fingerprint }) => fingerprint === leaf.fingerprint)
  if (itself !== undefined) return itself
  const x509 = await library()
  const certificate = new x509.X509Certificate(leaf.pem)
  for (const one of authorities.filter(({ subject }) => subject === leaf.issuer)) {
    const publicKey = new x509.X509Certificate(one.pem).publicKey
    const signed = await certificate.verify({ publicKey, signatureOnly: true }).catch(() => false)
    if (signed) return one
  }
  return undefined
}
