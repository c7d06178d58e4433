/** AWS as a pod meets it: the token exchanged at STS or at the Pod Identity agent, and what the session then opens. */
import type { S3Client } from '@aws-sdk/client-s3'
import type { Fact } from '../../core/fact.ts'
import { type Json, textAt } from '../../core/json.ts'
import type { Answer } from '../../core/proof.ts'
import { kubernetes, aws as questions, type TokenName } from '../../domain/questions.ts'
import { isAgent, judgeHost } from '../../domain/sdk-refusals.ts'
import { serviceError, unseen } from './aws-answers.ts'
import { awsClients, type SessionCredentials } from './aws-clients.ts'
import { exchangeToken } from './aws-exchange.ts'
import { content, picked, type Store, some } from './pod-stores.ts'
import type { TokenVault } from './token-vault.ts'
import { plain } from './trouble.ts'
import { exchange } from './wire.ts'

/** `done` carries what may be told; `refused` the cloud's own words; `unseen` that nobody answered, or not in a way that says anything. */
export type Attempt =
  | { readonly state: 'done'; readonly told: { readonly [name: string]: string } }
  | { readonly state: 'refused'; readonly answer: Answer }
  | { readonly state: 'unseen'; readonly detail: string; readonly lift?: string; readonly unreachable: boolean }

export type PodAws = {
  readonly assumeRole: (token: TokenName, roleArn: string) => Promise<Attempt>
  /** `file` says that the agent wants a token; without one the request carries none. */
  readonly askAgent: (address: string, token: TokenName | undefined) => Promise<Attempt>
  readonly caller: () => Promise<Attempt>
  readonly store: (bucket: string) => Store
  readonly close: () => void
}

export type PodAwsSettings = {
  readonly env: NodeJS.ProcessEnv
  readonly vault: TokenVault
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

const nowhere = { endpoint: false } as const
const agentBytes = 64 * 1024

export function podAws({ env, vault, timeoutMs, signal }: PodAwsSettings): PodAws {
  const region = env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined
  const regional = awsClients({ env, region, hint: nowhere, timeoutMs })
  const closers = [regional.close]
  let session: SessionCredentials | undefined
  let own: ReturnType<typeof awsClients> | undefined
  const keep = (credentials: SessionCredentials): void => {
    session = credentials
    // Never lent, only held back from texts: S3 quotes a session token that has expired.
    vault.keep({ given: 'secret key of AWS' }, credentials.secretAccessKey)
    if (credentials.sessionToken !== undefined) vault.keep({ given: 'session token of AWS' }, credentials.sessionToken)
  }
  const asSession = () => {
    if (own === undefined) {
      own = awsClients({ env, region, hint: nowhere, timeoutMs, credentials: session })
      closers.push(own.close)
    }
    return own
  }

  const assumeRole: PodAws['assumeRole'] = async (token, roleArn) => {
    const question = questions.exchange(token, roleArn)
    const mint = async (): Promise<Fact<Json>> => ({ state: 'known', value: {}, from: kubernetes.token(token) })
    const exchanger = { vault, mint, keep, sessionName: env.AWS_ROLE_SESSION_NAME || undefined }
    return attemptOf(await exchangeToken({ ...exchanger, clients: regional }, question, signal))
  }

  const askAgent: PodAws['askAgent'] = async (address, token) => {
    const url = URL.parse(address)
    const judged = judgeHost(address)
    if (url === null || judged === undefined || !/^https?:$/.test(url.protocol))
      return { state: 'refused', answer: { code: 'InvalidAddress', message: `${plain(address)} is no http address` } }
    if (judged.taken === 'refused')
      return {
        state: 'refused',
        answer: { code: 'UnsupportedHost', message: `no SDK asks ${plain(judged.host)} for credentials over http` },
      }
    const send = (authorization: string | undefined) =>
      exchange({
        url,
        options: {
          headers: {
            Accept: 'application/json',
            'User-Agent': 'kubectl-wi',
            ...(authorization === undefined ? {} : { Authorization: authorization }),
          },
          agent: false,
        },
        timeoutMs,
        maxBytes: agentBytes,
        signal,
      })
    const reply = await ((token === undefined ? undefined : vault.lend(token, send)) ?? send(undefined))
    if ('trouble' in reply)
      return {
        state: 'unseen',
        detail: `${plain(url.host)}: ${plain(vault.without(reply.detail))}${reply.code === '' ? '' : ` (${reply.code})`}`,
        // That we stopped waiting says nothing about the agent.
        unreachable: reply.trouble !== 'cancelled',
        ...(isAgent(judged.host)
          ? { lift: 'run the EKS Pod Identity agent on this node, and let the pod reach it' }
          : {}),
      }
    const body = reply.body.toString('utf8')
    if (reply.status !== 200) return { state: 'refused', answer: agentAnswer(reply.status, vault.without(body), url) }
    return sessionIn(body, url, keep)
  }

  const asked = async (call: string, input: { readonly [name: string]: string }, work: () => Promise<Attempt>) => {
    try {
      return await work()
    } catch (error) {
      const answer = serviceError(error)
      if (answer?.status !== undefined && answer.status < 500 && answer.status !== 429) {
        const { code, message, status } = answer
        return { state: 'refused', answer: { code, message: plain(vault.without(message)), status } } as const
      }
      const { detail, lift } = unseen(error, { system: 'aws', call, input })
      const unreachable = answer === undefined
      return {
        state: 'unseen',
        detail: vault.without(detail),
        unreachable,
        ...(lift === undefined ? {} : { lift }),
      } as const
    }
  }
  const how = signal === undefined ? {} : { abortSignal: signal }

  return {
    assumeRole,
    askAgent,
    caller: () =>
      asked('sts:GetCallerIdentity', {}, async () => {
        const { GetCallerIdentityCommand } = await import('@aws-sdk/client-sts')
        const { Arn = '', Account = '' } = await (await asSession().sts()).send(new GetCallerIdentityCommand({}), how)
        return { state: 'done', told: { arn: plain(Arn), account: plain(Account) } }
      }),
    store: (Bucket) => {
      // Archived objects are read by nobody until somebody restores them.
      const archived = /^(?:GLACIER|DEEP_ARCHIVE)$/
      type Sdk = typeof import('@aws-sdk/client-s3')
      type Told = { readonly [name: string]: string }
      const inS3 = (action: string, act: (s3: S3Client, sdk: Sdk) => Promise<Told>): Promise<Attempt> =>
        asked(`s3:${action}`, { bucket: Bucket }, async () => ({
          state: 'done',
          told: await act(await asSession().s3(), await import('@aws-sdk/client-s3')),
        }))
      return {
        list: () =>
          inS3('ListBucket', async (s3, { ListObjectsV2Command }) => {
            const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: some }), how)
            const readable = Contents.flatMap(({ Key, Size = 0, StorageClass = '' }) =>
              Key === undefined || archived.test(StorageClass) ? [] : { key: Key, size: String(Size) },
            )
            return picked(readable, Contents.length > 0)
          }),
        read: (Key, empty) =>
          inS3('GetObject', async (s3, { GetObjectCommand }) => {
            const Range = empty ? {} : { Range: 'bytes=0-0' }
            const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...Range }), how)
            await Body?.transformToByteArray()
            return {}
          }),
        put: (Key) =>
          inS3('PutObject', async (s3, { PutObjectCommand }) => {
            await s3.send(new PutObjectCommand({ Bucket, Key, Body: content }), how)
            return {}
          }),
        remove: (Key) =>
          inS3('DeleteObject', async (s3, { DeleteObjectCommand }) => {
            await s3.send(new DeleteObjectCommand({ Bucket, Key }), how)
            return {}
          }),
      }
    },
    close: () => {
      session = undefined
      for (const close of closers) close()
    },
  }
}

