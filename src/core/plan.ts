/** Changes as data: what a fixer proposes, what a rehearsal lays over the world, what apply carries out, what a renderer shows. */
import type { Brief, Check, CheckId, MessageData, Safety } from './check.ts'
import type { Needs, Question } from './fact.ts'
import type { Finding, Result } from './finding.ts'
import type { Json, JsonObject } from './json.ts'
import type { Subject } from './subject.ts'

/** One write, as data of the same shape as a question and named after the permission that it needs; nothing in it runs by itself. */
export type Change = Question

/** Keys and indexes into an answer. The empty path is the whole answer; `-` at its end joins a list, as in a JSON pointer. */
export type Path = readonly (string | number)[]

/** What one answer says before and after; left out where there is nothing there. */
export type Effect = {
  readonly question: Question
  readonly path: Path
  readonly before?: Json
  readonly after?: Json
}

/** Who would put the old value back: the tool that wrote the object, by which mark, and where its copy is. */
export type Owner = { readonly tool: string; readonly mark: string; readonly where: string }

export type Action = {
  /** In the imperative, without a full stop: "Add the exact subject … to the trust policy of role cart". */
  readonly summary: string
  /** `review` is asked about before it is done. What is `manual` is no action. */
  readonly safety: Exclude<Safety, 'manual'>
  readonly change: Change
  /** For the rehearsal and for the diff that a person sees; the first is the change itself. */
  readonly effects: readonly [Effect, ...Effect[]]
  /** What takes it back; null where nothing does, or need. */
  readonly undo: Change | null
  readonly owner?: Owner
}

/** What only a person can do: sentences on the first line, a command on each other one. */
export type Manual = { readonly manual: string }
/** As the finding's own remedy says. */
export const byHand: Manual = { manual: '' }
/** The actions that put one finding right, in order; or words. */
export type Proposal = readonly Action[] | Manual

/** What a fixer is handed: the failed finding with its message's data, and its facts as a check would get them. */
export type ProposalBrief<N extends Needs, W extends Needs, D> = Brief<N, W> & {
  readonly data: D
  readonly finding: Finding
}

export interface Fixer {
  readonly check: CheckId
  /** Facts without which nothing can be proposed. */
  readonly needs: Needs
  readonly wants: Needs
  /** By message id. A message that is not here is put right by hand, as its remedy says. */
  readonly proposals: {
    // biome-ignore lint/suspicious/noExplicitAny: typed where the fixer is defined, erased where fixers are kept together
    readonly [message: string]: ((brief: any) => Proposal) | undefined
  }
}

/** A check that still knows its messages: what `defineCheck` returns. */
type Fixable<M> = Check & { readonly messages: M }

/** Defines what puts a check's findings right; the compiler refuses a message that the check does not have, and types the data of each. */
export const defineFixer = <
  // biome-ignore lint/suspicious/noExplicitAny: as with messages
  const M extends { readonly [id: string]: (data: any) => string },
  const N extends Needs,
  const W extends Needs,
>(
  check: Fixable<M>,
  fixer: {
    readonly needs: N
    readonly wants: W
    readonly proposals: { readonly [K in keyof M]?: (brief: ProposalBrief<N, W, Parameters<M[K]>[0]>) => Proposal }
  },
): Fixer => ({ check: check.meta.id, needs: fixer.needs, wants: fixer.wants, proposals: { ...fixer.proposals } })

/** What an action or a sentence is for. */
export type Reason = {
  readonly check: CheckId
  readonly subject: Subject
  readonly messageId: string
  readonly message: string
  readonly data?: MessageData
}

export type PlannedAction = Action & {
  readonly for: readonly Reason[]
  /** The same change as a person would type it, and what takes it back; left out where there is no such command. */
  readonly command?: string
  readonly undoCommand?: string
  /** The same change as a repository would hold it. */
  readonly document: JsonObject
  /** Actions of one round touch nothing in common; those of the next are proposed as if they had been carried out. */
  readonly round: number
}

export type Plan = {
  readonly actions: readonly PlannedAction[]
  /** What only a person can do. */
  readonly manual: readonly (Reason & { readonly words: string })[]
  /** Failed findings for which nothing can be proposed, and why. */
  readonly leaves: readonly (Reason & { readonly why: string })[]
  readonly before: Result
  /** The verdict over the world as it would be; what only an act can prove (a token exchange) is left out of it. */
  readonly rehearsed: Result
  /** What would fail after the plan, in words. */
  readonly remains: readonly Reason[]
}

/** What a renderer of plans sees, and nothing else. */
export type PlanReport = {
  readonly schema: 'kubectl-wi/plan/v1'
  readonly tool: { readonly name: 'kubectl-wi'; readonly version: string }
  readonly source: string
  readonly plan: Plan
  readonly notes: readonly string[]
}
