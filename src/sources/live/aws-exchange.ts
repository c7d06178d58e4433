/** The proof of the AWS path: a minted token exchanged at STS; of the credentials only their role is kept. */
import { absent, type Fact, known, type Question, unknown } from '../../core/fact.ts'
import { type Json, textAt } from '../../core/json.ts'
import type { TokenName } from '../../domain/questions.ts'
import { serviceError, unseen } from './aws-answers.ts'
import type { AwsClients, SessionCredentials } from './aws-clients.ts'
import type { TokenVault } from './token-vault.ts'
import { plain } from './trouble.ts'

export type Exchanger = {
  readonly clients: AwsClients
  readonly vault: TokenVault
  readonly mint: (token: TokenName, signal?: AbortSignal) => Promise<Fact<Json>>
  /** As the workload itself would name its session: trust policies may ask for it. */
  readonly sessionName?: string | undefined
  /** Is handed the session, where it is to be used; it is in no fact. */
  readonly keep?: (credentials: SessionCredentials) => void
}

/** The shortest that STS grants. */
const seconds = 900
/** Codes that say nothing about the token or the role. */
const passing =
  /^(Throttling|ThrottlingException|RequestLimitExceeded|TooManyRequestsException|ServiceUnavailable|InternalFailure|InternalError)$/

/** → `{outcome: 'exchanged' | 'refused', …}`; absent where the ServiceAccount does not exist. */
export async function exchangeToken(
  { clients, vault, mint, sessionName, keep }: Exchanger,
  question: Question,
  signal?: AbortSignal,
): Promise<Fact<Json>> {
  const { input } = question
  const token: TokenName = {
    namespace: textAt(input, 'namespace') ?? '',
    name: textAt(input, 'name') ?? '',
    audience: textAt(input, 'audience') ?? '',
  }
  const roleArn = textAt(input, 'roleArn') ?? ''
  const minted = await mint(token, signal)
  if (minted.state === 'absent') return absent(question)
  if (minted.state === 'unknown') return { ...minted, from: question }
  let endpoint = ''
  try {
    const { AssumeRoleWithWebIdentityCommand } = await import('@aws-sdk/client-sts')
    const sts = await clients.exchange(roleArn.split(':')[1] ?? 'aws')
    const going = vault.lend(token, (WebIdentityToken) => {
      const command = new AssumeRoleWithWebIdentityCommand({
        RoleArn: roleArn,
        RoleSessionName: sessionName ?? `kubectl-wi-${Math.floor(Date.now() / 1000)}`,
        WebIdentityToken,
        DurationSeconds: seconds,
      })
      command.middlewareStack.add(
        (next) => (args) => {
          endpoint = originOf(args.request)
          return next(args)
        },
        { step: 'finalizeRequest', priority: 'low', name: 'endpoint' },
      )
      return sts.send(command, signal === undefined ? {} : { abortSignal: signal })
    })
    if (going === undefined) return unknown('cancelled', 'the token is no longer held', question)
    const { AssumedRoleUser, SubjectFromWebIdentityToken: subject, Audience: audience, Credentials } = await going
    if (AssumedRoleUser?.Arn === undefined)
      return unknown('malformed', 'STS answered without saying which role was assumed', question)
    const { AccessKeyId, SecretAccessKey, SessionToken } = Credentials ?? {}
    if (AccessKeyId !== undefined && SecretAccessKey !== undefined && SessionToken !== undefined)
      keep?.({ accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken })
    return known(
      {
        outcome: 'exchanged',
        assumedRole: AssumedRoleUser.Arn,
        ...(subject === undefined ? {} : { subject }),
        ...(audience === undefined ? {} : { audience }),
        endpoint,
      },
      question,
    )
  } catch (error) {
    const answer = serviceError(error)
    if (answer?.status !== undefined && answer.status < 500 && !passing.test(answer.code)) {
      const { code, status } = answer
      return known(
        { outcome: 'refused', code, message: plain(vault.without(answer.message)), status, endpoint },
        question,
      )
    }
    const { detail, ...fact } = unseen(error, question)
    return { ...fact, detail: vault.without(detail) }
  }
}

function originOf(request: unknown): string {
  if (typeof request !== 'object' || request === null || !('hostname' in request)) return ''
  const protocol = 'protocol' in request && typeof request.protocol === 'string' ? request.protocol : 'https:'
  const port = 'port' in request && typeof request.port === 'number' ? `:${request.port}` : ''
  return `${protocol}//${String(request.hostname)}${port}`
}
