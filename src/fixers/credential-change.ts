/** One federated credential more, or one rewritten, so that it says what the token says. */
import type { Fact } from '../core/fact.ts'
import { type Action, byHand, type Proposal } from '../core/plan.ts'
import {
  addCredential,
  type CredentialList,
  freeName,
  mayTrust,
  rewriteCredential,
  type Trusted,
} from '../domain/azure-changes.ts'
import { mostCredentials } from '../domain/azure-credentials.ts'
import { type Credentials, credentials } from '../probes/azure/credentials.ts'
import { type Match, match } from '../probes/azure/match.ts'

export const credentialNeeds = { match, credentials }

type Seen = { readonly match: Fact<Match>; readonly credentials: Fact<Credentials> }

/** AKS writes and owns it: https://learn.microsoft.com/azure/aks/identity-bindings */
const ofAks = 'aks-identity-binding'

function parts({ match, credentials }: Seen) {
  if (match.state !== 'known' || credentials.state !== 'known') return undefined
  const { issuer, subject, audience } = match.value.assertion
  const { holder, owner } = credentials.value
  if (holder === undefined || issuer === undefined || subject === undefined || audience === undefined) return undefined
  const trusted: Trusted = { issuer: issuer.value, subject: subject.value, audience: audience.value }
  const list: CredentialList = { question: credentials.from, holder, owner }
  return mayTrust(trusted) ? { list, trusted, seen: credentials.value } : undefined
}

/** Beside those that are there, while the identity has a place left. */
export function addOne({ have }: { readonly have: Seen }): Proposal {
  const found = parts(have)
  if (found === undefined) return byHand
  const { list, trusted, seen } = found
  if (!seen.complete || seen.own.length >= mostCredentials) return byHand
  const name = freeName(
    trusted.subject,
    seen.own.map((one) => one.name),
  )
  const summary = `Add federated credential ${name} for ${trusted.subject} of issuer ${trusted.issuer} to identity ${seen.identity}`
  return [{ summary, safety: 'review', ...addCredential(list, name, trusted) }]
}

/** Of the named credential only the members that the finding names: where more differs, somebody else goes by it. */
export const rewriteOne =
  (...members: readonly ('issuer' | 'subject' | 'audience')[]) =>
  ({ have, data: { name } }: { readonly have: Seen; readonly data: { readonly name: string } }): Proposal => {
    const found = parts(have)
    if (found === undefined || name === ofAks) return byHand
    const { list, trusted, seen } = found
    const named = seen.own.filter((one) => one.name === name)
    const [before] = named
    if (before === undefined || named.length > 1) return byHand
    const { subject, at, audiences, issuer } = before
    if (subject === undefined || at === undefined || audiences.length !== 1) return byHand
    const next: Trusted = {
      issuer: members.includes('issuer') ? trusted.issuer : issuer,
      subject: members.includes('subject') ? trusted.subject : subject,
      audience: members.includes('audience') ? trusted.audience : (audiences[0] ?? ''),
    }
    if (!mayTrust(next)) return byHand
    const words = members.map((one) => `${one} ${next[one]}`).join(' and ')
    const action: Action = {
      summary: `Have federated credential ${name} of identity ${seen.identity} say ${words}`,
      safety: 'review',
      ...rewriteCredential(list, { ...before, subject, at }, next),
    }
    return [action]
  }
