/** Which EKS cluster is examined: found by the kubeconfig's hints, confirmed, never mistaken for a namesake. */
import { describe, expect, test } from 'vitest'
import type { Fact } from '../src/core/fact.ts'
import type { Json } from '../src/core/json.ts'
import { aws, kubernetes } from '../src/domain/questions.ts'
import { eksHint } from '../src/sources/live/eks-hint.ts'
import { account, awsTests } from './live-amazon.ts'
import { type Answer, json } from './live-doubles.ts'

const { cloud } = awsTests()

describe('EKS', () => {
  const endpoint = 'https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com'
  const cluster = {
    name: 'prod',
    arn: `arn:aws:eks:eu-central-1:${account}:cluster/prod`,
    endpoint,
    identity: { oidc: { issuer: 'https://oidc.example/id' } },
    certificateAuthority: { data: 'QQ==' },
  }
  const rest: Answer = ({ url }, r) => {
    if (url.pathname === '/clusters') return json(r, 200, { clusters: ['other', 'prod'] })
    if (url.pathname === '/clusters/prod') return json(r, 200, { cluster })
    if (url.pathname === '/clusters/other')
      return json(r, 200, { cluster: { ...cluster, name: 'other', endpoint: 'https://elsewhere' } })
    if (url.pathname === '/clusters/prod/pod-identity-associations')
      return json(r, 200, { associations: [{ namespace: 'shop', serviceAccount: 'cart', associationArn: 'arn:a' }] })
    json(r, 404, { message: 'No cluster found' }, { 'x-amzn-errortype': 'ResourceNotFoundException' })
  }
  const version = (gitVersion: string) => async (): Promise<Fact<Json>> => ({
    state: 'known',
    value: { gitVersion },
    from: kubernetes.nonResource('/version'),
  })

  test('the cluster is found by name or endpoint and confirmed', async () => {
    const named = await cloud(rest, {
      hint: { name: 'prod', region: 'eu-central-1', endpoint: true },
      server: endpoint,
    })
    expect(await named.ask(aws.cluster())).toMatchObject({
      state: 'known',
      value: { cluster: { name: 'prod', identity: { oidc: { issuer: 'https://oidc.example/id' } } } },
    })
    expect(await named.ask(aws.podIdentityAssociations())).toMatchObject({
      state: 'known',
      value: { associations: [{ namespace: 'shop', serviceAccount: 'cart' }], complete: true },
    })
    const found = await cloud(rest, { hint: { endpoint: true }, server: endpoint.toLowerCase() })
    expect(await found.ask(aws.cluster())).toMatchObject({ state: 'known', value: { cluster: { name: 'prod' } } })
    const tunnel = await cloud(rest, {
      hint: { name: 'prod', endpoint: false },
      server: 'https://127.0.0.1:1',
      caData: 'QQ==',
    })
    expect(await tunnel.ask(aws.cluster())).toMatchObject({ state: 'known' })
  })

  test('a namesake is not the cluster, and one that is not seen is not absent', async () => {
    const namesake = await cloud(rest, { hint: { name: 'other', endpoint: true }, server: endpoint })
    expect(await namesake.ask(aws.cluster())).toMatchObject({ state: 'unknown', why: 'forbidden' })
    const elsewhere = await cloud(rest, { hint: { name: 'gone', endpoint: true }, server: endpoint })
    expect(await elsewhere.ask(aws.cluster())).toMatchObject({
      state: 'unknown',
      why: 'forbidden',
      lift: expect.any(String),
    })
    const own = await cloud(rest, { version: version('v1.32.1') })
    expect(await own.ask(aws.cluster())).toMatchObject({ state: 'absent' })
    expect(await own.ask(aws.podIdentityAssociations())).toMatchObject({ state: 'absent' })
    expect(await (await cloud(rest, { version: version('v1.32.1-eks-abc') })).ask(aws.cluster())).toMatchObject({
      state: 'unknown',
      why: 'not-collected',
    })
  })

  test.each([
    ['arn as context', { cluster: cluster.arn, execArgs: [] }, { name: 'prod', region: 'eu-central-1', account }],
    ['eksctl', { context: 'me@prod.eu-central-1.eksctl.io', execArgs: [] }, { name: 'prod', region: 'eu-central-1' }],
    [
      'aws eks get-token',
      { execArgs: ['--region', 'us-east-1', 'eks', 'get-token', '--cluster-name', 'a', '--profile=dev'] },
      { name: 'a', region: 'us-east-1', profile: 'dev' },
    ],
    ['aws-iam-authenticator', { execArgs: ['token', '-i', 'b'] }, { name: 'b' }],
    ['endpoint', { server: endpoint, execArgs: [] }, { region: 'eu-central-1', endpoint: true }],
    ['something else', { server: 'https://k8s.example:6443', execArgs: ['get', '--token'] }, { endpoint: false }],
  ])('hint: %s', (_name, api, hint) => {
    const whole = { server: 'https://10.0.0.1', cluster: 'c', execEnv: {}, ...api }
    expect(eksHint(whole)).toEqual({ endpoint: false, ...hint })
  })
})
