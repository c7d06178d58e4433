/** `doctor --remote`: inside a job on a compute site, from nothing but what that job was given, each step on the way to the API. */
import type { JsonObject } from '../core/json.ts'
import { textAt } from '../core/json.ts'
import { exitCodeOfProof, type Outcome, type ProofReport, type Step, verdictOf } from '../core/proof.ts'
import { judgeCertificate } from '../domain/remote-certificate.ts'
import {
  judgeAcceptance,
  judgeAddress,
  judgeAuthorities,
  judgePath,
  judgeRules,
  judgeSilence,
  judgeToken,
} from '../domain/remote-job.ts'
import { serviceAccountOf } from '../domain/token-claims.ts'
import { columnsOf, wantsColor } from '../flags/output.ts'
import { proofText } from '../report/proof.ts'
import { prove, type Run } from './proving.ts'
import { redactedProof } from './redacted-proof.ts'
import { usage } from './trouble.ts'

export type RemoteFlags = {
  readonly 'mounted-in'?: string | undefined
  readonly timeout: number
  readonly output: string
  readonly 'no-color': boolean
}
type Setting = { readonly version: string; readonly process: NodeJS.Process }
type Job = ReturnType<typeof import('../sources/live/remote-job.ts').remoteJob>

const interrupted = 130
const ends = {
  proven: 'healthy: the job reaches the Kubernetes API, and its ServiceAccount may use it',
  refuted: 'unhealthy: the job cannot use the Kubernetes API',
  inconclusive: 'inconclusive: what matters could not be seen',
} as const

/** A path that is published exactly has nothing below it. */
const belowOf = { '/api': '/api/v1', '/apis': '/apis/authorization.k8s.io/v1' } as const
const paths = ['/api', belowOf['/api'], '/apis', belowOf['/apis']] as const

async function walk(run: Run, job: Job): Promise<void> {
  const { host = '', port = '' } = job
  const now = Date.now()
  const address = await prove(run, 'address', 'The job is told where the Kubernetes API is', () =>
    judgeAddress(job.host, job.port, job.proxy),
  )
  const token = job.token()
  const claims: JsonObject = token.state === 'read' ? token.claims : {}
  const held = await prove(run, 'token', 'A token of its ServiceAccount is mounted, and current', () =>
    judgeToken(token, now / 1000),
  )
  const authorities = job.authorities()
  const ca = await prove(run, 'ca', 'A CA is mounted', () => judgeAuthorities(authorities))
  const seen =
    address.status === 'pass' && ca.status === 'pass' && !run.stop.aborted ? await job.certificate() : undefined
  const reached = await prove(
    run,
    'reached',
    'The address answers',
    (): Outcome =>
      seen !== undefined && 'trouble' in seen
        ? judgeSilence(seen, host, port)
        : { status: 'pass', says: `${host}:${port} answers in TLS` },
    both(address, ca),
  )
  const certificate = await prove(
    run,
    'certificate',
    'Its certificate is one that the mounted CA vouches for',
    () =>
      seen === undefined || 'trouble' in seen || authorities.state === 'unread'
        ? { status: 'unknown', says: 'it was not seen' }
        : judgeCertificate(seen, host, authorities.all, now),
    reached,
  )
  const replies = certificate.status === 'pass' ? await Promise.all(paths.map((path) => job.ask(path))) : []
  const answers = new Map(paths.map((path, index) => [path, replies[index]]))
  let last: Step = certificate
  for (const path of ['/api', '/apis'] as const) {
    const judge = (at: (typeof paths)[number]) => (): Outcome => {
      const reply = answers.get(at)
      return reply === undefined ? { status: 'unknown', says: 'it was not asked' } : judgePath(at, reply, host, port)
    }
    // The two are published one by one, and each is told.
    const step = await prove(run, path, `${path} leads to the Kubernetes API`, judge(path), certificate)
    if (step.status !== 'pass' && last.status === 'pass') last = step
    const below = belowOf[path]
    if (step.status !== 'pass' || judge(below)().status === 'pass') continue
    const inner = await prove(run, below, `What is below ${path} does, too`, judge(below))
    if (last.status === 'pass') last = inner
  }
  const [first] = replies
  const taken = await prove(
    run,
    'accepted',
    'The API server takes the token',
    () =>
      first === undefined || 'trouble' in first
        ? { status: 'unknown', says: 'it was not asked' }
        : judgeAcceptance(first, claims),
    both(held, last),
  )
  const account = serviceAccountOf(textAt(claims, 'sub'))
  const namespace = account?.namespace ?? job.namespace ?? 'default'
  await prove(
    run,
    'rules',
    'Its ServiceAccount may do something',
    async () => {
      const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } }
      const reply = await job.ask('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', body)
      return judgeRules(
        reply,
        namespace,
        account === undefined ? 'the token' : `ServiceAccount ${account.namespace}/${account.name}`,
      )
    },
    taken,
  )
}

/** The first that does not hold; what waits for both waits for that one. */
const both = (a: Step, b: Step): Step => (a.status === 'pass' ? b : a)

/** Prints the steps to stdout and returns the exit code. Throws usage errors. */
export async function remote(flags: RemoteFlags, { version, process }: Setting): Promise<number> {
  const { output } = flags
  if (output !== 'table' && output !== 'json')
    throw usage(`-o ${output} does not go with --remote: choose table or json`)
  const { mounted, remoteJob } = await import('../sources/live/remote-job.ts')
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  const until = AbortSignal.any([stop.signal, AbortSignal.timeout(flags.timeout)])
  const run: Run = { stop: until, steps: [] }
  const { env, stdout } = process
  const job = remoteJob({ env, folder: flags['mounted-in'] ?? mounted, version, signal: until })
  try {
    await walk(run, job)
  } finally {
    job.close()
  }
  const proof = {
    cloud: 'Kubernetes API',
    mechanism: job.host === undefined ? 'none' : `https://${job.host}:${job.port ?? ''}`,
    steps: run.steps,
  }
  const verdict = verdictOf([proof])
  const report: ProofReport = redactedProof({ subject: 'this job', proofs: [proof], lookedFor: [], verdict })
  const words = { proven: 'healthy', refuted: 'unhealthy', inconclusive: 'inconclusive' } as const
  const text =
    output === 'json'
      ? `${JSON.stringify({ schema: 'kubectl-wi/remote/v1', tool: { name: 'kubectl-wi', version }, steps: report.proofs[0]?.steps ?? [], verdict: words[verdict] }, null, 2)}\n`
      : proofText(report, { width: columnsOf(stdout, env), color: wantsColor(stdout, env, flags['no-color']), ends })
  stdout.write(text)
  return stop.signal.aborted ? interrupted : exitCodeOfProof[verdict]
}
