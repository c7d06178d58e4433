/** The lane's AWS account in the words of the tests: providers, roles, exchanges, objects, through the SDK's real clients. */
import {
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  DeleteOpenIDConnectProviderCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import type { Lane } from './lane.ts'
import type { User } from './servers/gateway.ts'

export type Credentials = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** A trust policy; the gateway takes no blanks in it, so it is always written without. */
export type Policy = { readonly [element: string]: unknown }

export type Cloud = {
  readonly account: string
  readonly iam: IAMClient
  readonly sts: STSClient
  readonly providerArn: (issuer: string) => string
  readonly roleArn: (name: string) => string
  /** The thumbprints are those of the key set's certificates: the gateway looks at them, where AWS looks at TLS. */
  readonly registerProvider: (
    issuer: string,
    audiences: readonly string[],
    thumbprints: readonly string[],
  ) => Promise<string>
  readonly removeProvider: (issuer: string) => Promise<void>
  readonly createRole: (name: string, trust: Policy) => Promise<string>
  readonly setTrust: (name: string, trust: Policy) => Promise<void>
  readonly removeRole: (name: string) => Promise<void>
  /** The trust that IRSA's documentation recommends: subject and audience, both exact. */
  readonly trustIn: (order: { issuer: string; subject: string; audience?: string }) => Policy
  /** Lets the role list and read this bucket. */
  readonly allowReading: (role: string, bucket: string) => Promise<void>
  readonly denyReading: (role: string) => Promise<void>
  /** @throws what STS refuses with */
  readonly exchange: (roleArn: string, token: string) => Promise<Credentials>
  readonly whoAmI: (credentials: Credentials) => Promise<string>
  /** Makes the bucket, where it is not there, and puts the object into it. */
  readonly putObject: (bucket: string, key: string, body: string) => Promise<void>
  readonly listObjects: (bucket: string, credentials: Credentials) => Promise<readonly string[]>
  readonly close: () => void
}

export const defaultAudience = 'sts.amazonaws.com'

/** As the administrator, or as `user`. @throws Error where the lane has no cloud: skip the test with the lane's own reason before */
export function cloudOf({ cloud, root }: Lane, user?: User): Cloud {
  if (cloud === undefined) throw new Error('the lane has no cloud')
  const { account, accessKeyId, secretAccessKey } = user ?? cloud.users.admin
  const base = (credentials: Credentials) => ({
    endpoint: cloud.endpoint,
    region: cloud.region,
    credentials,
    maxAttempts: 1,
    requestHandler: { httpsAgent: { ca: root }, requestTimeout: 30_000, throwOnRequestTimeout: true },
  })
  const own = { accessKeyId, secretAccessKey }
  const iam = new IAMClient(base(own))
  const sts = new STSClient(base(own))
  const s3 = (credentials: Credentials) => new S3Client({ ...base(credentials), forcePathStyle: true })
  const ownS3 = s3(own)
  const bare = (issuer: string): string => issuer.replace(/^https:\/\//, '')
  const providerArn = (issuer: string): string => `arn:aws:iam::${account}:oidc-provider/${bare(issuer)}`
  const roleArn = (name: string): string => `arn:aws:iam::${account}:role/${name}`
  return {
    account,
    iam,
    sts,
    providerArn,
    roleArn,
    registerProvider: async (issuer, audiences, thumbprints) => {
      const order = { Url: issuer, ClientIDList: [...audiences], ThumbprintList: [...thumbprints] }
      const { OpenIDConnectProviderArn } = await iam.send(new CreateOpenIDConnectProviderCommand(order))
      return OpenIDConnectProviderArn ?? providerArn(issuer)
    },
    removeProvider: async (issuer) => {
      await iam.send(new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: providerArn(issuer) }))
    },
    createRole: async (name, trust) => {
      const order = { RoleName: name, AssumeRolePolicyDocument: JSON.stringify(trust) }
      const { Role } = await iam.send(new CreateRoleCommand(order))
      return Role?.Arn ?? roleArn(name)
    },
    setTrust: async (name, trust) => {
      await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: name, PolicyDocument: JSON.stringify(trust) }))
    },
    removeRole: async (name) => {
      await iam.send(new DeleteRoleCommand({ RoleName: name }))
    },
    trustIn: ({ issuer, subject, audience = defaultAudience }) => ({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Federated: [providerArn(issuer)] },
          Action: ['sts:AssumeRoleWithWebIdentity'],
          Condition: { StringEquals: { [`${bare(issuer)}:sub`]: subject, [`${bare(issuer)}:aud`]: audience } },
        },
      ],
    }),
    allowReading: async (role, bucket) => {
      const statement = {
        Effect: 'Allow',
        Action: ['s3:ListBucket', 's3:GetObject'],
        Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
      }
      const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
      await iam.send(new PutRolePolicyCommand({ RoleName: role, PolicyName: 'reading', PolicyDocument }))
    },
    denyReading: async (role) => {
      await iam.send(new DeleteRolePolicyCommand({ RoleName: role, PolicyName: 'reading' }))
    },
    exchange: async (arn, token) => {
      const order = { RoleArn: arn, RoleSessionName: 'live', WebIdentityToken: token, DurationSeconds: 900 }
      const { Credentials: made } = await sts.send(new AssumeRoleWithWebIdentityCommand(order))
      if (made?.AccessKeyId === undefined || made.SecretAccessKey === undefined || made.SessionToken === undefined)
        throw new Error('STS answered without credentials')
      return { accessKeyId: made.AccessKeyId, secretAccessKey: made.SecretAccessKey, sessionToken: made.SessionToken }
    },
    whoAmI: async (credentials) => {
      const client = new STSClient(base(credentials))
      const { Arn } = await client.send(new GetCallerIdentityCommand({})).finally(() => client.destroy())
      return Arn ?? ''
    },
    putObject: async (bucket, key, body) => {
      await ownS3.send(new CreateBucketCommand({ Bucket: bucket }))
      await ownS3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }))
    },
    listObjects: async (bucket, credentials) => {
      const client = s3(credentials)
      const asked = client.send(new ListObjectsV2Command({ Bucket: bucket }))
      const { Contents = [] } = await asked.finally(() => client.destroy())
      return Contents.flatMap(({ Key }) => (Key === undefined ? [] : [Key]))
    },
    close: () => {
      for (const client of [iam, sts, ownS3]) client.destroy()
    },
  }
}
