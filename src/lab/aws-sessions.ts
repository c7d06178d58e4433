/** The sessions that the lab's AWS has given out, by access key, so that it knows whoever comes back with one. */
import { createHash, randomBytes } from 'node:crypto'
import { madeUpId, type Role } from './aws-accounts.ts'

export type Session = {
  readonly Arn: string
  readonly UserId: string
  readonly Account: string
  readonly role: Role
}
export type Sessions = Map<string, Session>

type SessionOrder = {
  readonly role: Role
  readonly account: string
  readonly partition: string
  /** Its name. */
  readonly session: string
  readonly seconds: number
  /** Milliseconds. */
  readonly now: number
}
type SessionKeys = {
  readonly SessionToken: string
  readonly SecretAccessKey: string
  readonly Expiration: string
  readonly AccessKeyId: string
}

/** A new session with credentials made up for it; they open nothing outside the lab. */
export function newSession(
  sessions: Sessions,
  { role, account, partition, session, seconds, now }: SessionOrder,
): { readonly keys: SessionKeys; readonly Arn: string; readonly UserId: string } {
  const AccessKeyId = `ASIA${createHash('sha256').update(randomBytes(16)).digest('hex').toUpperCase().slice(0, 16)}`
  const who = {
    Arn: `arn:${partition}:sts::${account}:assumed-role/${role.name}/${session}`,
    UserId: `${madeUpId('AROA', role.arn)}:${session}`,
  }
  sessions.set(AccessKeyId, { ...who, Account: account, role })
  const keys = {
    SessionToken: randomBytes(96).toString('base64'),
    SecretAccessKey: randomBytes(30).toString('base64'),
    Expiration: `${new Date(now + seconds * 1000).toISOString().slice(0, 19)}Z`,
    AccessKeyId,
  }
  return { keys, ...who }
}
