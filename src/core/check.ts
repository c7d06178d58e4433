/** One judgement over facts about one subject: its papers, its needs, its words and its verdict. */
import type { Have, Needs, Probe, Question, Wanted } from './fact.ts'
import type { Json } from './json.ts'
import type { Scope, Subject } from './subject.ts'

/** The path below src/checks, without `.ts`: `aws/role-exists`. Public and permanent. */
export type CheckId = `${string}/${string}`
export type Cloud = 'any' | 'aws' | 'azure' | 'gcp'
/** error: the workload cannot get or use its identity. warning: it works but is unsafe, fragile or about to break. */
export type Severity = 'error' | 'warning' | 'info'
/** safe: reversible and local. review: changes trust, permission or a running workload. manual: described, never run. */
export type Safety = 'safe' | 'review' | 'manual'

export type Meta = {
  readonly id: CheckId
  /** States the good state: "The role's trust policy admits this ServiceAccount's token". */
  readonly title: string
  readonly severity: Severity
  readonly scope: Scope
  /** Of the scope object: the kinds that it judges, such as Role. */
  readonly kinds?: readonly string[]
  readonly cloud: Cloud
  /** The heading under which people read it: Issuer, Trust, Workload, Storage, … */
  readonly section: string
  readonly why: string
  readonly fix?: { readonly safety: Safety; readonly does: string }
  readonly links: readonly [string, ...string[]]
}

/** What was seen, where, and what should have been seen. `words` name the two sides: the policy `wants`, the token `presents`. */
export type Evidence = {
  readonly question: Question
  readonly path: string
  readonly observed: Json
  readonly expected?: Json
  readonly words?: { readonly observed: string; readonly expected: string }
}

/**
 * What puts this one case right: the first line of `words` is for a person, each other line is a command; and where it is one element of a
 * document: which, from what, to what.
 */
export type Remedy = { readonly words: string; readonly path?: string; readonly from?: string; readonly to?: string }

/** What a message is filled with; everything in it may be printed. */
export type MessageData = { readonly [name: string]: string | number }

// biome-ignore lint/suspicious/noExplicitAny: each message types its own data; the table of all of them cannot
export type Messages = { readonly [id: string]: (data: any) => string }

/** What a message takes, as far as it may be printed; nothing where it takes nothing. */
type Printable<T> = T extends undefined ? T : T & MessageData

export type Verdict<M extends Messages = Messages> =
  | { readonly status: 'pass'; readonly evidence: readonly Evidence[] }
  | { readonly status: 'not-applicable'; readonly reason: string }
  /** The facts in hand do not settle it; the engine reports it as unknown. */
  | {
      readonly status: 'undecided'
      readonly lacks: string
      readonly lift?: string
      readonly evidence?: readonly Evidence[]
    }
  | {
      readonly [K in keyof M & string]: {
        readonly status: 'fail'
        readonly message: K
        readonly data: Printable<Parameters<M[K]>[0]>
        readonly evidence: readonly Evidence[]
        /** Where the change is one element of a document. */
        readonly remedy?: Remedy
      }
    }[keyof M & string]

export type Brief<N extends Needs, W extends Needs> = {
  readonly have: Have<N>
  readonly want: Wanted<W>
  readonly subject: Subject
}

/** Whom a check concerns at all: where this fact is absent, it is not applicable for that reason. */
export type Only = {
  // biome-ignore lint/suspicious/noExplicitAny: only whether there is such a fact matters, not what it says
  readonly probe: Probe<any>
  /** Why it is not applicable: "the ServiceAccount names no role". */
  readonly otherwise: string
}

export interface Check {
  readonly meta: Meta
  /** Nothing else is asked or judged where this fact is absent: of a cluster's thousands, hardly any has a given cloud's identity. */
  readonly only?: Only
  /** Facts without which there is nothing to say. */
  readonly needs: Needs
  /** Facts that can only add a reason to fail: a fail stands without them, a pass does not. */
  readonly wants: Needs
  /** Checks that come first; when one of them failed for a related subject, this one is blocked. */
  readonly after: readonly CheckId[]
  /** Neutral checks that see the same cause in other words; theirs is folded under this one. */
  readonly covers: readonly CheckId[]
  /** In order of precedence: the first that holds is the message. */
  readonly messages: Messages
  /** What a person does about each message, in the imperative: sentences on the first line, a command on each other one. */
  // biome-ignore lint/suspicious/noExplicitAny: as with messages, and a message may have none
  readonly remedies: { readonly [id: string]: ((data: any) => string) | undefined }
  // biome-ignore lint/suspicious/noExplicitAny: typed where the check is defined, erased where checks are kept together
  readonly judge: (brief: { have: any; want: any; subject: Subject }) => Verdict
}

/** Defines a check; the compiler refuses an undeclared message, data of the wrong shape, an undeclared fact and a forgotten absence. */
export const defineCheck = <const N extends Needs, const W extends Needs, const M extends Messages>(check: {
  readonly meta: Meta
  readonly only?: Only
  readonly needs: N
  readonly wants: W
  readonly after: readonly CheckId[]
  readonly covers?: readonly CheckId[]
  readonly messages: M
  readonly remedies?: { readonly [K in keyof M]?: M[K] }
  readonly judge: (brief: Brief<N, W>) => Verdict<M>
}): Check & { readonly messages: NoInfer<M> } => ({ covers: [], remedies: {}, ...check })
