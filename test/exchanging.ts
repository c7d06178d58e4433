/** What tests of exchange-test have in common: tokens of a pod, the secrets that nobody may see again, and the steps of a report. */
import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import type { Lab } from '../src/lab/lab.ts'
import { sentence } from './running.ts'

export type Claims = {
  readonly aud?: string
  readonly sub?: string
  /** Seconds until it expires. */
  readonly left?: number
}
export type Told = {
  readonly id: string
  readonly status: string
  readonly says: string
  readonly lift?: string
  readonly answer?: { readonly code: string; readonly message: string; readonly endpoint?: string }
  readonly causes?: readonly { readonly check: string }[]
}
export type Ran = { readonly code: number; readonly out: string; readonly err: string }

export const subject = 'system:serviceaccount:shop:cart'

/** Every step of a token from the pod to the cloud's own answer. */
export const proven = {
  identity: 'pass',
  token: 'pass',
  claims: 'pass',
  signature: 'pass',
  exchange: 'pass',
  'who-am-i': 'pass',
}

/** Secrets that were handed out, made up or minted, looked for in whatever is written. */
export function canaries() {
  const known = new Set<string>()
  return {
    known,
    /** For `startLab`: credentials in any answer of the lab. */
    overhear: (body: string): void => {
      for (const [, secret = ''] of body.matchAll(/<(?:SecretAccessKey|SessionToken|AccessKeyId)>([^<]+)</g))
        known.add(secret)
      for (const [, secret = ''] of body.matchAll(
        /"(?:SecretAccessKey|[Tt]oken|AccessKeyId|access_token|accessToken)": ?"([^"]+)"/g,
      ))
        known.add(secret)
    },
    /** Something new and secret. */
    made: (prefix = ''): string => {
      const one = prefix + randomBytes(24).toString('base64url')
      known.add(one)
      return one
    },
    /** A token of the ServiceAccount as the lab's cluster signs it; only its header may be seen again. */
    token: async (
      lab: Lab,
      { aud = 'sts.amazonaws.com', sub = subject, left = 3600 }: Claims = {},
    ): Promise<string> => {
      const exp = Math.floor(Date.now() / 1000) + left
      const own = { namespace: 'shop', serviceaccount: { name: 'cart', uid: 'u' }, pod: { name: 'cart-0' } }
      const claims = { iss: lab.issuer, sub, aud: [aud], exp, iat: exp - 7200, nbf: exp - 7200, 'kubernetes.io': own }
      const text = await lab.sign(claims)
      for (const part of [text, ...text.split('.').slice(1)]) known.add(part)
      return text
    },
    /** Fails where any of them, or a stack, is in what was written. */
    silentIn: (text: string): void => {
      for (const secret of known) expect(text).not.toContain(secret)
      sentence(text)
    },
  }
}

/** The steps of all proofs of a report in JSON, in their order. */
export const stepsOf = ({ out }: Pick<Ran, 'out'>): readonly Told[] =>
  JSON.parse(out).proofs.flatMap((one: { readonly steps: readonly Told[] }) => one.steps)
/** The first proof's, by their ids. */
export const steps = ({ out }: Pick<Ran, 'out'>): { readonly [id: string]: Told } =>
  Object.fromEntries(JSON.parse(out).proofs[0].steps.map((step: Told) => [step.id, step]))
export const statuses = (ran: Pick<Ran, 'out'>): { readonly [id: string]: string } =>
  Object.fromEntries(Object.values(steps(ran)).map(({ id, status }) => [id, status]))