/** What became of an exchange, as the live source tells it. */
export function attemptOf(fact: Fact<Json>): Attempt {
  if (fact.state === 'absent') return { state: 'unseen', detail: 'there is no such ServiceAccount', unreachable: false }
  if (fact.state === 'unknown') {
    const { detail, lift, why } = fact
    const unreachable = why === 'unreachable' || why === 'timeout'
    return { state: 'unseen', detail, unreachable, ...(lift === undefined ? {} : { lift }) }
  }
  const { value } = fact
  const endpoint = textAt(value, 'endpoint') ?? ''
  if (textAt(value, 'outcome') === 'exchanged')
    return { state: 'done', told: { arn: textAt(value, 'assumedRole') ?? '', endpoint } }
  const message = textAt(value, 'message') ?? ''
  return { state: 'refused', answer: { code: textAt(value, 'code') ?? '', message, endpoint } }
}

/** `[REQUEST_ID]: (CODE): MESSAGE, fault: client` of EKS Auth, or the agent's own sentence. */
function agentAnswer(status: number, body: string, { origin }: URL): Answer {
  const text = plain(body)
  const code = /^\[[^\]]{0,80}\]: \((\w{1,80})\)/.exec(text)?.[1] ?? `HTTP ${status}`
  return { code, message: text, status, endpoint: origin }
}

function sessionIn(body: string, { origin }: URL, keep: (credentials: SessionCredentials) => void): Attempt {
  const misread = {
    state: 'unseen',
    detail: `what ${plain(origin)} answered holds no credentials`,
    unreachable: false,
  } as const
  let value: Json
  try {
    value = JSON.parse(body)
  } catch {
    return misread
  }
  const accessKeyId = textAt(value, 'AccessKeyId')
  const secretAccessKey = textAt(value, 'SecretAccessKey')
  const sessionToken = textAt(value, 'Token')
  if (accessKeyId === undefined || secretAccessKey === undefined) return misread
  keep({ accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) })
  const account = textAt(value, 'AccountId')
  return { state: 'done', told: { endpoint: origin, ...(account === undefined ? {} : { account: plain(account) }) } }
}
