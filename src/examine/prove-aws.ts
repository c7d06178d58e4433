/** The proof of an AWS identity from inside its pod: by a web identity token at STS, or by the Pod Identity agent. */
import type { Source } from '../core/fact.ts'
import { textAt } from '../core/json.ts'
import type { Outcome, Step } from '../core/proof.ts'
import { awsAudience, podIdentityAudience } from '../domain/audiences.ts'
import type { TokenSeen } from '../sources/live/pod.ts'
import type { PodAws } from '../sources/live/pod-aws.ts'
import { judgeClaims, judgeSignature, prove, type Run } from './proving.ts'
import { told } from './told.ts'

export type AwsPlace = {
  readonly env: NodeJS.ProcessEnv
  readonly aws: PodAws
  readonly oidc: Source
  readonly readToken: (file: string) => Promise<TokenSeen>
  readonly s3?: string | undefined
  readonly write: boolean
}

const roleArn = /^arn:(aws[a-z-]*):iam::(\d{12}):role\/(?:.*\/)?([\w+=,.@-]+)$/
const sessionArn = /^arn:aws[a-z-]*:sts::(\d{12}):assumed-role\/([\w+=,.@-]+)\/(.+)$/

/** Path, role and file as the environment names them; the steps that build on one another. */
export async function proveAws(run: Run, agent: boolean, place: AwsPlace): Promise<void> {
  const exchanged = agent ? await byAgent(run, place) : await byWebIdentity(run, place)
  const caller = await prove(run, 'who-am-i', 'Who the cloud says that this is', () => whoAmI(place, agent), exchanged)
  const { s3, aws, write } = place
  if (s3 === undefined) return
  const { proveStore } = await import('./prove-store.ts')
  const order = { kind: 's3', name: s3, store: aws.store(s3), write } as const
  await proveStore(run, order, caller.status === 'fail' ? exchanged : caller)
}

/** A file that the environment names, read; what it holds goes on to the next steps. */
export async function tokenStep(
  run: Run,
  file: string,
  read: (file: string) => Promise<TokenSeen>,
): Promise<readonly [Step, TokenSeen | undefined]> {
  let seen: TokenSeen | undefined
  const step = await prove(run, 'token', 'The token is read', async (): Promise<Outcome> => {
    seen = await read(file)
    if (seen.state === 'token' || seen.state === 'broken') {
      const { mode, owner, modified } = seen.about
      const details = [
        ['file', file],
        ['mode', `${mode}, owner ${owner}`],
        ['written', modified],
      ] as const
      return seen.state === 'token'
        ? { status: 'pass', says: 'the file holds a token', details }
        : { status: 'fail', says: `what the file holds is no token: ${seen.problem}`, details }
    }
    const says = `the token file: ${seen.detail}`
    return {
      status: 'fail',
      says,
      details: [['file', file]],
      causes: [{ check: 'workload/token-file-is-readable', says }],
    }
  })
  return [step, seen]
}

/** Claims and signature of what was read; a wrong claim does not keep the cloud from being asked, since its own words say more. */
export async function aboutToken(
  run: Run,
  step: Step,
  seen: TokenSeen | undefined,
  oidc: Source,
  wanted: { readonly audience?: string; readonly usual?: string },
): Promise<void> {
  const token = seen?.state === 'token' ? seen : undefined
  const blocked: Outcome = { status: 'blocked', says: 'there is no token' }
  await prove(
    run,
    'claims',
    'What the token claims',
    () => (token === undefined ? blocked : judgeClaims(token, wanted, Date.now() / 1000)),
    step,
  )
  await prove(
    run,
    'signature',
    "The issuer's published keys verify it",
    () => (token === undefined ? blocked : judgeSignature(oidc, token.name, textAt(token.claims, 'iss'))),
    step,
  )
}

