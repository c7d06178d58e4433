/** Adds the thumbprint of the CA that the issuer's host presents to those of the provider. */
import { check } from '../../checks/aws/oidc-provider-thumbprint-matches.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { changeThumbprints } from '../../domain/aws-role-changes.ts'
import { parseProviderArn } from '../../domain/aws-trust-provider.ts'
import { pinnedThumbprints } from '../../probes/cluster/thumbprints.ts'

const needs = { pinnedThumbprints }
type Data = { readonly host: string; readonly expected: string; readonly arn: string }

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateOpenIDConnectProviderThumbprint.html */
const most = 5

/** The call replaces the whole list, so what stands there stays in it; whether the CA is theirs is asked of a person. */
function pin({ have, data }: ProposalBrief<typeof needs, Record<never, never>, Data>): Proposal {
  const account = parseProviderArn(data.arn)?.accountId
  const pinned = have.pinnedThumbprints.state === 'absent' ? [] : have.pinnedThumbprints.value
  const isWhole = /^[0-9a-f]{40}$/.test(data.expected)
  if (account === undefined || !isWhole || pinned.includes(data.expected) || pinned.length >= most) return byHand
  const summary = `Add thumbprint ${data.expected}, the CA that ${data.host} presents, to the provider of account ${account}`
  const next = [...pinned, data.expected]
  return [{ summary, safety: 'review', ...changeThumbprints(account, data.arn, pinned, next) }]
}

export const fixer = defineFixer(check, { needs, wants: {}, proposals: { 'leaf-stored': pin, 'none-matches': pin } })
