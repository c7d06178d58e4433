/** The AWS source: IAM, EKS and STS as the person's own credentials see them, and the exchange that a workload would make. */
import { absent, type Fact, known, type Question, type Source, unknown } from '../../core/fact.ts'
import { type Json, textAt } from '../../core/json.ts'
import { permissionOf, permissionWords } from '../../knowledge/permissions.ts'
import { serviceError, unseen } from './aws-answers.ts'
import { askBucket, bucketCalls } from './aws-buckets.ts'
import { awsClients } from './aws-clients.ts'
import { type ClusterSeeker, seekAssociations, seekCluster } from './aws-cluster.ts'
import { entryCalls } from './aws-entry.ts'
import { type Exchanger, exchangeToken } from './aws-exchange.ts'
import { machineCalls } from './aws-machines.ts'
import { permissionCalls } from './aws-permissions.ts'
import type { EksHint } from './eks-hint.ts'

export type AwsDeps = Omit<ClusterSeeker, 'clients'> &
  Omit<Exchanger, 'clients'> & {
    readonly env?: NodeJS.ProcessEnv | undefined
    readonly region?: string | undefined
    readonly timeoutMs?: number | undefined
    readonly hint: EksHint
    /** Stops what several questions share: who is signed in, which cluster it is. */
    readonly signal?: AbortSignal | undefined
  }

export type AwsSource = Source & { readonly close: () => void }

const mostPages = 10

