/** Labs for tests, and the real clients that talk to them. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import path from 'node:path'
import { EKSClient } from '@aws-sdk/client-eks'
import { IAMClient } from '@aws-sdk/client-iam'
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { type Lab, type LabOptions, startLab } from '../src/lab/lab.ts'

export const demo = (name: string): string => path.join(import.meta.dirname, 'fixtures', 'demo', name)
export const role = 'arn:aws:iam::111122223333:role/cart'
export const issuer = 'https://oidc.eks.us-west-2.amazonaws.com/id/5D2A9C41E7B84F6AB2F0C1D3E4F50617'

const labs: Lab[] = []
export const start = async (place: Parameters<typeof startLab>[0], options?: LabOptions): Promise<Lab> => {
  const lab = await startLab(place, options)
  labs.push(lab)
  return lab
}
/** Ends all labs that a file has started. */
export const closeLabs = () => Promise.all(labs.map((lab) => lab.close()))

export type Ran = { readonly code: number; readonly out: string; readonly err: string }
export const kubectl = (lab: Lab, args: readonly string[], stdin = ''): Promise<Ran> =>
  new Promise((resolve) => {
    const child = execFile('kubectl', args, { env: lab.env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
    child.stdin?.end(stdin)
  })

const connection = (lab: Lab) => ({
  region: 'us-west-2',
  credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'test' },
  maxAttempts: 1,
  requestHandler: { httpsAgent: new Agent({ ca: lab.world.roots, keepAlive: true }) },
})
/** One client of each service for a lab: a handshake costs more than a request. */
function ofLab<T>(make: (lab: Lab) => T): (lab: Lab) => T {
  const made = new WeakMap<Lab, T>()
  return (lab) => {
    const client = made.get(lab) ?? make(lab)
    made.set(lab, client)
    return client
  }
}
export const sts = ofLab((lab) => new STSClient({ ...connection(lab), endpoint: lab.urls.sts }))
export const iam = ofLab((lab) => new IAMClient({ ...connection(lab), endpoint: lab.urls.iam }))
export const eks = ofLab((lab) => new EKSClient({ ...connection(lab), endpoint: lab.urls.eks }))

type Answer = { readonly status: number; readonly type: string; readonly body: string }
export const ask = (
  lab: Lab,
  url: string,
  options: { method?: string; body?: string; token?: string; type?: string } = {},
) =>
  new Promise<Answer>((resolve, reject) => {
    const headers = {
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(options.type === undefined ? {} : { 'content-type': options.type }),
    }
    const asked = request(
      url,
      { method: options.method ?? 'GET', ca: lab.world.roots, headers, agent: false },
      (reply) => {
        let body = ''
        reply.on('data', (part) => {
          body += part
        })
        reply.on('end', () =>
          resolve({ status: reply.statusCode ?? 0, type: reply.headers['content-type'] ?? '', body }),
        )
      },
    )
    asked.on('error', reject)
    asked.end(options.body)
  })

const adminToken = async (lab: Lab): Promise<string> =>
  /token: (\S+)/.exec(await readFile(lab.kubeconfig, 'utf8'))?.[1] ?? ''
export const api = async (lab: Lab, method: string, where: string, body?: unknown, type = 'application/json') => {
  const sent = body === undefined ? {} : { body: JSON.stringify(body), type }
  const answer = await ask(lab, lab.urls.kubernetes + where, { method, token: await adminToken(lab), ...sent })
  return { status: answer.status, body: JSON.parse(answer.body) }
}
export const mint = async (lab: Lab, spec: object = {}, account = 'cart'): Promise<string> => {
  const where = `/api/v1/namespaces/shop/serviceaccounts/${account}/token`
  const { body } = await api(lab, 'POST', where, { spec: { audiences: ['sts.amazonaws.com'], ...spec } })
  return body.status.token
}

export const refusal = async (lab: Lab, token: string, over: object = {}) => {
  const call = new AssumeRoleWithWebIdentityCommand({
    RoleArn: role,
    RoleSessionName: 'lab-test',
    WebIdentityToken: token,
    DurationSeconds: 900,
    ...over,
  })
  try {
    await sts(lab).send(call)
    return 'exchanged'
  } catch (error) {
    if (!(error instanceof Error) || !('$metadata' in error)) throw error
    const { httpStatusCode } = error.$metadata as { readonly httpStatusCode?: number }
    return { code: error.name.replace(/Exception$/, ''), message: error.message, status: httpStatusCode }
  }
}
