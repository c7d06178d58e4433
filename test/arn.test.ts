/** Role ARNs, callers and regions as AWS and its webhook read them. */
import { describe, expect, test } from 'vitest'
import {
  parseCaller,
  parseRoleArn,
  partitionOfHost,
  partitionOfRegion,
  type RoleArnFault,
  roleArnFault,
} from '../src/domain/arn.ts'
import { denialsIn, isNodeSession } from '../src/domain/aws-callers.ts'
import { foreignKey } from '../src/domain/aws-role-keys.ts'
import { isMisspeltAudience } from '../src/domain/client-ids.ts'
import { editDistance } from '../src/domain/edit-distance.ts'

describe('a role ARN', () => {
  test.each([
    ['arn:aws:iam::111122223333:role/cart', 'aws', '/', 'cart'],
    ['arn:aws-cn:iam::111122223333:role/team/shop/cart', 'aws-cn', '/team/shop/', 'cart'],
    ['arn:aws-us-gov:iam::111122223333:role/a.b+c=d,e@f-g_h', 'aws-us-gov', '/', 'a.b+c=d,e@f-g_h'],
  ])('%s is read', (arn, partition, path, name) => {
    expect(parseRoleArn(arn)).toEqual({ partition, account: '111122223333', path, name })
    expect(roleArnFault(arn)).toBeUndefined()
  })

  test.each<[string, RoleArnFault['fault'], { readonly [name: string]: string }]>([
    ['arn:aws:iam::<ACCOUNT_ID>:role/cart', 'placeholder-left', { placeholder: '<ACCOUNT_ID>' }],
    [`arn:aws:iam::\${account}:role/cart`, 'placeholder-left', { placeholder: `\${account}` }],
    ['arn:aws:iam::$ACCOUNT:role/cart', 'placeholder-left', { placeholder: '$ACCOUNT' }],
    ['arn:aws:iam::{{ .Values.account }}:role/cart', 'placeholder-left', { placeholder: '{{ .Values.account }}' }],
    ['arn:aws:iam::111122223333:role/cart\n', 'stray-character', { character: 'a line end' }],
    [' arn:aws:iam::111122223333:role/cart', 'stray-character', { character: 'a space' }],
    ['"arn:aws:iam::111122223333:role/cart"', 'stray-character', { character: 'a double quote' }],
    ['arn:aws:iam::111122223333:role/cart\u200b', 'stray-character', { character: 'the character U+200B' }],
    ['arn:aws:iam::111122223333:role/ca?t', 'stray-character', { character: 'a question mark' }],
    ['cart', 'name-only', {}],
    ['role/cart', 'name-only', {}],
    ['arn:aws:iam::111122223333:instance-profile/cart', 'instance-profile', {}],
    [
      'arn:aws:sts::111122223333:assumed-role/cart/i-0abc',
      'session-arn',
      { expected: 'arn:aws:iam::111122223333:role/cart' },
    ],
    ['arn:aws:iam::11112222333:role/cart', 'account-malformed', {}],
    ['arn:aws:iam::ACCOUNT_ID:role/cart', 'account-malformed', {}],
    ['arn:aws:iam:111122223333:role/cart', 'malformed', { part: 'iam:111122223333', expected: 'iam::111122223333' }],
    ['arn:aws:iam:us-west-2:111122223333:role/cart', 'malformed', { part: 'iam:us-west-2:', expected: 'iam::' }],
    ['ARN:aws:iam::111122223333:role/cart', 'malformed', { part: 'ARN', expected: 'arn' }],
    ['arn:amazon:iam::111122223333:role/cart', 'malformed', { part: 'amazon' }],
    ['arn:aws:s3::111122223333:role/cart', 'malformed', { part: 's3', expected: 'iam' }],
    ['arn:aws:iam::111122223333:policy/cart', 'malformed', { part: 'policy/cart', expected: 'role/cart' }],
    ['arn:aws:iam::111122223333:role:cart', 'malformed', { part: 'role:cart', expected: 'role/cart' }],
    ['arn:aws:iam::111122223333:role/team/', 'malformed', { part: 'role/team/' }],
    ['arn:aws:iam::111122223333:role/cart*', 'malformed', {}],
    [':', 'malformed', {}],
  ])('%j is %s', (value, fault, data) => {
    expect(roleArnFault(value)).toMatchObject({ fault, data })
    expect(parseRoleArn(value)).toBeUndefined()
  })

  test('a value without end costs no time', () => {
    const start = performance.now()
    for (const one of ['<', '${', 'a:', '{{', 'arn:aws:iam::1:role/', ' '])
      expect(roleArnFault(one.repeat(100_000))).toBeDefined()
    expect(performance.now() - start).toBeLessThan(3000)
  })
})

