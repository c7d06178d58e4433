/** The AWS query protocol: forms in, XML out, refusals with the codes, statuses and words of AWS. */
import { randomUUID } from 'node:crypto'
import type { Handler, Reply, Request } from './listener.ts'

/** What a call answers, as elements in order; a list is written as `member`s. */
export type Xml = string | number | boolean | readonly Xml[] | { readonly [element: string]: Xml | undefined }
export type Form = URLSearchParams
export type Call = (form: Form, accessKey?: string) => Xml | Promise<Xml>

/** A refusal by AWS. */
export class AwsError extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** What the case leaves open is refused by a code that AWS does not have: silence is not an answer. */
export const cannotTell = (what: string): AwsError =>
  new AwsError(
    400,
    'LabCannotTell',
    `The lab's case does not show ${what}, so the lab cannot say what AWS would answer.`,
  )

const escapes: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character] ?? character)

function written(value: Xml): string {
  if (typeof value !== 'object') return escaped(String(value))
  if (Array.isArray(value)) return value.map((one) => `<member>${written(one)}</member>`).join('')
  return Object.entries(value)
    .map(([name, inner]) => (inner === undefined ? '' : `<${name}>${written(inner)}</${name}>`))
    .join('')
}

const xmlReply = (status: number, id: string, body: string): Reply => ({
  status,
  headers: { 'content-type': 'text/xml', 'x-amzn-requestid': id },
  body,
})

/** Whether the call carries a SigV4 signature. Whose it is and whether it holds is not looked at. */
export const isSigned = ({ headers, query }: Request): boolean =>
  headers.authorization?.startsWith('AWS4-HMAC-SHA256 Credential=') === true || query.has('X-Amz-Signature')

/** The access key that a call is signed with; undefined where it is not signed in a header. */
export const accessKeyOf = ({ headers }: Request): string | undefined =>
  /^AWS4-HMAC-SHA256 Credential=(\w{1,128})\//.exec(headers.authorization ?? '')?.[1]

/** The values of a list parameter: `Name.member.1`, `Name.member.2`, …  */
export function members(form: Form, name: string): readonly string[] {
  const found: string[] = []
  for (let i = 1; i <= 1000; i++) {
    const value = form.get(`${name}.member.${i}`)
    if (value === null) break
    found.push(value)
  }
  return found
}

/** A service of the query protocol: its calls by name; those in `unsigned` are answered without a signature. */
export function queryService(service: {
  readonly namespace: string
  readonly calls: { readonly [action: string]: Call }
  readonly unsigned: ReadonlySet<string>
}): Handler {
  const { namespace, calls, unsigned } = service
  return async (request) => {
    const id = randomUUID()
    const form = new URLSearchParams([...request.query, ...new URLSearchParams(request.body)])
    const action = form.get('Action') ?? ''
    try {
      const call = Object.hasOwn(calls, action) ? calls[action] : undefined
      if (call === undefined)
        throw new AwsError(
          400,
          'InvalidAction',
          `Could not find operation ${action} for version ${form.get('Version') ?? 'NO_VERSION_SPECIFIED'}`,
        )
      if (!unsigned.has(action) && !isSigned(request))
        throw new AwsError(403, 'MissingAuthenticationToken', 'Request is missing Authentication Token')
      const result = written(await call(form, accessKeyOf(request)))
      const named = result === '' ? '' : `<${action}Result>${result}</${action}Result>`
      const metadata = `<ResponseMetadata><RequestId>${id}</RequestId></ResponseMetadata>`
      return xmlReply(200, id, `<${action}Response xmlns="${namespace}">${named}${metadata}</${action}Response>`)
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      return xmlReply(error.status, id, errorXml(namespace, id, error.code, error.message, error.status))
    }
  }
}

function errorXml(namespace: string, id: string, code: string, message: string, status: number): string {
  const error = written({ Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message })
  return `<ErrorResponse xmlns="${namespace}"><Error>${error}</Error><RequestId>${id}</RequestId></ErrorResponse>`
}

/** The answer to a request that the lab itself stumbled over. */
export const queryTrouble = (message: string): Reply => {
  const id = randomUUID()
  return xmlReply(
    500,
    id,
    errorXml('https://sts.amazonaws.com/doc/2011-06-15/', id, 'InternalFailure', `lab: ${message}`, 500),
  )
}
