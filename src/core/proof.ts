/** A proof in steps: what was tried in turn, how each step ended, and what follows from all of them. */

export type StepStatus = 'pass' | 'fail' | 'unknown' | 'blocked'

/** What the other side itself said in refusing. */
export type Answer = {
  readonly code: string
  readonly message: string
  readonly status?: number
  readonly endpoint?: string
}
/** What may be the reason, and the check that decides it. */
export type Lead = { readonly check: string; readonly says: string }

export type Outcome = {
  readonly status: StepStatus
  /** One sentence. */
  readonly says: string
  readonly details?: readonly (readonly [name: string, value: string])[]
  readonly answer?: Answer
  readonly causes?: readonly Lead[]
  /** What would let us see what was not seen. */
  readonly lift?: string
  /** What puts it right: a sentence. */
  readonly fix?: string
}
export type Step = Outcome & { readonly id: string; readonly title: string; readonly milliseconds: number }

export type Proof = {
  /** What is proven: a mechanism of a cloud. */
  readonly cloud: string
  readonly mechanism: string
  readonly expected?: string
  readonly steps: readonly Step[]
}

export type ProofVerdict = 'proven' | 'refuted' | 'inconclusive'
export type ProofReport = {
  /** Who is looked at: this pod, a ServiceAccount, a pod. */
  readonly subject: string
  readonly proofs: readonly Proof[]
  /** With nothing to prove: what was looked for, and where. */
  readonly lookedFor: readonly (readonly [where: string, what: readonly string[]])[]
  readonly verdict: ProofVerdict
}

/** A step that only helps to see where a chain breaks: where the last one holds, it need not have been seen. */
const aids: ReadonlySet<string> = new Set(['signature', 'claims'])

/** Credentials of another cloud that somebody put there by hand leave the identity that was given as proven as it is. */
export function verdictOf(all: readonly Proof[]): ProofVerdict {
  const given = all.filter(({ mechanism }) => mechanism !== 'none')
  const steps = (given.length === 0 ? all : given).flatMap((proof) => proof.steps)
  if (steps.some(({ status }) => status === 'fail')) return 'refuted'
  const open = steps.some(({ status, id }) => status !== 'pass' && !(status === 'unknown' && aids.has(id)))
  return steps.length === 0 || open ? 'inconclusive' : 'proven'
}

export const exitCodeOfProof: { readonly [verdict in ProofVerdict]: number } = {
  proven: 0,
  refuted: 1,
  inconclusive: 3,
}
