/** The wrappers around sources: asked once, in bounds, without secrets, one over the other. */
import { describe, expect, test } from 'vitest'
import { absent, type Fact, keyOf, known, type Question, type Soon, type Source, unknown } from '../src/core/fact.ts'
import type { Json } from '../src/core/json.ts'
import { aws, kubernetes, seen } from '../src/domain/questions.ts'
import { layered } from '../src/sources/layered.ts'
import { limited } from '../src/sources/limited.ts'
import { overlaid } from '../src/sources/overlaid.ts'
import { redacted } from '../src/sources/redacted.ts'
import { remembered } from '../src/sources/remembered.ts'

/** A source with these answers by key, which counts what it is asked. */
function shelf(answers: { readonly [key: string]: Json | null | undefined }, later = false, name = 'shelf') {
  const asked: string[] = []
  const answer = (question: Question): Fact<Json> => {
    const value = answers[keyOf(question)]
    if (value === undefined) return unknown('not-collected', 'not there', question)
    return value === null ? absent(question) : known(value, question)
  }
  const ask = (question: Question): Soon<Fact<Json>> => {
    asked.push(keyOf(question))
    return later ? new Promise((resolve) => setImmediate(() => resolve(answer(question)))) : answer(question)
  }
  return { source: { name, ask } satisfies Source, asked }
}

const account = (name: string, namespace: string, mark = ''): Json => ({
  kind: 'ServiceAccount',
  metadata: { name, namespace, labels: { mark } },
})
const get = (namespace: string, name: string) => kubernetes.get('serviceaccounts', namespace, name)
const list = (namespace?: string) => kubernetes.list('serviceaccounts', namespace)
const listOf = (items: readonly Json[], complete: boolean): Json => ({ items, complete })

describe('remembered', () => {
  test.each([false, true])('asks once, also while the answer is on its way (later: %s)', async (later) => {
    const { source, asked } = shelf({ [keyOf(aws.role('1', 'a'))]: { Role: {} } }, later)
    const memory = remembered(source)
    const facts = await Promise.all([memory.ask(aws.role('1', 'a')), memory.ask(aws.role('1', 'a'))])
    expect(facts[0]).toEqual(facts[1])
    expect(asked).toHaveLength(1)
    expect(Object.isFrozen(facts[0])).toBe(true)
    await memory.ask(aws.role('1', 'b'))
    expect(asked).toHaveLength(2)
  })

  test.each([false, true])(
    'answers for one object from a list that is here or on its way (later: %s)',
    async (later) => {
      const { source, asked } = shelf({ [keyOf(list())]: listOf([account('cart', 'shop')], true) }, later)
      const memory = remembered(source)
      const waiting = [
        memory.ask(list()),
        memory.ask(get('shop', 'cart')),
        memory.ask(get('shop', 'till')),
        memory.ask(list('shop')),
      ]
      const [, cart, till, shop] = await Promise.all(waiting)
      expect(cart).toMatchObject({ state: 'known', from: get('shop', 'cart') })
      expect(till?.state).toBe('absent')
      expect(shop).toMatchObject({ value: { items: [{ metadata: { name: 'cart' } }], complete: true } })
      expect(asked).toEqual([keyOf(list())])
    },
  )

  test('what was asked for by itself is not answered from a list that came later', async () => {
    const { source, asked } = shelf({
      [keyOf(get('shop', 'cart'))]: account('cart', 'shop', 'first'),
      [keyOf(list())]: listOf([account('cart', 'shop', 'later'), account('till', 'shop')], true),
    })
    const memory = remembered(source)
    const cart = await memory.ask(get('shop', 'cart'))
    await memory.ask(list())
    await memory.ask(get('shop', 'till'))
    expect(await memory.ask(get('shop', 'cart'))).toBe(cart)
    expect(await memory.ask(get('shop', 'none'))).toMatchObject({ state: 'absent' })
    expect(asked).toHaveLength(2)
  })

  test('a list that is not complete proves no absence', async () => {
    const { source, asked } = shelf({
      [keyOf(list())]: listOf([], false),
      [keyOf(get('shop', 'till'))]: account('till', 'shop'),
    })
    const memory = remembered(source)
    await memory.ask(list())
    expect(await memory.ask(get('shop', 'till'))).toMatchObject({ state: 'known' })
    expect(asked).toHaveLength(2)
  })

  test('what was cancelled is asked again', async () => {
    let first = true
    const memory = remembered({
      name: 'x',
      ask: (question) => {
        const fact = first ? unknown('cancelled', 'stopped', question) : known('yes', question)
        first = false
        return fact
      },
    })
    expect((await memory.ask(seen.now())).state).toBe('unknown')
    expect((await memory.ask(seen.now())).state).toBe('known')
  })
})

