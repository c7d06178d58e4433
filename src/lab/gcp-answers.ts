/** Google's error bodies, word for word as clients show them. */
import type { Json } from '../core/json.ts'
import type { Reply } from './listener.ts'

export const json = (status: number, body: Json): Reply => ({
  status,
  headers: { 'content-type': 'application/json; charset=UTF-8' },
  body: JSON.stringify(body),
})

export const googleError = (code: number, status: string, message: string, details: readonly Json[] = []): Reply =>
  json(code, { error: { code, message, status, ...(details.length === 0 ? {} : { details }) } })

/** https://cloud.google.com/apis/design/errors#error_info */
export const denied = (permission: string, message?: string): Reply =>
  googleError(
    403,
    'PERMISSION_DENIED',
    message ?? `Permission '${permission}' denied on resource (or it may not exist).`,
    [
      {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'IAM_PERMISSION_DENIED',
        domain: 'iam.googleapis.com',
        metadata: { permission },
      },
    ],
  )
export const unauthenticated = (): Reply =>
  googleError(
    401,
    'UNAUTHENTICATED',
    'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
  )
export const notFound = (what: string): Reply => googleError(404, 'NOT_FOUND', `${what} was not found.`)
export const invalid = (message: string): Reply => googleError(400, 'INVALID_ARGUMENT', message)

/** STS answers in the form of OAuth: https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
export class StsError extends Error {
  readonly status: number
  readonly code: string
  constructor(code: string, description: string, status = 400) {
    super(description)
    this.code = code
    this.status = status
  }
}
export const stsReply = ({ status, code, message }: StsError): Reply =>
  json(status, { error: code, error_description: message })
