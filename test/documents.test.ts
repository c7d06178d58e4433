/** Documents: which of them are recognised, and what they say of that which is not in them. */
import { describe, expect, test } from 'vitest'
import { at } from '../src/core/json.ts'
import { aws, azure, gcp, kubernetes } from '../src/domain/questions.ts'
import { documentsFrom } from '../src/sources/documents/index.ts'
import { account, answerOf, from, told } from './documents.ts'

describe('Kubernetes objects', () => {
  test('a single manifest says nothing about what else there is', () => {
    const { source } = from({ 'cart.json': account('cart', 'shop') })
    expect(told(source, kubernetes.get('serviceaccounts', 'shop', 'cart')).state).toBe('known')
    expect(told(source, kubernetes.get('serviceaccounts', 'shop', 'till'))).toMatchObject({
      state: 'unknown',
      why: 'not-collected',
      lift: 'kubectl get serviceaccounts till -n shop -o yaml > serviceaccounts.yaml',
    })
    expect(at(answerOf(source, kubernetes.list('serviceaccounts')), 'complete')).toBe(false)
    expect(told(source, kubernetes.list('pods')).state).toBe('unknown')
  })

  test('an empty typed list says that there are none, an empty List says nothing', () => {
    const { source } = from({
      'pods.json': { apiVersion: 'v1', kind: 'PodList', items: [] },
      'rest.json': { apiVersion: 'v1', kind: 'List', items: [], metadata: { resourceVersion: '' } },
    })
    expect(told(source, kubernetes.get('pods', 'shop', 'cart-0')).state).toBe('absent')
    expect(answerOf(source, kubernetes.list('pods', 'shop'))).toEqual({ items: [], complete: true })
    expect(told(source, kubernetes.get('serviceaccounts', 'shop', 'cart')).state).toBe('unknown')
  })

  test('a List is complete for its namespaces and no others', () => {
    const items = [account('cart', 'shop'), account('default', 'shop')]
    const { source } = from({ 'a.json': { apiVersion: 'v1', kind: 'List', items } })
    expect(told(source, kubernetes.get('serviceaccounts', 'shop', 'till')).state).toBe('absent')
    expect(told(source, kubernetes.get('serviceaccounts', 'other', 'till')).state).toBe('unknown')
    expect(at(answerOf(source, kubernetes.list('serviceaccounts')), 'complete')).toBe(false)
    expect(at(answerOf(source, kubernetes.list('serviceaccounts', 'shop')), 'complete')).toBe(true)
  })

  test('single manifests, and a list that was cut off, are not complete', () => {
    const manifests = account('cart', 'shop')
    const cut = {
      apiVersion: 'v1',
      kind: 'ServiceAccountList',
      metadata: { continue: 'abc' },
      items: [{ metadata: { name: 'a', namespace: 'x', uid: '1' } }],
    }
    const { source } = from({ 'a.json': manifests, 'b.json': cut })
    expect(told(source, kubernetes.get('serviceaccounts', 'shop', 'till')).state).toBe('unknown')
    expect(told(source, kubernetes.get('serviceaccounts', 'x', 'b')).state).toBe('unknown')
    expect(answerOf(source, kubernetes.get('serviceaccounts', 'x', 'a'))).toMatchObject({ kind: 'ServiceAccount' })
  })

  test('objects without a namespace are of the one that is asked for', () => {
    const files = [{ name: 'a.json', text: JSON.stringify(account('cart')) }]
    expect(
      told(documentsFrom(files, { namespace: 'shop' }).source, kubernetes.get('serviceaccounts', 'shop', 'cart')).state,
    ).toBe('known')
    expect(told(documentsFrom(files).source, kubernetes.get('serviceaccounts', 'default', 'cart')).state).toBe('known')
  })

  test('what the API server returned wins over the manifest, whichever is read first', () => {
    for (const order of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      const [live = '', manifest = ''] = order
      const { source } = from({
        [`${live}.json`]: account('cart', 'shop', 'u1'),
        [`${manifest}.json`]: account('cart', 'shop'),
      })
      expect(at(answerOf(source, kubernetes.get('serviceaccounts', 'shop', 'cart')), 'metadata', 'uid')).toBe('u1')
    }
  })

  test('the API server flags of a static pod are kept, its other words are not', () => {
    const { source } = from({
      'pod.yaml': [
        'apiVersion: v1',
        'kind: Pod',
        'metadata: {name: kube-apiserver-a, namespace: kube-system}',
        'spec:',
        '  containers:',
        '  - name: kube-apiserver',
        '    command: [kube-apiserver, --service-account-issuer=https://a, --token-auth-file=/x, --service-account-issuer, https://b]',
      ].join('\n'),
    })
    const pod = answerOf(source, kubernetes.get('pods', 'kube-system', 'kube-apiserver-a'))
    expect(at(pod, 'spec', 'containers', 0, 'command')).toEqual([
      'kube-apiserver',
      '--service-account-issuer=https://a',
      '--service-account-issuer',
      'https://b',
    ])
  })
})