test.each([
  ['us-west-2', 'aws'],
  ['cn-northwest-1', 'aws-cn'],
  ['us-gov-east-1', 'aws-us-gov'],
  ['us-iso-east-1', 'aws-iso'],
  ['us-isob-east-1', 'aws-iso-b'],
  ['europe-west4', undefined],
  ['eastus', undefined],
  ['cn-hangzhou', undefined],
])('region %s is of partition %s', (region, partition) => {
  expect(partitionOfRegion(region)).toBe(partition)
})

test.each([
  ['sts.amazonaws.com', 'aws'],
  ['sts.cn-north-1.amazonaws.com.cn', 'aws-cn'],
  ['sts.us-gov-west-1.amazonaws.com', 'aws-us-gov'],
  ['sts.example.com', undefined],
])('host %s is of partition %s', (host, partition) => {
  expect(partitionOfHost(host)).toBe(partition)
})

describe('a denial', () => {
  test('names its caller over the end of a line and within a JSON log', () => {
    const node =
      'User: arn:aws:sts::123456789012:assumed-role/nodes/i-0abc\nis not authorized to perform: s3:ListBucket on x'
    const user = 'err="User: arn:aws:iam::123456789012:user/ops/bob is not\\n authorized to perform: s3:PutObject"'
    expect(denialsIn(node).map(({ caller, action }) => ({ caller, action }))).toEqual([
      {
        caller: { kind: 'session', account: '123456789012', name: 'nodes', session: 'i-0abc' },
        action: 's3:ListBucket',
      },
    ])
    expect(denialsIn(user)[0]?.caller).toEqual({ kind: 'user', account: '123456789012', name: 'bob' })
  })
  test('of an instance is told from those of other sessions', () => {
    const session = (name: string) => parseCaller(`arn:aws:sts::123456789012:assumed-role/nodes/${name}`)
    const told = ['i-0471c9c18272a3ec2', 'botocore-session-1700000000', 'eks-demo-cart-0-abc'].map((name) => {
      const caller = session(name)
      return caller !== undefined && isNodeSession(caller)
    })
    expect(told).toEqual([true, false, false])
  })
})

describe('an annotation key', () => {
  const role = 'arn:aws:iam::111122223333:role/cart'
  test.each([
    [{ 'eks.amazonaws.com/role': 'x' }, 'eks.amazonaws.com/role'],
    [{ 'eks.amazonaws.com/rolearn': 'x' }, 'eks.amazonaws.com/rolearn'],
    [{ 'eks.amazonaws.com/role-ARN': 'x' }, 'eks.amazonaws.com/role-ARN'],
    [{ 'eks.amazon.com/role-arn': role }, 'eks.amazon.com/role-arn'],
    [{ 'aws.example.com/iam': role }, 'aws.example.com/iam'],
    [{ 'iam.amazonaws.com/role': role }, 'iam.amazonaws.com/role'],
    [{ 'eks.amazonaws.com/audience': 'sts.amazonaws.com' }, undefined],
    [{ 'eks.amazonaws.com/sts-regional-endpoints': 'true' }, undefined],
    [{ 'iam.gke.io/gcp-service-account': 'a@b.iam.gserviceaccount.com' }, undefined],
    [{ 'example.com/bucket': 'arn:aws:s3:::carts' }, undefined],
  ])('%j: %s', (annotations, key) => {
    expect(foreignKey(annotations)?.key).toBe(key)
  })
})

test.each([
  ['sts.amazon.com', true],
  ['sts.amazonaws.con', true],
  ['https://sts.amazonaws.com', true],
  ['sts.eu-west-1.amazonaws.com', true],
  ['sts.amazonaws.com', false],
  ['STS.amazonaws.com', false],
  ['amazonaws.com', false],
  ['kubernetes', false],
])('client id %s is a try at sts.amazonaws.com: %s', (id, is) => {
  expect(isMisspeltAudience(id)).toBe(is)
})

test.each([
  ['kitten', 'sitting', 3, 3],
  ['kitten', 'sitting', 2, 3],
  ['', 'abc', 4, 3],
  ['same', 'same', 4, 0],
])('from %s to %s, up to %i: %i', (a, b, limit, distance) => {
  expect(editDistance(a, b, limit)).toBe(distance)
})