describe('redacted', () => {
  const question = seen.errors()
  const answered = (value: Json): Json => {
    const fact = redacted({ name: 'x', ask: () => known(value, question) }).ask(question)
    return fact instanceof Promise || fact.state !== 'known' ? null : fact.value
  }
  const canary = 'cAnArYwJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLE'
  test.each([
    ['a token', `sent eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.${canary} to`],
    ['a token cut short', `sent eyJ${canary}.${canary}`],
    ['a secret key', `aws_secret_access_key = ${canary}`],
    ['a secret key in JSON', `{"SecretAccessKey": "${canary}"}`],
    ['a secret key in XML', `<SecretAccessKey>${canary}</SecretAccessKey>`],
    ['a session token', `AWS_SESSION_TOKEN=${canary}`],
    ['a bearer header', `Authorization: Bearer ${canary}`],
    ['a client secret', `client_secret=${canary}&scope=x`],
    ['a connection string', `AccountName=a;AccountKey=${canary};EndpointSuffix=b`],
    ['a user and password', `postgres://user:${canary}@db/x`],
    ['a private key', `-----BEGIN RSA PRIVATE KEY-----\n${canary}\n-----END RSA PRIVATE KEY-----`],
    ['a private key in base64', Buffer.from(`-----BEGIN PRIVATE KEY-----\n${canary}`).toString('base64')],
    ['a signed URL', `https://h/c?sp=r&sig=${canary}`],
  ])('%s', (_name, text) => {
    const clean = JSON.stringify(answered({ deep: [text] }))
    expect(clean).not.toContain(canary)
    expect(clean).not.toContain(Buffer.from(canary).toString('base64').slice(4, 30))
    expect(clean).toContain('‹redacted›')
  })
  test('what only looks like a secret stays, time and again, and so does the look for secrets', () => {
    const path = '/var/run/secrets/kubernetes.io/serviceaccount'
    expect(answered([path, path])).toEqual([path, path])
    expect(JSON.stringify(answered([path, `${path}?client_secret=${canary}`, { Token: canary }]))).not.toContain(canary)
    expect(JSON.stringify(answered([{ token: canary }, { Token: canary }]))).not.toContain(canary)
  })

  test('members that are secrets whatever they look like', () => {
    expect(
      answered({ Credentials: { AccessKeyId: 'x', SecretAccessKey: 'y', SessionToken: 'z', Expiration: 'e' } }),
    ).toEqual({
      Credentials: {
        AccessKeyId: '‹redacted›',
        SecretAccessKey: '‹redacted›',
        SessionToken: '‹redacted›',
        Expiration: 'e',
      },
    })
  })

  test('what is no secret passes as the same object', () => {
    const value = {
      Role: { Arn: 'arn:aws:iam::111122223333:role/token-reader', RoleId: 'AROAEXAMPLE12345678' },
      jwks: { kid: 'k', n: 'x'.repeat(300), e: 'AQAB' },
      file: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token',
      text: 'Not authorized to perform sts:AssumeRoleWithWebIdentity; the security token included in the request is expired',
      sub: 'system:serviceaccount:shop:secret-reader',
      url: 'https://oidc.eks.us-east-1.amazonaws.com/id/A',
    }
    expect(answered(value)).toBe(value)
  })

  test('nesting without end ends', () => {
    let value: Json = 'x'
    for (let depth = 0; depth < 50_000; depth += 1) value = [value]
    expect(() => answered(value)).not.toThrow()
  })
})

