/** One run of exchange-test inside a pod: what identity it was given, and each step of proving it. */
import { exitCodeOfProof, type ProofReport, verdictOf } from '../core/proof.ts'
import { lookedFor } from '../domain/credential-order.ts'
import { proofSchema } from '../domain/told-proof.ts'
import type { KubeconfigValues } from '../flags/kubeconfig.ts'
import { columnsOf, wantsColor } from '../flags/output.ts'
import { proofText } from '../report/proof.ts'
import { clean } from '../report/text.ts'
import { provePod } from './prove-pod.ts'
import type { Run } from './proving.ts'
import { usage } from './trouble.ts'

export type ExchangeFlags = KubeconfigValues & {
  readonly sa?: string | undefined
  readonly pod?: string | undefined
  readonly container?: string | undefined
  readonly 'in-pod'?: string | undefined
  readonly job: boolean
  readonly image?: string | undefined
  readonly s3?: string | undefined
  readonly write: boolean
  /** Milliseconds for the whole run. */
  readonly timeout: number
  readonly output: 'table' | 'json'
  readonly 'no-color': boolean
}
type Setting = { readonly version: string; readonly process: NodeJS.Process }

const interrupted = 130

/** Proves from outside what a ServiceAccount or a pod has been given. */
async function proveElsewhere(flags: ExchangeFlags, version: string, stop: AbortSignal): Promise<ProofReport> {
  const { openLive } = await import('./world.ts')
  const sa = flags.sa?.replace(/^(sa|serviceaccounts?)\//u, '')
  const live = await openLive(flags, { version, signal: stop, exchange: true, timeout: flags.timeout })
  const run: Run = { stop, steps: [] }
  try {
    if (flags.pod !== undefined) {
      const { provePodElsewhere } = await import('./prove-exec.ts')
      const pod = flags.pod.replace(/^(po|pods?)\//u, '')
      const proofs = await provePodElsewhere(run, live, flags, { ...flags, pod })
      const nothing = proofs.every(({ mechanism }) => mechanism === 'none') && run.steps[0]?.status === 'pass'
      const looked = nothing ? Object.entries(lookedFor) : []
      const verdict = nothing ? 'inconclusive' : verdictOf(proofs)
      return { subject: `pod ${live.namespace}/${pod}`, proofs, lookedFor: looked, verdict }
    }
    const { proveAccount } = await import('./prove-account.ts')
    const proofs = await proveAccount(run, live, sa ?? '')
    return { subject: `ServiceAccount ${live.namespace}/${sa}`, proofs, lookedFor: [], verdict: verdictOf(proofs) }
  } finally {
    live.close()
  }
}

/** Has a container beside the pod's own prove it, and tells what that has told. */
async function proveWithin(flags: ExchangeFlags, { version, process }: Setting, stop: AbortSignal) {
  const { image, s3, write, timeout } = flags
  if (image === undefined)
    throw usage(
      '--in-pod runs an image of kubectl wi: build one from the Containerfile, and name it with --image or KUBECTL_WI_IMAGE',
    )
  const { proveInPod } = await import('./prove-in-pod.ts')
  const args = ['exchange-test', '-o', 'json', '--timeout', `${Math.ceil(timeout / 1000)}s`]
  const wishes = { ...flags, image, pod: flags['in-pod']?.replace(/^(po|pods?)\//u, '') ?? '' }
  const say = (line: string): void => {
    process.stderr.write(`${clean(line)}\n`)
  }
  return proveInPod(
    { ...wishes, args: [...args, ...(s3 === undefined ? [] : ['--s3', s3]), ...(write ? ['--write'] : [])] },
    { version, run: { stop, steps: [] }, say },
  )
}

/** Proves, writes the report to stdout, and returns the exit code. Throws usage errors. */
export async function exchangeTest(flags: ExchangeFlags, setting: Setting): Promise<number> {
  const { version, process } = setting
  if (flags.write && flags.s3 === undefined) throw usage('--write needs a bucket to write to: add --s3 BUCKET')
  const outside = flags.sa !== undefined || flags.pod !== undefined
  if (outside && flags.s3 !== undefined)
    throw usage(
      '--s3 is tried with what the pod itself gets, so it goes with neither --sa nor --pod: run it inside the pod',
    )
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  const { asTrouble } = await import('./trouble.ts')
  const { redactedProof } = await import('./redacted-proof.ts')
  const until = AbortSignal.any([stop.signal, AbortSignal.timeout(flags.timeout)])
  try {
    const proveIt = (): Promise<ProofReport> => {
      if (flags['in-pod'] !== undefined) return proveWithin(flags, setting, until)
      return outside ? proveElsewhere(flags, version, until) : provePod(flags, process.env, until)
    }
    const report = redactedProof(await proveIt())
    const { env, stdout } = process
    const text =
      flags.output === 'json'
        ? `${JSON.stringify({ schema: proofSchema, tool: { name: 'kubectl-wi', version }, ...report }, null, 2)}\n`
        : proofText(report, { width: columnsOf(stdout, env), color: wantsColor(stdout, env, flags['no-color']) })
    stdout.write(text)
    return stop.signal.aborted ? interrupted : exitCodeOfProof[report.verdict]
  } catch (error) {
    throw asTrouble(error)
  }
}