describe('AWS', () => {
  const arn = (id: string) => `arn:aws:iam::${id}:oidc-provider/oidc.example.com/id/A`
  const policy = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Federated: arn('111122223333') } }],
  }

  test('a bare trust policy is that of the role its file is named after, in whichever account', () => {
    const { source } = from({ 'roles/cart.json': policy })
    expect(answerOf(source, aws.role('111122223333', 'cart'))).toEqual({
      Role: { RoleName: 'cart', AssumeRolePolicyDocument: policy },
    })
    expect(told(source, aws.role('111122223333', 'Cart')).state).toBe('unknown')
  })

  test('get-role answers for the account in its ARN only', () => {
    const Role = {
      RoleName: 'cart',
      Arn: 'arn:aws:iam::111122223333:role/cart',
      AssumeRolePolicyDocument: encodeURIComponent(JSON.stringify(policy)),
    }
    const { source } = from({ 'x.json': { Role } })
    expect(at(answerOf(source, aws.role('111122223333', 'cart')), 'Role', 'AssumeRolePolicyDocument')).toEqual(policy)
    expect(told(source, aws.role('444455556666', 'cart')).state).toBe('unknown')
  })

  test('a role is absent only where the whole list of its account is here', () => {
    const Roles = [{ RoleName: 'cart', Arn: 'arn:aws:iam::111122223333:role/cart' }]
    const { source } = from({ 'roles.json': { Roles } })
    expect(told(source, aws.role('111122223333', 'till')).state).toBe('absent')
    expect(told(source, aws.role('444455556666', 'till')).state).toBe('unknown')
    expect(
      told(from({ 'roles.json': { Roles, IsTruncated: true } }).source, aws.role('111122223333', 'till')).state,
    ).toBe('unknown')
  })

  test('a member that stands twice is found, wherever the policy is', () => {
    const text =
      '{\n  "Version": "2012-10-17",\n  "Statement": [{\n    "Effect": "Allow", "Principal": {"Federated": "x"},\n    "Condition": {"StringEquals": {"a:sub": "1"},\n      "StringEquals": {"a:sub": "2"}}\n  }]\n}'
    const expected = [{ path: 'Statement[0].Condition', member: 'StringEquals', line: 5, kept: '{"a:sub":"2"}' }]
    expect(at(answerOf(from({ 'core.json': text }).source, aws.role(undefined, 'core')), 'duplicates')).toEqual(
      expected,
    )
    const wrapped = `{"Role": {"RoleName": "core", "AssumeRolePolicyDocument": ${text}}}`
    expect(at(answerOf(from({ 'x.json': wrapped }).source, aws.role(undefined, 'core')), 'duplicates')).toEqual(
      expected,
    )
  })

  test('a provider is absent only where the list of its account is here without it', () => {
    const provider = { Url: 'https://oidc.example.com/id/A', ClientIDList: ['sts.amazonaws.com'] }
    const { source } = from({ '111122223333.json': provider, '444455556666.json': { OpenIDConnectProviderList: [] } })
    expect(answerOf(source, aws.oidcProvider(arn('111122223333')))).toEqual({
      Url: 'oidc.example.com/id/A',
      ClientIDList: ['sts.amazonaws.com'],
    })
    expect(told(source, aws.oidcProvider(arn('444455556666'))).state).toBe('absent')
    expect(told(source, aws.oidcProvider(arn('777788889999'))).state).toBe('unknown')
    expect(answerOf(source, aws.oidcProviders('111122223333'))).toEqual({
      OpenIDConnectProviderList: [{ Arn: arn('111122223333') }],
      complete: false,
    })
    expect(answerOf(source, aws.oidcProviders('444455556666'))).toEqual({
      OpenIDConnectProviderList: [],
      complete: true,
    })
  })

  test('cluster, caller and associations', () => {
    const cluster = { name: 'demo', arn: 'arn:aws:eks:us-east-1:111122223333:cluster/demo' }
    const caller = { UserId: 'AIDAX', Account: '111122223333', Arn: 'arn:aws:iam::111122223333:user/me' }
    const association = { clusterName: 'demo', namespace: 'shop', serviceAccount: 'cart', associationArn: 'arn:x' }
    const { source, notRecognised } = from({
      'c.json': { cluster },
      'w.json': caller,
      'a.json': { associations: [association] },
      'none.json': { associations: [] },
    })
    expect(answerOf(source, aws.cluster())).toEqual({ cluster })
    expect(answerOf(source, aws.callerIdentity())).toEqual(caller)
    expect(at(answerOf(source, aws.podIdentityAssociations()), 'complete')).toBe(true)
    expect(notRecognised).toEqual([])
    const two = from({ 'c.json': { cluster }, 'd.json': { cluster: { ...cluster, arn: `${cluster.arn}2` } } })
    expect(told(two.source, aws.cluster())).toMatchObject({
      state: 'unknown',
      detail: expect.stringContaining('several EKS clusters'),
    })
  })
})

test('other clouds tell which issuer they federate', () => {
  const name = 'projects/1/locations/global/workloadIdentityPools/pool/providers/talos'
  const credential = {
    name: 'c',
    issuer: 'https://i',
    subject: 'system:serviceaccount:a:b',
    audiences: ['api://AzureADTokenExchange'],
  }
  const { source } = from({
    'p.yaml': `name: ${name}\noidc: {issuerUri: https://i}\nstate: ACTIVE\n`,
    'f.json': [credential],
  })
  expect(answerOf(source, gcp.workloadIdentityPoolProviders())).toEqual({
    providers: [{ name, oidc: { issuerUri: 'https://i' }, state: 'ACTIVE' }],
    complete: false,
  })
  expect(answerOf(source, azure.federatedIdentityCredentials())).toEqual({
    credentials: [credential],
    complete: true,
    listed: [''],
  })
})
