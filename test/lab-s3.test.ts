/** Buckets and permission policies over the wire: the lab serves what a case shows, the live source reads it with the real SDK. */
import { afterAll, expect, test, vi } from 'vitest'
import { aws } from '../src/domain/questions.ts'
import { liveSource } from '../src/sources/live/index.ts'
import { closeLabs, start } from './labs.ts'

afterAll(async () => {
  vi.unstubAllEnvs()
  await closeLabs()
})

const account = '111122223333'
const statement = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::shop-carts/*' }
const policy = { Version: '2012-10-17', Statement: [statement] }
const ofBucket = { Version: '2012-10-17', Statement: [{ ...statement, Principal: { AWS: account } }] }
const access = { PublicAccessBlockConfiguration: { BlockPublicAcls: true, RestrictPublicBuckets: false } }
const owner = { OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] } }
const key = 'arn:aws:kms:us-west-2:444455556666:key/1c9d1b4e-0000-4a5b-8c9d-4be1d2f30001'
const rule = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: key } }
const files = {
  'shop.yaml': `apiVersion: v1
kind: ServiceAccount
metadata: {name: cart, namespace: shop, annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::${account}:role/cart"}}`,
  'caller.json': JSON.stringify({ Account: account, Arn: `arn:aws:iam::${account}:user/me`, UserId: 'AIDA' }),
  'inline-policies/cart.json': JSON.stringify({ PolicyNames: ['s3'] }),
  's3.json': JSON.stringify({ RoleName: 'cart', PolicyName: 's3', PolicyDocument: policy }),
  'attached-policies/cart.json': JSON.stringify({
    AttachedPolicies: [{ PolicyName: 'read', PolicyArn: `arn:aws:iam::${account}:policy/read` }],
  }),
  'policies/read.json': JSON.stringify({ PolicyVersion: { Document: policy } }),
  'bucket-policies/shop-carts.json': JSON.stringify({ Policy: JSON.stringify(ofBucket) }),
  'public-access/shop-carts.json': JSON.stringify(access),
  'ownership/shop-carts.json': JSON.stringify(owner),
  'encryption/shop-carts.json': JSON.stringify({ ServerSideEncryptionConfiguration: { Rules: [rule] } }),
}

test('what a case shows comes back as it stands there; what was refused stays unknown', async () => {
  const lab = await start(files, { refuse: ['s3:GetBucketOwnershipControls'] })
  // The SDK reads its endpoints and credentials from the process itself.
  for (const [name, text] of Object.entries(lab.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, text)
  const { source, close } = await liveSource({ flags: { kubeconfig: lab.kubeconfig }, env: lab.env })
  try {
    const value = async (question: Parameters<typeof source.ask>[0]) => {
      const fact = await source.ask(question)
      return fact.state === 'known' ? fact.value : fact
    }
    const arn = `arn:aws:iam::${account}:policy/read`
    expect(await value(aws.bucketPolicy('shop-carts'))).toEqual({ Policy: ofBucket })
    expect(await value(aws.bucketPublicAccess('shop-carts'))).toEqual(access)
    expect(await value(aws.bucketEncryption('shop-carts'))).toEqual({
      ServerSideEncryptionConfiguration: { Rules: [rule] },
    })
    expect(await value(aws.bucketOwnership('shop-carts'))).toMatchObject({
      state: 'unknown',
      why: 'forbidden',
      lift: 'IAM: s3:GetBucketOwnershipControls',
    })
    expect(await value(aws.bucketPolicy('no bucket'))).toMatchObject({ state: 'unknown', why: 'not-asked' })
    expect(await value(aws.rolePolicies(account, 'cart'))).toEqual({ PolicyNames: ['s3'], complete: true })
    expect(await value(aws.rolePolicy(account, 'cart', 's3'))).toEqual({ PolicyDocument: policy })
    expect(await value(aws.attachedRolePolicies(account, 'cart'))).toEqual({
      AttachedPolicies: [{ PolicyName: 'read', PolicyArn: arn }],
      complete: true,
    })
    expect(await value(aws.policy(account, arn))).toEqual({ PolicyVersion: { Document: policy } })
    expect(await value(aws.rolePolicies(account, 'other'))).toMatchObject({ state: 'unknown', why: 'forbidden' })
  } finally {
    close()
  }
})
