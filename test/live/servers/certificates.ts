/** The lane's own certificate authority: certificates for its servers, its clients, and the keys that sign tokens. */
import 'reflect-metadata'
import { createPrivateKey, createPublicKey, generateKeyPairSync, type JsonWebKey, type webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

export type Pair = { readonly cert: string; readonly key: string }

export type Authority = {
  /** The root certificate in PEM. */
  readonly root: string
  /** Good for a month, or until another time. */
  readonly server: (names: readonly string[], until?: Date) => Promise<Pair>
  /** A client's certificate as Kubernetes reads it: the user's name, and the groups in O. */
  readonly client: (user: string, groups: readonly string[]) => Promise<Pair>
  /** A certificate over somebody's public key, for the `x5c` of a key set that has none. */
  readonly over: (key: JsonWebKey) => Promise<KeyCertificate>
}

export type KeyCertificate = {
  /** DER in base64. */
  readonly certificate: string
  /** SHA-1 over it in lower-case hex, as an OIDC provider's thumbprint is written. */
  readonly thumbprint: string
}

const curve = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const day = 24 * 3600 * 1000
const { subtle } = globalThis.crypto
x509.cryptoProvider.set(globalThis.crypto)

const times = () => ({ notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 30 * day) })
const isAddress = (name: string): boolean => /^[\d.]+$/.test(name)

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await subtle.exportKey('pkcs8', key))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString()
}

export async function makeAuthority(name: string): Promise<Authority> {
  const keys = await subtle.generateKey(curve, true, ['sign', 'verify'])
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    ...times(),
    signingAlgorithm: curve,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const leaf = async (
    subject: x509.JsonName,
    usage: x509.ExtendedKeyUsage,
    own: readonly x509.Extension[],
    notAfter = times().notAfter,
  ): Promise<Pair> => {
    const mine = await subtle.generateKey(curve, true, ['sign', 'verify'])
    const cert = await x509.X509CertificateGenerator.create({
      subject,
      issuer: root.subject,
      ...times(),
      notAfter,
      signingAlgorithm: curve,
      publicKey: mine.publicKey,
      signingKey: keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([usage]),
        await x509.AuthorityKeyIdentifierExtension.create(root, false),
        ...own,
      ],
    })
    return { cert: `${cert.toString('pem')}\n`, key: await pemOf(mine.privateKey) }
  }
  return {
    root: `${root.toString('pem')}\n`,
    server: (names, until) => {
      const own = new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isAddress(value) ? ('ip' as const) : ('dns' as const), value })),
      )
      return leaf([{ CN: [names[0] ?? name] }], x509.ExtendedKeyUsage.serverAuth, [own], until)
    },
    client: (user, groups) =>
      leaf([...groups.map((group) => ({ O: [group] })), { CN: [user] }], x509.ExtendedKeyUsage.clientAuth, []),
    over: async (key) => {
      const spki = createPublicKey({ key, format: 'jwk' }).export({ format: 'der', type: 'spki' })
      const cert = await x509.X509CertificateGenerator.create({
        subject: 'CN=service account tokens',
        issuer: root.subject,
        ...times(),
        signingAlgorithm: curve,
        publicKey: new x509.PublicKey(new Uint8Array(spki)),
        signingKey: keys.privateKey,
      })
      return {
        certificate: Buffer.from(cert.rawData).toString('base64'),
        thumbprint: Buffer.from(await cert.getThumbprint('SHA-1')).toString('hex'),
      }
    },
  }
}

/** A key pair that signs tokens (RS256), both halves in PEM: PKCS#8 and SPKI. */
export type SigningKey = { readonly privateKey: string; readonly publicKey: string }

export function makeSigningKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    publicKey: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  }
}
