/** What Google Cloud's refusals and silences mean as facts. */
import { absent, type Fact, type Question, unknown } from '../../core/fact.ts'
import type { Json } from '../../core/json.ts'
import { permissionOf, permissionWords } from '../../knowledge/permissions.ts'
import type { GoogleReply } from './gcp-rest.ts'

export const googleSignIn =
  'sign in to Google Cloud: `gcloud auth application-default login`, or GOOGLE_APPLICATION_CREDENTIALS'

/** Only NOT_FOUND is an absence: Google answers 403 where one may not know whether the thing exists. */
export function unseenBy(reply: Exclude<GoogleReply, { state: 'answer' }>, question: Question): Fact<Json> {
  if (reply.state === 'signed-out') return unknown('unauthenticated', reply.detail, question, googleSignIn)
  if (reply.state === 'silence') {
    const { trouble, detail } = reply.trouble
    if (trouble === 'cancelled') return unknown('cancelled', 'the run was stopped before Google answered', question)
    return trouble === 'timeout'
      ? unknown('timeout', 'Google Cloud did not answer in time', question, 'a longer --timeout')
      : unknown(
          'unreachable',
          `Google Cloud could not be reached: ${detail}`,
          question,
          'a way to *.googleapis.com (network, proxy)',
        )
  }
  const { status, reason, message } = reply
  if (status === 404 && reason === 'NOT_FOUND') return absent(question)
  if (status === 401)
    return unknown('unauthenticated', 'Google does not accept the credentials', question, googleSignIn)
  if (status === 403) return unknown('forbidden', message, question, permissionWords(permissionOf(question)))
  if (status === 429)
    return unknown(
      'throttled',
      'Google asks to come back later',
      question,
      'ask again later, or with a lower --concurrency',
    )
  if (status >= 500) return unknown('unreachable', `Google answered ${status}`, question, 'ask again later')
  return unknown('malformed', `${reason}: ${message}`, question)
}