export function awsSource(deps: AwsDeps): AwsSource {
  const env = deps.env ?? process.env
  const clients = awsClients({ env, region: deps.region, hint: deps.hint, timeoutMs: deps.timeoutMs ?? 30_000 })
  const sending = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal })
  let identity: Promise<Fact<Json>> | undefined
  let cluster: Promise<Fact<Json>> | undefined

  const callerIdentity = (question: Question): Promise<Fact<Json>> => {
    identity ??= (async () => {
      try {
        const { GetCallerIdentityCommand } = await import('@aws-sdk/client-sts')
        const sts = await clients.sts()
        const { Account, Arn, UserId } = await sts.send(new GetCallerIdentityCommand({}), sending(deps.signal))
        return Account === undefined || Arn === undefined || UserId === undefined
          ? unknown('malformed', 'STS did not say who is signed in', question)
          : known({ Account, Arn, UserId }, question)
      } catch (error) {
        return unseen(error, question)
      }
    })()
    return identity.then((fact) => ({ ...fact, from: question }))
  }

  const theCluster = (question: Question): Promise<Fact<Json>> => {
    cluster ??= seekCluster({ ...deps, clients }, question, deps.signal)
    return cluster.then((fact) => ({ ...fact, from: question }))
  }

  /** Why nothing can be said about this account; undefined where the credentials are its own. */
  const outside = async (account: string | undefined, what: string, question: Question) => {
    if (account === undefined) return undefined
    const who = await callerIdentity(question)
    if (who.state !== 'known') return who
    const own = textAt(who.value, 'Account') ?? ''
    return own === account
      ? undefined
      : unknown(
          'forbidden',
          `signed in to account ${own}, ${what} lives in ${account}`,
          question,
          `sign in to account ${account} (AWS_PROFILE), with ${permissionWords(permissionOf(question)) ?? 'read access'}`,
        )
  }

  /** One call to IAM in one account; `NoSuchEntity` is an absence there and nowhere else. */
  const inAccount = async (
    account: string | undefined,
    what: string,
    question: Question,
    call: () => Promise<Fact<Json>>,
  ): Promise<Fact<Json>> => {
    const kept = await outside(account, what, question)
    if (kept !== undefined) return kept
    try {
      return await call()
    } catch (error) {
      const code = serviceError(error)?.code
      return code === 'NoSuchEntity' || code === 'NoSuchEntityException' ? absent(question) : unseen(error, question)
    }
  }

  const role = (question: Question, signal?: AbortSignal): Promise<Fact<Json>> =>
    inAccount(textAt(question.input, 'account'), 'the role', question, async () => {
      const { GetRoleCommand } = await import('@aws-sdk/client-iam')
      const iam = await clients.iam()
      const { Role } = await iam.send(
        new GetRoleCommand({ RoleName: textAt(question.input, 'RoleName') }),
        sending(signal),
      )
      const document = policyOf(Role?.AssumeRolePolicyDocument)
      if (Role?.RoleName === undefined || document === undefined)
        return unknown('malformed', 'the trust policy of the role could not be read', question)
      const { RoleName, RoleId, Arn, Path, MaxSessionDuration, CreateDate, PermissionsBoundary, Tags } = Role
      const facts = {
        RoleName,
        RoleId,
        Arn,
        Path,
        MaxSessionDuration,
        CreateDate,
        PermissionsBoundary,
        AssumeRolePolicyDocument: document,
        // They tell which tool owns the role.
        ...(Tags === undefined || Tags.length === 0 ? {} : { Tags }),
      }
      return known({ Role: JSON.parse(JSON.stringify(facts)) }, question)
    })

  const roles = (question: Question, signal?: AbortSignal): Promise<Fact<Json>> =>
    inAccount(textAt(question.input, 'account'), 'the list of roles', question, async () => {
      const { ListRolesCommand } = await import('@aws-sdk/client-iam')
      const iam = await clients.iam()
      const Roles: Json[] = []
      let Marker: string | undefined
      for (let page = 0; page < mostPages; page += 1) {
        const answer = await iam.send(new ListRolesCommand({ MaxItems: 1000, Marker }), sending(signal))
        if (answer.Roles === undefined) return unknown('malformed', 'IAM answered without a list of roles', question)
        for (const { RoleName, Arn } of answer.Roles)
          if (RoleName !== undefined) Roles.push({ RoleName, ...(Arn === undefined ? {} : { Arn }) })
        if (answer.IsTruncated !== true) return known({ Roles, complete: true }, question)
        Marker = answer.Marker
      }
      return known({ Roles, complete: false }, question)
    })

  const oidcProviders = (question: Question, signal?: AbortSignal): Promise<Fact<Json>> =>
    inAccount(textAt(question.input, 'account'), 'the list of providers', question, async () => {
      const { ListOpenIDConnectProvidersCommand } = await import('@aws-sdk/client-iam')
      const iam = await clients.iam()
      const { OpenIDConnectProviderList: list } = await iam.send(
        new ListOpenIDConnectProvidersCommand({}),
        sending(signal),
      )
      if (list === undefined) return unknown('malformed', 'IAM answered without a list of providers', question)
      const providers = list.flatMap(({ Arn }) => (Arn === undefined ? [] : [{ Arn }]))
      return known({ OpenIDConnectProviderList: providers, complete: true }, question)
    })

  const oidcProvider = (question: Question, signal?: AbortSignal): Promise<Fact<Json>> => {
    const arn = textAt(question.input, 'OpenIDConnectProviderArn') ?? ''
    return inAccount(arn.split(':')[4], 'the provider', question, async () => {
      const { GetOpenIDConnectProviderCommand } = await import('@aws-sdk/client-iam')
      const iam = await clients.iam()
      const answer = await iam.send(
        new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn }),
        sending(signal),
      )
      const { Url, ClientIDList = [], ThumbprintList = [], Tags = [] } = answer
      return Url === undefined
        ? unknown('malformed', 'the provider came without its URL', question)
        : known(
            {
              Url,
              ClientIDList,
              ThumbprintList,
              ...(Tags.length === 0 ? {} : { Tags: Tags.map(({ Key = '', Value = '' }) => ({ Key, Value })) }),
            },
            question,
          )
    })
  }

  const calls: { readonly [call: string]: (question: Question, signal?: AbortSignal) => Promise<Fact<Json>> } = {
    'sts:GetCallerIdentity': callerIdentity,
    'eks:DescribeCluster': theCluster,
    'eks:ListPodIdentityAssociations': async (question, signal) =>
      seekAssociations(await theCluster(question), clients, question, signal),
    'iam:GetRole': role,
    'iam:ListRoles': roles,
    'iam:ListOpenIDConnectProviders': oidcProviders,
    'iam:GetOpenIDConnectProvider': oidcProvider,
    ...entryCalls({ clients, cluster: theCluster, inAccount }),
    ...machineCalls(clients),
    'sts:AssumeRoleWithWebIdentity': (question, signal) => exchangeToken({ ...deps, clients }, question, signal),
  }

  return {
    name: 'AWS',
    ask: (question, signal) => {
      const call = Object.hasOwn(calls, question.call) ? calls[question.call] : undefined
      if (call !== undefined) return call(question, signal)
      const permission = Object.hasOwn(permissionCalls, question.call) ? permissionCalls[question.call] : undefined
      if (permission !== undefined)
        return inAccount(textAt(question.input, 'account'), 'what was asked about', question, () =>
          permission(clients, question, sending(signal)),
        )
      const bucket = Object.hasOwn(bucketCalls, question.call) ? bucketCalls[question.call] : undefined
      if (bucket !== undefined) return askBucket(bucket, clients, question, sending(signal))
      return unknown(
        'not-asked',
        `${question.call} is not asked of a live AWS account yet`,
        question,
        'give the policies as documents with -f; otherwise ask the owner of the AWS organization',
      )
    },
    close: () => clients.close(),
  }
}

/** IAM sends policy documents URL-encoded: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html */
function policyOf(encoded: string | undefined): Json | undefined {
  try {
    return encoded === undefined ? undefined : JSON.parse(decodeURIComponent(encoded))
  } catch {
    return undefined
  }
}
