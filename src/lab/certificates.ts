/** One authority per run of the lab, and the leaf certificates that its listeners present. */

export type Authority = {
  /** The root certificate in PEM. */
  readonly root: string
  /** A leaf for these DNS names and IP addresses, with its private key, both in PEM. */
  readonly leaf: (names: readonly string[]) => Promise<{ readonly cert: string; readonly key: string }>
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const day = 24 * 3600 * 1000
const isAddress = (name: string): boolean => /^[\d.]+$/.test(name) || name.includes(':')

/** Makes a new authority. Its keys live in memory only and end with the process. */
export async function makeAuthority(): Promise<Authority> {
  // x509's dependency injection looks for this polyfill while it is being loaded.
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const { subtle } = globalThis.crypto
  x509.cryptoProvider.set(globalThis.crypto)
  const newKeys = () => subtle.generateKey(algorithm, true, ['sign', 'verify'])
  // A clock that is a little behind must not turn a good certificate into one of tomorrow.
  const notBefore = new Date(Date.now() - day)
  const notAfter = new Date(Date.now() + 90 * day)
  const keys = await newKeys()
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=kubectl wi lab',
    notBefore,
    notAfter,
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const leaf: Authority['leaf'] = async (names) => {
    const own = await newKeys()
    const cert = await x509.X509CertificateGenerator.create({
      subject: 'CN=kubectl wi lab server',
      issuer: root.subject,
      notBefore,
      notAfter,
      signingAlgorithm: algorithm,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: isAddress(value) ? ('ip' as const) : ('dns' as const), value })),
        ),
        await x509.AuthorityKeyIdentifierExtension.create(root, false),
      ],
    })
    const key = Buffer.from(await subtle.exportKey('pkcs8', own.privateKey)).toString('base64')
    const lines = key.match(/.{1,64}/g) ?? []
    return {
      cert: `${cert.toString('pem')}\n`,
      key: ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n'),
    }
  }
  return { root: `${root.toString('pem')}\n`, leaf }
}
