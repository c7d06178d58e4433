/** Documents about the issuer: discovery, keys, tokens, certificates; bundles and cases in one file. */
import { generateKeyPairSync } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { at, listAt } from '../src/core/json.ts'
import { aws, kubernetes, oidc, seen } from '../src/domain/questions.ts'
import { answerOf, base64, cart, claims, from, key, minted, pair, told } from './documents.ts'

describe('issuer, keys and tokens', () => {
  const discovery = { issuer: claims.iss, jwks_uri: 'https://issuer.example.com/keys' }

  test('the discovery document and its keys answer for their issuer', () => {
    const { source } = from({ 'discovery.json': discovery, 'jwks.json': { keys: [key] } })
    expect(answerOf(source, oidc.discovery(claims.iss))).toEqual({
      url: 'https://issuer.example.com/.well-known/openid-configuration',
      status: 200,
      contentType: 'application/json',
      document: discovery,
    })
    expect(at(answerOf(source, oidc.keys(discovery.jwks_uri)), 'document', 'keys', 0, 'kid')).toBe('k1')
  })

  test('what the API server said is not what the world sees, and the other way round', () => {
    const { source } = from({ 'apiserver.json': discovery })
    expect(told(source, oidc.discovery(claims.iss)).state).toBe('unknown')
    expect(answerOf(source, kubernetes.nonResource('/.well-known/openid-configuration'))).toEqual(discovery)
    const { source: world } = from({ 'discovery.json': discovery })
    expect(told(world, kubernetes.nonResource('/.well-known/openid-configuration')).state).toBe('unknown')
  })

  test('a private key that somebody published does not get in', () => {
    const whole = { ...pair.privateKey.export({ format: 'jwk' }), kid: 'k1' }
    const { source } = from({ 'jwks.json': { keys: [whole] } })
    expect(JSON.stringify(answerOf(source, oidc.keys('https://x')))).not.toContain(String(whole.d))
  })

  test('a token is read, verified and dropped', () => {
    const token = minted()
    const { source, tokensDropped } = from({ 'jwks.json': { keys: [key] }, 'cart.jwt': `${token}\n` })
    expect(tokensDropped).toBe(1)
    expect(answerOf(source, kubernetes.token(cart))).toEqual({
      header: { alg: 'ES256', kid: 'k1' },
      claims,
      expirationTimestamp: '2026-01-01T00:00:00.000Z',
    })
    expect(answerOf(source, oidc.signature('https://issuer.example.com/keys', cart))).toEqual({ verified: true })
    expect(told(source, kubernetes.token({ ...cart, audience: 'other' })).state).toBe('unknown')
    expect(JSON.stringify(answerOf(source, seen.tokens()))).not.toContain(token.split('.')[2])
  })

  test.each([
    [
      'a key of another cluster',
      {
        keys: [
          { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), kid: 'k1' },
        ],
      },
      'does not verify',
    ],
    ['a key of another id', { keys: [{ ...key, kid: 'k2' }] }, 'no EC key with kid k1 is published'],
    ['no key at all', { keys: [] }, 'no EC key with kid k1 is published'],
    ['a key that is junk', { keys: [{ kty: 'EC', kid: 'k1', crv: 'P-256', x: '!', y: '' }] }, 'does not verify'],
  ])('%s does not verify it', (_name, keys, reason) => {
    const { source } = from({ 'jwks.json': keys, 'cart.jwt': minted() })
    expect(answerOf(source, oidc.signature('https://u', cart))).toEqual({
      verified: false,
      reason: expect.stringContaining(reason),
    })
  })

  test('a token under alg none is read and never verified', () => {
    const { source } = from({
      'jwks.json': { keys: [key] },
      'cart.jwt': `${base64({ alg: 'none' })}.${base64(claims)}.`,
    })
    expect(at(answerOf(source, kubernetes.token(cart)), 'header', 'alg')).toBe('none')
    expect(answerOf(source, oidc.signature('https://u', cart))).toMatchObject({
      verified: false,
      reason: expect.stringContaining('not signed'),
    })
  })

  test.each([
    ['header', `x${'!'}.${base64(claims)}.c2ln`, 'the header part is not base64url'],
    [
      'claims',
      `${base64({ alg: 'ES256' })}.${Buffer.from('not json').toString('base64url')}.c2ln`,
      'the claims part is base64url, but not of JSON',
    ],
    ['signature', `${base64({ alg: 'ES256' })}.${base64(claims)}.`, 'the signature is missing'],
    ['dots', 'one.two', 'a token has three parts with a dot between them, this has 2'],
  ])('a token with a broken %s says so', (_name, token, problem) => {
    const { source } = from({ 'cart.jwt': token })
    expect(listAt(answerOf(source, seen.tokens()), 'tokens')).toEqual([
      expect.objectContaining({ file: 'cart.jwt', malformed: problem }),
    ])
    expect(told(source, kubernetes.token(cart)).state).toBe('unknown')
  })

  test('claims and a TokenRequest are tokens too', () => {
    const request = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      status: { token: minted() },
    }
    const { source, notRecognised } = from({ 'claims.json': claims, 'request.json': request })
    expect(notRecognised).toEqual([])
    expect(listAt(answerOf(source, seen.tokens()), 'tokens')).toHaveLength(2)
  })

  test('a chain is verified with the public root list only', () => {
    const [root = ''] = rootCertificates
    const { source } = from({ 'issuer.example.com.pem': `CONNECTED(00000003)\n 0 s:CN = x\n${root}\n` })
    const answer = answerOf(source, oidc.certificates('issuer.example.com', 443))
    expect(answer).toMatchObject({
      host: 'issuer.example.com',
      trusted: false,
      problem: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
    expect(at(answer, 'chain', 0, 'fingerprintSha1')).toMatch(/^[0-9a-f]{40}$/)
  })
})

