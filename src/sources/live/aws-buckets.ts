/** What S3 says about a bucket: who may read it in public, its policy, its encryption. */
import { absent, type Fact, known, type Question, unknown } from '../../core/fact.ts'
import { type Json, textAt } from '../../core/json.ts'
import { serviceError, unseen } from './aws-answers.ts'
import type { awsClients } from './aws-clients.ts'

type Clients = ReturnType<typeof awsClients>
type Sending = { readonly abortSignal?: AbortSignal }
type Call = (clients: Clients, Bucket: string, sending: Sending) => Promise<Json | undefined>

/** Each setting has a code of its own for a bucket that does not have it. */
const unset =
  /^(NoSuchPublicAccessBlockConfiguration|OwnershipControlsNotFoundError|NoSuchBucketPolicy|ServerSideEncryptionConfigurationNotFoundError)$/

const plainJson = (value: object): Json => JSON.parse(JSON.stringify(value))

export const bucketCalls: { readonly [call: string]: Call } = {
  's3:GetBucketPublicAccessBlock': async (clients, Bucket, sending) => {
    const { GetPublicAccessBlockCommand } = await import('@aws-sdk/client-s3')
    const s3 = await clients.s3()
    const { PublicAccessBlockConfiguration } = await s3.send(new GetPublicAccessBlockCommand({ Bucket }), sending)
    return PublicAccessBlockConfiguration && plainJson({ PublicAccessBlockConfiguration })
  },
  's3:GetBucketOwnershipControls': async (clients, Bucket, sending) => {
    const { GetBucketOwnershipControlsCommand } = await import('@aws-sdk/client-s3')
    const s3 = await clients.s3()
    const { OwnershipControls } = await s3.send(new GetBucketOwnershipControlsCommand({ Bucket }), sending)
    return OwnershipControls && plainJson({ OwnershipControls })
  },
  's3:GetBucketPolicy': async (clients, Bucket, sending) => {
    const { GetBucketPolicyCommand } = await import('@aws-sdk/client-s3')
    const s3 = await clients.s3()
    const { Policy } = await s3.send(new GetBucketPolicyCommand({ Bucket }), sending)
    const document = parsed(Policy)
    return document === undefined ? undefined : { Policy: document }
  },
  's3:GetEncryptionConfiguration': async (clients, Bucket, sending) => {
    const { GetBucketEncryptionCommand } = await import('@aws-sdk/client-s3')
    const s3 = await clients.s3()
    const { ServerSideEncryptionConfiguration } = await s3.send(new GetBucketEncryptionCommand({ Bucket }), sending)
    return ServerSideEncryptionConfiguration && plainJson({ ServerSideEncryptionConfiguration })
  },
}

/** A bucket may be anybody's: who may not look is told so, whatever account is signed in to. */
export async function askBucket(
  call: Call,
  clients: Clients,
  question: Question,
  sending: Sending,
): Promise<Fact<Json>> {
  const bucket = textAt(question.input, 'Bucket') ?? ''
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    return unknown('not-asked', 'that is not the name of a bucket', question)
  try {
    const answer = await call(clients, bucket, sending)
    return answer === undefined
      ? unknown('malformed', 'S3 answered without what was asked', question)
      : known(answer, question)
  } catch (error) {
    return unset.test(serviceError(error)?.code ?? '') ? absent(question) : unseen(error, question)
  }
}

function parsed(text: string | undefined): Json | undefined {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
