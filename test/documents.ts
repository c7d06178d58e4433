/** Documents in memory for the tests of what is read from them: a ServiceAccount, an issuer's key, a token. */
import { generateKeyPairSync, sign } from 'node:crypto'
import type { Fact, Question, Source } from '../src/core/fact.ts'
import type { Json } from '../src/core/json.ts'
import { documentsFrom } from '../src/sources/documents/index.ts'

export const told = (source: Source, question: Question): Fact<Json> => {
  const fact = source.ask(question)
  if (fact instanceof Promise) throw new Error('documents answer at once')
  return fact
}
export const answerOf = (source: Source, question: Question): Json => {
  const fact = told(source, question)
  if (fact.state !== 'known') throw new Error(`${question.call} is ${JSON.stringify(fact)}`)
  return fact.value
}
export const from = (files: { readonly [name: string]: string | Json }) =>
  documentsFrom(
    Object.entries(files).map(([name, text]) => ({
      name,
      text: typeof text === 'string' ? text : JSON.stringify(text),
    })),
  )

export const base64 = (value: Json): string => Buffer.from(JSON.stringify(value)).toString('base64url')
export const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
export const key = { ...pair.publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'ES256' }
export const claims = {
  iss: 'https://issuer.example.com',
  sub: 'system:serviceaccount:shop:cart',
  aud: ['sts.amazonaws.com'],
  exp: 1767225600,
  iat: 1767222000,
}
export function minted(header: { readonly [key: string]: Json } = { alg: 'ES256', kid: 'k1' }): string {
  const signed = `${base64(header)}.${base64(claims)}`
  const signature = sign('sha256', Buffer.from(signed), { key: pair.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}
export const cart = { namespace: 'shop', name: 'cart', audience: 'sts.amazonaws.com' }

export const account = (name: string, namespace?: string, uid?: string): Json => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name, ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }) },
})
