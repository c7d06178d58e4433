/** What one fixer proposes for one failed finding, with the facts that the examination has of its subject. */
import type { Meta } from '../core/check.ts'
import type { Examination } from '../core/engine.ts'
import type { Fact, Needs } from '../core/fact.ts'
import type { Finding } from '../core/finding.ts'
import type { Fixer, Proposal } from '../core/plan.ts'

type Facts = { readonly [name: string]: Fact<unknown> }

async function gathered(needs: Needs, { subject }: Finding, fact: Examination['fact']): Promise<Facts> {
  const facts = await Promise.all(
    Object.entries(needs).map(async ([name, probe]) => [name, await fact(probe, subject)] as const),
  )
  return Object.fromEntries(facts)
}

/** The actions; or the words of whatever says best what to do by hand; or why nothing can be proposed. */
export async function propose(
  finding: Finding,
  fixer: Fixer | undefined,
  meta: Meta | undefined,
  fact: Examination['fact'],
): Promise<Proposal | { readonly why: string }> {
  const words = finding.remedy?.words ?? meta?.fix?.does ?? finding.message
  const make = fixer?.proposals[finding.messageId ?? '']
  if (fixer === undefined || make === undefined) return { manual: words }
  const have = await gathered(fixer.needs, finding, fact)
  const missing = Object.values(have).find((one) => one.state === 'unknown')
  if (missing?.state === 'unknown') {
    const lift = missing.lift === undefined ? '' : `; ${missing.lift}`
    return { why: `what has to be changed was not seen: ${missing.detail}${lift}` }
  }
  const want = await gathered(fixer.wants, finding, fact)
  let proposal: Proposal
  try {
    proposal = make({ finding, data: finding.data ?? {}, have, want, subject: finding.subject })
  } catch (error) {
    return { why: `this is a bug in kubectl wi: ${error instanceof Error ? error.message : String(error)}` }
  }
  if ('manual' in proposal) return { manual: proposal.manual === '' ? words : proposal.manual }
  return proposal.length === 0 ? { manual: words } : proposal
}