describe('limited', () => {
  const question = (name: string): Question => aws.role('1', name)

  test('asks only so much of a system at a time, and everything in the end', async () => {
    let now = 0
    let most = 0
    const source: Source = {
      name: 'slow',
      ask: async (one) => {
        now += 1
        most = Math.max(most, now)
        await new Promise((resolve) => setTimeout(resolve, 5))
        now -= 1
        return known('yes', one)
      },
    }
    const bounded = limited(source, { concurrency: 3 })
    const facts = await Promise.all(Array.from({ length: 20 }, (_, index) => bounded.ask(question(`r${index}`))))
    expect(facts.every(({ state }) => state === 'known')).toBe(true)
    expect(most).toBe(3)
  })

  test('does not wait longer than it was told', async () => {
    let stopped = false
    const source: Source = {
      name: 'the cluster',
      ask: (_one, signal) =>
        new Promise(() => {
          signal?.addEventListener('abort', () => {
            stopped = true
          })
        }),
    }
    const fact = await limited(source, { timeout: 20 }).ask(question('a'))
    expect(fact).toMatchObject({ state: 'unknown', why: 'timeout', detail: 'the cluster did not answer within 0.02 s' })
    expect(stopped).toBe(true)
  })

  test('asks again when throttled, so often and no more', async () => {
    const throttle = (times: number) => {
      let asked = 0
      const source: Source = {
        name: 'x',
        ask: (one) => {
          asked += 1
          return asked <= times ? unknown('throttled', 'slow down', one) : known('yes', one)
        },
      }
      return { source, count: () => asked }
    }
    const twice = throttle(2)
    expect(await limited(twice.source, { pause: 1 }).ask(question('a'))).toMatchObject({ state: 'known' })
    expect(twice.count()).toBe(3)
    const always = throttle(99)
    expect(await limited(always.source, { pause: 1, retries: 2 }).ask(question('a'))).toMatchObject({
      why: 'throttled',
    })
    expect(always.count()).toBe(3)
  })

  test('stops at once when told to, also what stands in line', async () => {
    const stop = new AbortController()
    const never: Source = { name: 'x', ask: () => new Promise(() => {}) }
    const bounded = limited(never, { concurrency: 1 })
    const facts = ['a', 'b', 'c'].map((name) => bounded.ask(question(name), stop.signal))
    stop.abort()
    for (const fact of await Promise.all(facts)) expect(fact).toMatchObject({ state: 'unknown', why: 'cancelled' })
    expect(await bounded.ask(question('d'), stop.signal)).toMatchObject({ why: 'cancelled' })
  })

  test('a source that throws is one that gave no usable answer, and frees its place', async () => {
    const bounded = limited(
      {
        name: 'x',
        ask: () => {
          throw new Error('token eyJ')
        },
      },
      { concurrency: 1 },
    )
    for (const name of ['a', 'b']) {
      const fact = await bounded.ask(question(name))
      expect(fact).toMatchObject({ state: 'unknown', why: 'malformed' })
      expect(JSON.stringify(fact)).not.toContain('eyJ')
    }
  })

  test('an answer from memory costs no turn of the event loop', () => {
    const { source } = shelf({ [keyOf(question('a'))]: 'yes' })
    expect(limited(source).ask(question('a'))).not.toBeInstanceOf(Promise)
  })
})

