/** The lab's AWS through the real SDK clients: every refusal with its code, status and words. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { DescribeClusterCommand, ListPodIdentityAssociationsCommand } from '@aws-sdk/client-eks'
import {
  AddClientIDToOpenIDConnectProviderCommand,
  CreateOpenIDConnectProviderCommand,
  GetOpenIDConnectProviderCommand,
  GetRoleCommand,
  ListOpenIDConnectProvidersCommand,
  ListRolesCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Lab } from '../src/lab/lab.ts'
import { ask, closeLabs, demo, eks, iam, issuer, mint, refusal, role, start, sts } from './labs.ts'

let broken: Lab
let healthy: Lab
beforeAll(async () => {
  ;[broken, healthy] = await Promise.all([start(demo('broken')), start(demo('healthy'))])
})
afterAll(closeLabs)

describe('STS', () => {
  it('exchanges a token that the role trusts', async () => {
    const token = await mint(healthy)
    const answer = await sts(healthy).send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: role,
        RoleSessionName: 'lab-test',
        WebIdentityToken: token,
        DurationSeconds: 900,
      }),
    )
    expect(answer).toMatchObject({
      SubjectFromWebIdentityToken: 'system:serviceaccount:shop:cart',
      Audience: 'sts.amazonaws.com',
      AssumedRoleUser: { Arn: 'arn:aws:sts::111122223333:assumed-role/cart/lab-test' },
      Credentials: { AccessKeyId: expect.stringMatching(/^ASIA/), Expiration: expect.any(Date) },
    })
    expect(answer.$metadata.requestId).toMatch(/^[\da-f-]{36}$/)
  })

  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: issuer,
    sub: 'system:serviceaccount:shop:cart',
    aud: ['sts.amazonaws.com'],
    exp: now + 600,
    iat: now,
  }
  const noKey =
    "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements"
  const refusals: readonly [string, () => Promise<unknown>, readonly [string, number, string | RegExp]][] = [
    [
      'a subject that the policy does not admit',
      async () => refusal(broken, await mint(broken)),
      ['AccessDenied', 403, 'Not authorized to perform sts:AssumeRoleWithWebIdentity'],
    ],
    [
      'a wrong audience',
      async () => refusal(healthy, await mint(healthy, { audiences: ['other'] })),
      ['InvalidIdentityToken', 400, 'Incorrect token audience'],
    ],
    [
      'two audiences',
      async () => refusal(healthy, await mint(healthy, { audiences: ['sts.amazonaws.com', 'other'] })),
      ['InvalidIdentityToken', 400, /more than one audience/],
    ],
    [
      'an expired token',
      async () => refusal(healthy, await healthy.sign({ ...claims, exp: now - 60 })),
      [
        'ExpiredToken',
        400,
        new RegExp(`^Token expired: current date/time \\d+ must be before the expiration date/time ${now - 60}$`),
      ],
    ],
    [
      'an unknown issuer',
      async () => refusal(healthy, await healthy.sign({ ...claims, iss: 'https://elsewhere.example' })),
      ['InvalidIdentityToken', 400, 'No OpenIDConnect provider found in your account for https://elsewhere.example'],
    ],
    [
      'a signature of another key',
      async () => refusal(healthy, await broken.sign(claims)),
      ['InvalidIdentityToken', 400, noKey],
    ],
    [
      'a broken signature',
      async () => refusal(healthy, `${(await mint(healthy)).slice(0, -8)}AAAAAAAA`),
      ['InvalidIdentityToken', 400, noKey],
    ],
    [
      'a key that is not published',
      async () => refusal(healthy, await healthy.sign(claims, { kid: 'other' })),
      ['InvalidIdentityToken', 400, noKey],
    ],
    [
      'a missing claim',
      async () => refusal(healthy, await healthy.sign({ iss: claims.iss, sub: claims.sub, exp: claims.exp })),
      ['InvalidIdentityToken', 400, 'Missing a required claim: aud'],
    ],
    [
      'no JWT',
      async () => refusal(healthy, 'no.jwt'),
      ['InvalidIdentityToken', 400, /^The ID Token provided is not a valid JWT/],
    ],
    [
      'no role ARN',
      async () => refusal(healthy, await mint(healthy), { RoleArn: 'arn:aws:iam::111122223333:user/cart' }),
      ['ValidationError', 400, 'Request ARN is invalid'],
    ],
    [
      'a session name with a space',
      async () => refusal(healthy, await mint(healthy), { RoleSessionName: 'a b' }),
      [
        'ValidationError',
        400,
        /at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: \[\\w\+=,\.@-\]\*$/,
      ],
    ],
    [
      'a session that is too long for the role',
      async () => refusal(healthy, await mint(healthy), { DurationSeconds: 7200 }),
      ['ValidationError', 400, 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.'],
    ],
    [
      'an account that the case does not show',
      async () => refusal(healthy, await mint(healthy), { RoleArn: 'arn:aws:iam::444455556666:role/cart' }),
      ['LabCannotTell', 400, /does not show whether arn:aws:iam::444455556666:oidc-provider/],
    ],
  ]
  it.each(refusals)('refuses %s', async (_name, call, [code, status, message]) => {
    const answer = await call()
    expect(answer).toMatchObject({ code, status })
    expect(answer).toHaveProperty('message', typeof message === 'string' ? message : expect.stringMatching(message))
  })

  it('finds nobody where the other account has no provider, and a role that is not there refused like one that does not trust', async () => {
    const files = await Promise.all(
      ['cluster.json', '111122223333.json', 'shop.yaml'].map(async (name) => [
        name,
        await readFile(path.join(demo('healthy'), name), 'utf8'),
      ]),
    )
    const lab = await start({
      ...Object.fromEntries(files),
      '444455556666.json': '{"OpenIDConnectProviderList": []}',
      'roles.json': '{"Roles": [{"RoleName": "x", "Arn": "arn:aws:iam::111122223333:role/x"}]}',
    })
    const token = await mint(lab)
    expect(await refusal(lab, token, { RoleArn: 'arn:aws:iam::444455556666:role/cart' })).toMatchObject({
      message: `No OpenIDConnect provider found in your account for ${issuer}`,
    })
    expect(await refusal(lab, token)).toMatchObject({ code: 'AccessDenied', status: 403 })
  })

  it('knows who is asking, and that somebody has to sign', async () => {
    expect(await sts(healthy).send(new GetCallerIdentityCommand({}))).toMatchObject({
      Account: '111122223333',
      Arn: 'arn:aws:iam::111122223333:user/operator',
    })
    const form = 'application/x-www-form-urlencoded'
    const unsigned = await ask(healthy, healthy.urls.sts, {
      method: 'POST',
      body: 'Action=GetCallerIdentity&Version=2011-06-15',
      type: form,
    })
    expect(unsigned).toMatchObject({
      status: 403,
      body: expect.stringContaining('<Code>MissingAuthenticationToken</Code>'),
    })
  })
})

describe('IAM and EKS', () => {
  it('show what the case shows, and change it in memory', async () => {
    const lab = await start(demo('broken'))
    const client = iam(lab)
    const provider = `arn:aws:iam::111122223333:oidc-provider/${issuer.slice(8)}`
    const { Role } = await client.send(new GetRoleCommand({ RoleName: 'cart' }))
    const policy = decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '')
    expect(Role).toMatchObject({ Arn: role, Path: '/', MaxSessionDuration: 3600 })
    expect(policy).toContain('system:serviceaccount:shop-prod:cart')
    expect(await client.send(new ListOpenIDConnectProvidersCommand({}))).toMatchObject({
      OpenIDConnectProviderList: [{ Arn: provider }],
    })
    expect(await refusal(lab, await mint(lab))).toMatchObject({ code: 'AccessDenied' })
    const repaired = policy.replace('shop-prod', 'shop')
    await client.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'cart', PolicyDocument: repaired }))
    expect(await refusal(lab, await mint(lab))).toBe('exchanged')
    await client.send(
      new AddClientIDToOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: provider, ClientID: 'other' }),
    )
    expect(
      await client.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: provider })),
    ).toMatchObject({ Url: issuer.slice(8), ClientIDList: ['sts.amazonaws.com', 'other'] })
    const bad = new UpdateAssumeRolePolicyCommand({
      RoleName: 'cart',
      PolicyDocument: repaired.replaceAll('"oidc.eks', '"https://oidc.eks'),
    })
    await expect(client.send(bad)).rejects.toMatchObject({
      name: 'MalformedPolicyDocumentException',
      message: 'Condition can contain only one colon.',
    })
    const again = new CreateOpenIDConnectProviderCommand({ Url: issuer, ClientIDList: ['sts.amazonaws.com'] })
    await expect(client.send(again)).rejects.toMatchObject({
      name: 'EntityAlreadyExistsException',
      $metadata: { httpStatusCode: 409 },
    })
    const made = await client.send(new CreateOpenIDConnectProviderCommand({ Url: 'https://new.example/id' }))
    expect(made.OpenIDConnectProviderArn).toBe('arn:aws:iam::111122223333:oidc-provider/new.example/id')
  })

  it('tell what is not there from what may not be seen', async () => {
    const shown = await start({
      'roles.json': '{"Roles": [{"RoleName": "x", "Arn": "arn:aws:iam::111122223333:role/x"}]}',
    })
    const get = new GetRoleCommand({ RoleName: 'cart' })
    await expect(iam(shown).send(get)).rejects.toMatchObject({
      name: 'NoSuchEntityException',
      message: 'The role with name cart cannot be found.',
    })
    expect((await iam(shown).send(new ListRolesCommand({}))).Roles).toMatchObject([{ RoleName: 'x' }])
    // The case of the cart shows one role and no list: nothing is known about others.
    await expect(iam(healthy).send(new GetRoleCommand({ RoleName: 'other' }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 403 },
    })
    const refusing = await start(demo('healthy'), { refuse: ['iam:GetRole', 'eks:DescribeCluster'] })
    await expect(iam(refusing).send(get)).rejects.toMatchObject({
      message: expect.stringContaining('is not authorized to perform: iam:GetRole on resource: role cart'),
    })
    await expect(eks(refusing).send(new DescribeClusterCommand({ name: 'shop' }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
  })

  it('describe the cluster of the case', async () => {
    const { cluster } = await eks(healthy).send(new DescribeClusterCommand({ name: 'shop' }))
    expect(cluster).toMatchObject({ identity: { oidc: { issuer } }, createdAt: new Date('2026-01-12T08:03:11.251Z') })
    await expect(eks(healthy).send(new DescribeClusterCommand({ name: 'other' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
    await expect(
      eks(healthy).send(new ListPodIdentityAssociationsCommand({ clusterName: 'shop' })),
    ).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })
})
