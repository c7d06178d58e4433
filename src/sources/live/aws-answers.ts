/** What AWS's refusals and silences mean as facts. */
import { type Question, type Unknown, unknown } from '../../core/fact.ts'
import { permissionOf, permissionWords } from '../../knowledge/permissions.ts'
import { codeOf, LiveTrouble, plain, wordsOf } from './trouble.ts'
import { troubleOf } from './wire.ts'

export const signIn =
  'sign in to AWS: `aws sso login`, AWS_PROFILE, or access keys in the environment (`aws sts get-caller-identity` must work)'

const notSignedIn =
  /^(CredentialsProviderError|TokenProviderError|ProviderError|ExpiredToken|ExpiredTokenException|RequestExpired|InvalidClientTokenId|UnrecognizedClientException|InvalidSignatureException|SignatureDoesNotMatch|MissingAuthenticationToken|MissingAuthenticationTokenException|IncompleteSignature|OptInRequired|AuthFailure)$/
const denied = /^(AccessDenied|AccessDeniedException|UnauthorizedOperation|UnauthorizedException|ForbiddenException)$/
const throttled =
  /^(Throttling|ThrottlingException|ThrottledException|RequestLimitExceeded|TooManyRequestsException|SlowDown|PriorRequestNotComplete|RequestThrottled)$/

export type ServiceError = { readonly code: string; readonly message: string; readonly status: number | undefined }

/** The service's own code, message and status; undefined where the error is not an answer of the service. */
export function serviceError(error: unknown): ServiceError | undefined {
  if (!(error instanceof Error) || !('$metadata' in error) || !('$fault' in error)) return undefined
  const { $metadata } = error
  const status =
    typeof $metadata === 'object' &&
    $metadata !== null &&
    'httpStatusCode' in $metadata &&
    typeof $metadata.httpStatusCode === 'number'
      ? $metadata.httpStatusCode
      : undefined
  const own = wireCode(error) ?? error.name
  return /^[A-Za-z][\w.]{1,80}$/.test(own) && !/^(Unknown|UnknownError|Error)$/.test(own)
    ? { code: own, message: plain(error.message), status }
    : undefined
}

/** The SDK names its classes otherwise than the wire names the error: InvalidIdentityTokenException for InvalidIdentityToken. */
function wireCode(error: Error): string | undefined {
  if ('Code' in error && typeof error.Code === 'string') return error.Code
  const inner: unknown = 'Error' in error ? error.Error : undefined
  return typeof inner === 'object' && inner !== null && 'Code' in inner && typeof inner.Code === 'string'
    ? inner.Code
    : undefined
}

/** Why AWS did not say. Messages about credentials are not passed on: some quote the request. */
export function unseen(error: unknown, question: Question): Unknown {
  if (error instanceof LiveTrouble) return unknown('unreachable', error.happened, question, error.next)
  const name = error instanceof Error ? error.name : ''
  const answer = serviceError(error)
  const code = answer?.code ?? name
  const status = answer?.status
  if (name === 'AbortError') return unknown('cancelled', 'the run was stopped before AWS answered', question)
  if (notSignedIn.test(code) || notSignedIn.test(name))
    return unknown(
      'unauthenticated',
      code === 'CredentialsProviderError'
        ? 'there are no AWS credentials'
        : `AWS does not accept the credentials (${plain(code)})`,
      question,
      signIn,
    )
  if (denied.test(code))
    return unknown('forbidden', answer?.message ?? 'access denied', question, permissionWords(permissionOf(question)))
  if (throttled.test(code) || status === 429)
    return unknown(
      'throttled',
      `AWS asks to come back later (${plain(code)})`,
      question,
      'ask again later, or with a lower --concurrency',
    )
  if (name === 'TimeoutError')
    return unknown(
      'timeout',
      'AWS did not answer in time',
      question,
      'a longer --timeout, or a way to the AWS endpoints',
    )
  if (answer !== undefined && status !== undefined && status >= 500)
    return unknown('unreachable', `AWS answered ${status} (${plain(code)})`, question, 'ask again later')
  if (answer !== undefined) return unknown('malformed', `${plain(code)}: ${answer.message}`, question)
  const trouble = troubleOf(error)
  if (trouble.trouble === 'tls' || /^E[A-Z_]+$/.test(codeOf(error)))
    return unknown(
      'unreachable',
      `AWS could not be reached: ${trouble.detail}`,
      question,
      trouble.trouble === 'tls'
        ? 'set AWS_CA_BUNDLE if a proxy signs for AWS'
        : 'a way to the AWS endpoints (network, proxy, AWS_ENDPOINT_URL)',
    )
  if (/region is missing/i.test(wordsOf(error)))
    return unknown('not-asked', 'no AWS region is known', question, 'AWS_REGION')
  return unknown(
    'malformed',
    'what answered in the place of AWS was not understood',
    question,
    'check AWS_ENDPOINT_URL and the proxy settings',
  )
}