describe('overlaid and layered', () => {
  test('answers laid over a source hide its own', async () => {
    const { source, asked } = shelf({ [keyOf(get('shop', 'cart'))]: 'old', [keyOf(get('shop', 'till'))]: 'till' })
    const over = overlaid(source, [{ question: get('shop', 'cart'), path: [] }])
    expect((await over.ask(get('shop', 'cart'))).state).toBe('absent')
    expect(await over.ask(get('shop', 'till'))).toMatchObject({ value: 'till' })
    expect(asked).toEqual([keyOf(get('shop', 'till'))])
  })

  test('a change to one member shows in the object and in its lists, and leaves what was not seen unseen', async () => {
    const key = keyOf(get('shop', 'cart'))
    const held = {
      [key]: account('cart', 'shop', 'old'),
      [keyOf(list())]: listOf([account('cart', 'shop', 'old')], true),
    }
    const path = ['metadata', 'labels', 'mark']
    const over = overlaid(shelf(held).source, [{ question: get('shop', 'cart'), path, before: 'old', after: 'new' }])
    expect(await over.ask(get('shop', 'cart'))).toMatchObject({ value: account('cart', 'shop', 'new') })
    expect(await over.ask(list())).toMatchObject({ value: listOf([account('cart', 'shop', 'new')], true) })
    expect(await over.ask(list('shop'))).toMatchObject({ state: 'unknown' })
    expect(held[key], 'nothing is written to').toEqual(account('cart', 'shop', 'old'))
    const gone = overlaid(shelf(held).source, [{ question: get('shop', 'cart'), path: [] }])
    expect(await gone.ask(list())).toMatchObject({ value: listOf([], true) })
    const made = overlaid(shelf(held).source, [
      { question: get('shop', 'till'), path: [], after: account('till', 'shop') },
    ])
    expect(await made.ask(list())).toMatchObject({
      value: listOf([account('cart', 'shop', 'old'), account('till', 'shop')], true),
    })
  })

  test('the first that knows answers; absence holds; what was not looked at falls through', async () => {
    const upper = shelf({ [keyOf(get('shop', 'cart'))]: 'upper', [keyOf(get('shop', 'gone'))]: null }, false, 'files')
    const lower = shelf(
      {
        [keyOf(get('shop', 'cart'))]: 'lower',
        [keyOf(get('shop', 'gone'))]: 'lower',
        [keyOf(get('shop', 'till'))]: 'lower',
      },
      true,
      'cluster',
    )
    const both = layered(upper.source, lower.source)
    expect(both.name).toBe('files over cluster')
    expect(await both.ask(get('shop', 'cart'))).toMatchObject({ value: 'upper' })
    expect(await both.ask(get('shop', 'gone'))).toMatchObject({ state: 'absent' })
    expect(await both.ask(get('shop', 'till'))).toMatchObject({ value: 'lower' })
    expect(await both.ask(get('shop', 'nobody'))).toMatchObject({ state: 'unknown' })
  })

  test('lists are merged, the upper object winning; complete as far as the lower one is', async () => {
    const upper = shelf({ [keyOf(list())]: listOf([account('cart', 'shop', 'new')], false) })
    const lower = shelf(
      { [keyOf(list())]: listOf([account('cart', 'shop', 'old'), account('till', 'shop', 'old')], true) },
      true,
    )
    const merged = await layered(upper.source, lower.source).ask(list())
    expect(merged).toMatchObject({
      value: listOf([account('cart', 'shop', 'new'), account('till', 'shop', 'old')], true),
    })
    expect(await layered(upper.source, shelf({}).source).ask(list())).toMatchObject({ value: { complete: false } })
  })

  test('what either has observed was observed', async () => {
    const key = keyOf(seen.errors())
    const upper = shelf({ [key]: { errors: [{ text: 'a' }] } })
    const lower = shelf({ [key]: { errors: [{ text: 'b' }] } }, true)
    expect(await layered(upper.source, lower.source).ask(seen.errors())).toMatchObject({
      value: { errors: [{ text: 'a' }, { text: 'b' }] },
    })
  })
})
