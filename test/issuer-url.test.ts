/** Issuers are compared byte by byte, and told apart by whether the internet can reach them. */
import { describe, expect, test } from 'vitest'
import {
  discoveryUrl,
  isClusterInternal,
  isManagedIssuer,
  isObjectStore,
  isPrivateAddress,
  issuerIn,
  likeness,
  parseIssuer,
} from '../src/domain/issuer-url.ts'

describe('two issuers', () => {
  test.each([
    ['https://a.example/id/X', 'https://a.example/id/X', 'same'],
    ['https://a.example/id/X/', 'https://a.example/id/X', 'last-slash'],
    ['https://a.example', 'https://a.example/', 'last-slash'],
    ['https://a.example//', 'https://a.example', 'different'],
    ['https://a.example/id/X', 'https://a.example/id/x', 'case'],
    ['https://A.example/', 'https://a.example/', 'case'],
    ['https://a.example:443/x', 'https://a.example/x', 'port'],
    ['https://a.example:8443/x', 'https://a.example:6443/x', 'port'],
    ['http://a.example/x', 'https://a.example/x', 'scheme'],
    ['https://a.example/x', 'https://a.example/y', 'different'],
    ['https://a.example/x?y=1', 'https://a.example/x', 'different'],
  ])('%s and %s are %s', (one, other, expected) => {
    expect(likeness(one, other)).toBe(expected)
    expect(likeness(other, one)).toBe(expected)
  })
})

describe('the parts of an issuer', () => {
  test.each([
    ['https://a.example', { scheme: 'https', host: 'a.example', path: '' }],
    ['https://A.Example/ID/x', { scheme: 'https', host: 'a.example', path: '/ID/x' }],
    ['https://a.example:443/x', { scheme: 'https', host: 'a.example', port: '443', path: '/x' }],
    ['https://a.example/x?y=1#z', { scheme: 'https', host: 'a.example', path: '/x', query: 'y=1', fragment: 'z' }],
    ['https://[fd00::1]:6443/', { scheme: 'https', host: 'fd00::1', port: '6443', path: '/' }],
    ['http://10.0.0.1', { scheme: 'http', host: '10.0.0.1', path: '' }],
  ])('%s', (text, parts) => {
    expect(parseIssuer(text)).toEqual(parts)
  })
  test.each([
    'kubernetes/serviceaccount',
    'api',
    '',
    'https://',
    'https:///x',
    'https://a b/',
    'https://user@a.example/',
  ])('%j is no address', (text) => {
    expect(parseIssuer(text)).toBeUndefined()
  })
  test('the discovery document lies below the issuer without its one last slash', () => {
    expect(discoveryUrl('https://a.example/x/')).toBe('https://a.example/x/.well-known/openid-configuration')
    expect(discoveryUrl('https://a.example')).toBe('https://a.example/.well-known/openid-configuration')
  })
})

describe('names that exist only inside a cluster or its network', () => {
  test.each([
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
    'kubernetes.default.svc.cluster.local.',
    'api.shop.local',
    'ip-10-0-0-1.us-west-2.compute.internal',
    'Kubernetes.Default.SVC',
  ])('%s', (host) => {
    expect(isClusterInternal(host)).toBe(true)
  })
  test.each([
    'oidc.example.com',
    'svc.example.com',
    'local.example.org',
    '10.0.0.1',
    'fd00::1',
    'oidc.eks.us-west-2.amazonaws.com',
  ])('not %s', (host) => {
    expect(isClusterInternal(host)).toBe(false)
  })
})

describe('addresses that no cloud reaches', () => {
  test.each([
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '100.127.255.255',
    '169.254.1.1',
    '127.0.0.1',
    '0.0.0.0',
    '::1',
    '::',
    'fc00::1',
    'fd12:3456::1',
    '[fd12:3456::1]',
    'fe80::1',
    'fe80::1%eth0',
    'febf::1',
    '::ffff:10.0.0.1',
    '::ffff:a00:1',
    'FD00::1',
  ])('%s', (address) => {
    expect(isPrivateAddress(address)).toBe(true)
  })
  test.each([
    '8.8.8.8',
    '172.15.0.1',
    '172.32.0.1',
    '100.63.255.255',
    '100.128.0.1',
    '192.169.0.1',
    '11.0.0.1',
    '2001:db8::1',
    '2a05:d018::1',
    'fec0::1',
    '::ffff:8.8.8.8',
    'oidc.example.com',
    'fd.example.com',
    '10.0.0.1.example.com',
    '10.0.0.256',
  ])('not %s', (address) => {
    expect(isPrivateAddress(address)).toBe(false)
  })
})

describe('who serves the issuer', () => {
  test.each([
    'oidc.eks.us-west-2.amazonaws.com',
    'oidc.eks.cn-north-1.amazonaws.com.cn',
    'oidc-eks.us-west-2.api.aws',
    'westeurope.oic.prod-aks.azure.com',
    'container.googleapis.com',
  ])('%s is a cloud itself', (host) => {
    expect(isManagedIssuer(host)).toBe(true)
  })
  test.each(['oidc.eks.example.com', 'oic.prod-aks.azure.com.example.org', 'eks.amazonaws.com'])(
    '%s is not',
    (host) => {
      expect(isManagedIssuer(host)).toBe(false)
    },
  )
  test.each([
    's3.us-west-2.amazonaws.com',
    's3-us-west-2.amazonaws.com',
    'bucket.s3.amazonaws.com',
    'bucket.s3.us-west-2.amazonaws.com',
    'account.blob.core.windows.net',
    'account.z6.web.core.windows.net',
    'storage.googleapis.com',
    'd111111abcdef8.cloudfront.net',
  ])('%s is an object store or in front of one', (host) => {
    expect(isObjectStore(host)).toBe(true)
  })
  test.each(['oidc.eks.us-west-2.amazonaws.com', 's3.example.com', 'blob.core.windows.net.example.com'])(
    '%s is not',
    (host) => {
      expect(isObjectStore(host)).toBe(false)
    },
  )
})

describe('the issuer that an error text quotes', () => {
  test.each([
    [
      "AADSTS700211: No matching federated identity record found for presented assertion issuer 'https://a.example/x/'. Please",
      'https://a.example/x/',
    ],
    [
      "Assertion Issuer: 'https://kubernetes.default.svc.cluster.local' .",
      'https://kubernetes.default.svc.cluster.local',
    ],
    [
      'InvalidIdentityToken: No OpenIDConnect provider found in your account for https://a.example/id/X',
      'https://a.example/id/X',
    ],
    [
      'could not be found in the metadata of identity provider https://a.example/oidc-test/. Please validate',
      'https://a.example/oidc-test/',
    ],
    ['no issuer here: https://a.example', undefined],
  ])('%s', (text, expected) => {
    expect(issuerIn(text)).toBe(expected)
  })
})