async function byWebIdentity(run: Run, { env, aws, oidc, readToken }: AwsPlace): Promise<Step> {
  const [step, seen] = await tokenStep(run, env.AWS_WEB_IDENTITY_TOKEN_FILE ?? '', readToken)
  await aboutToken(run, step, seen, oidc, { usual: awsAudience })
  return prove(
    run,
    'exchange',
    'STS exchanges the token for credentials',
    async (): Promise<Outcome> => {
      const arn = env.AWS_ROLE_ARN ?? ''
      if (arn === '')
        return {
          status: 'fail',
          says: 'AWS_ROLE_ARN is not set, so no SDK knows which role to ask for',
          causes: [
            { check: 'aws/pod-is-injected', says: 'the variables of the identity webhook are only partly there' },
          ],
        }
      if (!roleArn.test(arn))
        return {
          status: 'fail',
          says: `AWS_ROLE_ARN is no ARN of a role: ${arn}`,
          causes: [{ check: 'aws/role-arn-valid', says: 'a role is named arn:PARTITION:iam::ACCOUNT:role/NAME' }],
        }
      if (seen?.state !== 'token') return { status: 'blocked', says: 'there is no token' }
      return told(
        await aws.assumeRole(seen.name, arn),
        () => `STS gives a session of ${arn}`,
        `STS refuses the token for ${arn}`,
      )
    },
    step,
  )
}

async function byAgent(run: Run, { env, aws, oidc, readToken }: AwsPlace): Promise<Step> {
  const relative = env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI ?? ''
  const address = env.AWS_CONTAINER_CREDENTIALS_FULL_URI || `http://169.254.170.2${relative}`
  const file = env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE ?? ''
  let seen: TokenSeen | undefined
  let step: Step | undefined
  if (file !== '') {
    ;[step, seen] = await tokenStep(run, file, readToken)
    await aboutToken(run, step, seen, oidc, { audience: podIdentityAudience })
  }
  return prove(
    run,
    'exchange',
    'The agent hands out credentials',
    async (): Promise<Outcome> => {
      const got = await aws.askAgent(address, seen?.state === 'token' ? seen.name : undefined)
      const outcome = told(got, () => 'the agent gives a session', `the agent at ${address} refuses`)
      if (got.state !== 'unseen' || !got.unreachable) return outcome
      // The pod itself is asked, so that silence is what every SDK in it meets.
      const says = `the agent at ${address} does not answer: ${got.detail}`
      return {
        ...outcome,
        status: 'fail',
        says,
        causes: [
          {
            check: 'aws/pod-reaches-pod-identity-agent',
            says: 'something keeps this pod from the address of the agent',
          },
          { check: 'aws/pod-identity-agent-running', says: 'no agent runs on this node' },
        ],
      }
    },
    step,
  )
}

/** The cloud's own word for who this is, against the role that the pod was given. */
async function whoAmI({ aws, env }: AwsPlace, agent: boolean): Promise<Outcome> {
  const got = await aws.caller()
  if (got.state !== 'done') return told(got, () => '', 'AWS does not take the session that it has just given')
  const { arn = '' } = got.told
  const details = [['caller', arn]] as const
  const [, account, role, session = ''] = sessionArn.exec(arn) ?? []
  if (agent)
    return session.startsWith('eks-') || role === undefined
      ? {
          status: role === undefined ? 'fail' : 'pass',
          says:
            role === undefined
              ? 'the caller is no session of a role'
              : `a session of role ${role} in account ${account}`,
          details,
        }
      : {
          status: 'pass',
          says: `a session of role ${role} in account ${account}, of another name than EKS gives`,
          details,
        }
  return compared(arn, env.AWS_ROLE_ARN ?? '', 'AWS_ROLE_ARN')
}

/** The session that came of it, against the role that was meant; `by` names what says so. Paths are in no session's ARN. */
export function compared(arn: string, wanted: string, by: string): Outcome {
  const [, account, role] = sessionArn.exec(arn) ?? []
  const [, , wantedAccount, wantedRole] = roleArn.exec(wanted) ?? []
  const details = [['caller', arn]] as const
  if (account === wantedAccount && role === wantedRole && role !== undefined)
    return { status: 'pass', says: `a session of role ${role} in account ${account}, as ${by} names it`, details }
  const says = `the caller is ${arn}, and ${by} names ${wanted}`
  return { status: 'fail', says, details, causes: [{ check: 'workload/caller-is-the-declared-identity', says }] }
}