describe('a bundle', () => {
  const bundle = {
    apiVersion: 'kubectl-wi/v1alpha1',
    kind: 'Bundle',
    time: '2026-01-02T03:04:05Z',
    answers: [
      {
        question: aws.role('111122223333', 'cart'),
        state: 'unknown',
        why: 'forbidden',
        detail: 'denied',
        lift: 'iam:GetRole',
      },
      { question: oidc.addresses('x'), state: 'absent' },
      { question: aws.exchange(cart, 'arn:x'), state: 'known', value: { outcome: 'exchanged' } },
    ],
  }
  test('tells its time and the answers that have no document', () => {
    const { source } = from({ 'bundle.json': bundle })
    expect(answerOf(source, seen.now())).toBe('2026-01-02T03:04:05Z')
    expect(told(source, oidc.addresses('x')).state).toBe('absent')
    expect(answerOf(source, aws.exchange(cart, 'arn:x'))).toEqual({ outcome: 'exchanged' })
    expect(told(source, aws.role('111122223333', 'cart'))).toMatchObject({ why: 'forbidden', lift: 'iam:GetRole' })
  })
  test('gives way to a document where it could not see itself', () => {
    const { source } = from({ 'bundle.json': bundle, 'cart.json': { Statement: { Effect: 'Allow', Principal: '*' } } })
    expect(told(source, aws.role('111122223333', 'cart')).state).toBe('known')
    expect(told(from({}).source, seen.now()).state).toBe('unknown')
  })
})

test('a case in one file: the expectation stays out, comments name the documents', () => {
  const text = [
    'source: constructed',
    'finds: []',
    '# file: cart.json',
    '---',
    'Statement: [{Effect: Allow, Principal: {Federated: x}}]',
    '---',
    '# file: observed.log',
    'E0416 api: "error"="InvalidIdentityToken: Incorrect token audience"',
    '---',
    'apiVersion: v1',
    'kind: ServiceAccount',
    'metadata: {name: cart, namespace: shop}',
  ].join('\n')
  const { source, notRecognised, problems } = from({ 'x/not-listed.case.yaml': text })
  expect({ notRecognised, problems }).toEqual({ notRecognised: [], problems: [] })
  expect(told(source, aws.role(undefined, 'cart')).state).toBe('known')
  expect(told(source, kubernetes.get('serviceaccounts', 'shop', 'cart')).state).toBe('known')
  expect(listAt(answerOf(source, seen.errors()), 'errors')).toEqual([
    expect.objectContaining({ file: 'observed.log', line: 8, fragment: 'Incorrect token audience' }),
  ])
})

test('an event speaks for whom its text names, else for the object that it is about', () => {
  const event = (message: string) => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e', namespace: 'shop' },
    involvedObject: { kind: 'ReplicaSet', namespace: 'shop', name: 'cart-1' },
    message,
  })
  const subjectOf = (message: string): unknown =>
    listAt(answerOf(from({ 'e.json': event(message) }).source, seen.errors()), 'errors').map((one) =>
      at(one, 'subject'),
    )
  expect(
    subjectOf(
      'pods "cart-1-" is forbidden: error looking up service account shop/cart: serviceaccount "cart" not found',
    ),
  ).toEqual([{ kind: 'ServiceAccount', namespace: 'shop', name: 'cart' }])
  expect(subjectOf('pods "cart-1-" is forbidden: ServiceAccount "cart" not found')).toEqual([
    { kind: 'ReplicaSet', namespace: 'shop', name: 'cart-1' },
  ])
})
