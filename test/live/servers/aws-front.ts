/** An https door before the gateway: it hands every request on, and says in AWS's form what the gateway says in another. */
import { randomUUID } from 'node:crypto'
import { request as askGateway, type IncomingHttpHeaders } from 'node:http'
import { createServer } from 'node:https'
import { signatureOf } from './aws-signature.ts'
import type { Authority } from './certificates.ts'
import type { User } from './gateway.ts'
import { portOf } from './ports.ts'

export type Front = { readonly url: string; readonly stop: () => Promise<void> }

type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer }

/** Under which the clouds' own STS is asked for the time: the one in use here is this. */
export const publicName = 'sts.amazonaws.com'
const largest = 8 << 20
const xml = { 'content-type': 'text/xml' }

/**
 * No decision is made here but on GetCallerIdentity, which the gateway does not have, and which is verified as AWS does; and on EKS, of
 * which there is nothing. What is reworded: errors of IAM and STS, which the gateway writes in S3's form, and the list of OIDC providers.
 */
export async function startFront(order: {
  readonly gateway: string
  readonly users: readonly User[]
  readonly authority: Authority
}): Promise<Front> {
  const { gateway, users, authority } = order
  const sessions: Sessions = new Map()
  const host = '127.0.0.1'
  const server = createServer(await authority.server([host, 'localhost', publicName]), (incoming, outgoing) => {
    const parts: Buffer[] = []
    let size = 0
    incoming.on('data', (part: Buffer) => {
      size += part.length
      if (size > largest) incoming.destroy()
      else parts.push(part)
    })
    incoming.on('error', () => outgoing.destroy())
    incoming.on('end', () => {
      const asked = {
        method: incoming.method ?? 'GET',
        path: incoming.url ?? '/',
        headers: incoming.headers,
        body: Buffer.concat(parts),
      }
      answerTo(asked, { gateway, users, sessions })
        .catch((error: unknown): Answer => failure(502, 'ServiceUnavailable', String(error)))
        .then(({ status, headers, body }) => {
          const { connection: _, 'transfer-encoding': __, ...kept } = headers
          outgoing.writeHead(status, { ...kept, 'content-length': body.length }).end(body)
        })
    })
  })
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, () => resolve())
  })
  const stop = async (): Promise<void> => {
    const closed = new Promise((done) => server.close(done))
    server.closeAllConnections()
    await closed
  }
  return { url: `https://${host}:${portOf(server)}`, stop }
}

type Asked = {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

type Session = { readonly arn: string; readonly secret: string; readonly token: string }
/** What the gateway has handed out, by access key. */
type Sessions = Map<string, Session>
type Desk = { readonly gateway: string; readonly users: readonly User[]; readonly sessions: Sessions }

async function answerTo(asked: Asked, { gateway, users, sessions }: Desk): Promise<Answer> {
  const signed = signatureOf(asked)
  if (signed?.service === 'eks') return noEks(asked)
  const isForm = asked.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true
  const action = isForm ? new URLSearchParams(asked.body.toString('utf8')).get('Action') : null
  if (action === 'GetCallerIdentity') {
    if (signed === undefined)
      return failure(403, 'MissingAuthenticationToken', 'Request is missing Authentication Token')
    const session = sessions.get(signed.accessKeyId)
    if (session !== undefined && asked.headers['x-amz-security-token'] === session.token)
      return signed.madeWith(session.secret) ? sessionOf(session) : failure(403, 'SignatureDoesNotMatch', '')
    const user = users.find((one) => one.accessKeyId === signed.accessKeyId)
    if (user === undefined)
      return failure(403, 'InvalidClientTokenId', 'The security token included in the request is invalid.')
    return signed.madeWith(user.secretAccessKey) ? identityOf(user) : failure(403, 'SignatureDoesNotMatch', '')
  }
  const answer = await handOn(asked, gateway)
  if (action === 'AssumeRoleWithWebIdentity') remember(answer, sessions)
  return action === null ? answer : reworded(answer)
}

function handOn({ method, path, headers, body }: Asked, gateway: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const going = askGateway(`${gateway}${path}`, { method, headers, agent: false, timeout: 30_000 }, (reply) => {
      const parts: Buffer[] = []
      reply.on('data', (part: Buffer) => parts.push(part))
      reply.on('error', reject)
      reply.on('end', () =>
        resolve({ status: reply.statusCode ?? 502, headers: reply.headers, body: Buffer.concat(parts) }),
      )
    })
    going.on('timeout', () => going.destroy(new Error('the gateway did not answer')))
    going.on('error', reject)
    going.end(body)
  })
}

function reworded(answer: Answer): Answer {
  const text = answer.body.toString('utf8')
  const error = /^(?:<\?xml[^>]*>)?\s*<Error><Code>(\w+)<\/Code><Message>([^<]*)<\/Message>/.exec(text)
  if (error !== null) return failure(answer.status, error[1] ?? '', error[2] ?? '')
  const body = text.replace(/<Arn>(<Arn>[^<]*<\/Arn>)<\/Arn>/g, '<member>$1</member>')
  return { ...answer, body: Buffer.from(body) }
}

function failure(status: number, code: string, message: string): Answer {
  const error = `<Error><Type>${status < 500 ? 'Sender' : 'Receiver'}</Type><Code>${code}</Code><Message>${message}</Message></Error>`
  const body = `<ErrorResponse>${error}<RequestId>${randomUUID()}</RequestId></ErrorResponse>`
  return { status, headers: xml, body: Buffer.from(body) }
}

function remember({ body }: Answer, sessions: Sessions): void {
  const text = body.toString('utf8')
  const member = (name: string): string => new RegExp(`<${name}>([^<]+)</${name}>`).exec(text)?.[1] ?? ''
  const arn = /<AssumedRoleUser>.*?<Arn>([^<]+)<\/Arn>/s.exec(text)?.[1]
  if (arn !== undefined)
    sessions.set(member('AccessKeyId'), { arn, secret: member('SecretAccessKey'), token: member('SessionToken') })
}

const identityOf = ({ account, name, accessKeyId }: User): Answer =>
  callerIs(`arn:aws:iam::${account}:user/${name}`, accessKeyId, account)
const sessionOf = ({ arn }: Session): Answer => callerIs(arn, 'AROA:session', arn.split(':')[4] ?? '')

function callerIs(arn: string, id: string, account: string): Answer {
  const identity = `<Arn>${arn}</Arn><UserId>${id}</UserId><Account>${account}</Account>`
  const body = `<GetCallerIdentityResponse><GetCallerIdentityResult>${identity}</GetCallerIdentityResult></GetCallerIdentityResponse>`
  return { status: 200, headers: xml, body: Buffer.from(body) }
}

/** The account of a cluster that somebody runs themselves. */
function noEks({ path }: Asked): Answer {
  if (/^\/clusters\/?(\?|$)/.test(path)) return json(200, { clusters: [] })
  const answer = json(404, { message: 'No cluster found.' })
  return { ...answer, headers: { ...answer.headers, 'x-amzn-errortype': 'ResourceNotFoundException' } }
}

const json = (status: number, value: object): Answer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify(value)),
})
