/** Azure in the lab: broken, found, put right by the real writers, proven by a real exchange of @azure/identity, and taken back. */
import { ClientAssertionCredential } from '@azure/identity'
import { afterAll, describe, expect, test } from 'vitest'
import { openWriters } from '../src/apply/open.ts'
import { addCredential } from '../src/domain/azure-changes.ts'
import { azure } from '../src/domain/questions.ts'
import type { Lab } from '../src/lab/lab.ts'
import { azureRest } from '../src/sources/live/azure-rest.ts'
import { readLab } from '../src/sources/live/lab-hook.ts'
import { documents, forgetStates, stateFolder, wi } from './acting.ts'
import { ask, closeLabs, start } from './labs.ts'

afterAll(async () => {
  forgetStates()
  await closeLabs()
})

const tenant = '0b1f6471-1bf0-4dda-aec3-cb9272f09590'
const clientId = '6d9df24b-0a2c-4d0b-8f3a-0f0e5e1c7a11'
const principalId = 'b4a1f0d2-7c3e-4d5f-8a6b-1e2f3a4b5c6d'
const subscription = '/subscriptions/5f2d0f0e-1111-4222-8333-444455556666/resourceGroups/shop-rg/providers'
const identity = `${subscription}/Microsoft.ManagedIdentity/userAssignedIdentities/cart-id`
const issuer = `https://eastus.oic.prod-aks.azure.com/${tenant}/7627b819-b0f2-4621-934c-c458148d71be/`
const subject = 'system:serviceaccount:shop:cart'
const audience = 'api://AzureADTokenExchange'
const cart = ['sa/cart', '-n', 'shop']
const acting = ['--apply', '--yes', '--wait', '5s']

type Credential = {
  readonly name?: string
  readonly issuer?: string
  readonly subject?: string
  readonly audience?: string
}
const held = (...all: readonly Credential[]): string =>
  JSON.stringify(
    all.map((one, at) => {
      const name = one.name ?? (at === 0 ? 'shop-cart' : `other-${at}`)
      return {
        id: `${identity}/federatedIdentityCredentials/${name}`,
        name,
        issuer: one.issuer ?? issuer,
        subject: one.subject ?? subject,
        audiences: [one.audience ?? audience],
      }
    }),
  )
const world = (credentials: string, changes: Parameters<typeof documents>[1] = []) => ({
  ...documents('azure-healthy', changes),
  'credentials.json': credentials,
})
const others = (count: number): readonly Credential[] =>
  Array.from({ length: count }, (_, at) => ({ name: `team-${at}`, subject: `system:serviceaccount:team-${at}:app` }))

/** What ARM holds, asked as an administrator would ask it. */
async function credentialsIn(lab: Lab): Promise<string> {
  // @azure/identity looks at the environment of its own process.
  for (const [name, value] of Object.entries(lab.env)) if (name.startsWith('AZURE_')) process.env[name] = value
  const rest = azureRest({ env: lab.env, lab: readLab(lab.env) })
  try {
    const reply = await rest.send('arm', `${identity}/federatedIdentityCredentials?api-version=2023-01-31`)
    return 'body' in reply ? reply.body.toString('utf8') : JSON.stringify(reply)
  } finally {
    rest.close()
  }
}

describe('unhealthy, fixed, exchanged by @azure/identity, taken back', () => {
  // Every fixable finding has its round in live/rounds-azure.test.ts; this is the whole program's.
  test('of an application', async () => {
    const files = {
      ...documents('azure-healthy'),
      'identities.json': JSON.stringify({
        id: '7e57d004-2b97-4e7a-8d2e-2f3c4d5e6f70',
        appId: clientId,
        displayName: 'cart',
        signInAudience: 'AzureADMyOrg',
      }),
      [`${clientId}.json`]: JSON.stringify([
        { id: '1', name: 'shop-cart', issuer, subject: 'system:serviceaccount:store:cart', audiences: [audience] },
      ]),
      'credentials.json': '[]',
    }
    const [lab, state] = [await start(files), stateFolder()]
    const found = await wi(lab, state, ['doctor', ...cart, '-o', 'json'])
    expect(found.status, found.out + found.err).toBe(1)
    expect(found.out).toContain('"messageId": "subject-differs"')
    const fixed = await wi(lab, state, ['fix', ...cart, ...acting])
    expect(fixed.status, fixed.out + fixed.err).toBe(0)
    expect(fixed.out).toContain("✓ Entra exchanges the ServiceAccount's token")
    const undone = await wi(lab, state, ['undo'])
    expect(undone.status, undone.out + undone.err).toBe(0)
    expect((await wi(lab, state, ['doctor', ...cart])).status).toBe(1)
  })

  test('what is there stays to the byte, and what was added goes again', async () => {
    const [lab, state] = [
      await start(world(held({ subject: 'system:serviceaccount:store:cart' }, ...others(3)))),
      stateFolder(),
    ]
    const before = await credentialsIn(lab)
    expect((await wi(lab, state, ['fix', ...cart, ...acting])).status).toBe(0)
    const after = JSON.parse(await credentialsIn(lab))
    expect(after.value.slice(0, 4)).toEqual(JSON.parse(before).value)
    expect(after.value).toHaveLength(5)
    expect((await wi(lab, state, ['undo'])).status).toBe(0)
    expect(await credentialsIn(lab)).toBe(before)
  })

  test('neither a token nor a secret is in what is printed or kept', async () => {
    const heard: string[] = []
    const lab = await start(world(held({ subject: 'system:serviceaccount:store:cart' })), {
      overhear: (body) => heard.push(body),
    })
    const { out, err } = await wi(lab, stateFolder(), ['doctor', ...cart, '-o', 'json'])
    const tokens = heard.flatMap((body) => body.match(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g) ?? [])
    expect(tokens.length).toBeGreaterThan(1)
    for (const token of [...tokens, lab.env.AZURE_CLIENT_SECRET ?? ''])
      expect(out + err).not.toContain(token.split('.').at(-1))
    expect(out).toContain('AADSTS700213')
  })
})

describe('what cannot be seen is no diagnosis', () => {
  const list = 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read'
  test('a list that is refused names the permission, and leaves the exchange to speak', async () => {
    const lab = await start(world(held({})), { refuse: [list] })
    const { status, out } = await wi(lab, stateFolder(), ['doctor', ...cart])
    expect(status, out).toBe(3)
    expect(out).toContain("✓ Entra exchanges the ServiceAccount's token")
    expect(out).toContain(`Azure: ${list}`)
  })
  test('nobody signed in: the way to sign in, and the exchange all the same', async () => {
    const lab = await start(world(held({})))
    const { AZURE_CLIENT_SECRET: _, ...env } = lab.env
    const { status, out } = await wi({ ...lab, env }, stateFolder(), ['doctor', ...cart])
    expect(status, out).toBe(3)
    expect(out).toContain('az login')
    expect(out).toContain("✓ Entra exchanges the ServiceAccount's token")
  })
  test('with --cloud-credentials none nobody is asked', async () => {
    const lab = await start(world(held({})))
    expect((await wi(lab, stateFolder(), ['doctor', ...cart, '--cloud-credentials', 'none'])).status).toBe(3)
    expect(Object.keys(lab.requests()).filter((one) => /^(?:entra POST|arm|graph) /.test(one))).toEqual([])
  })
})

describe('bind sa', () => {
  const toIdentity = ['bind', 'sa', 'cart', '-n', 'shop', '--azure-identity', 'cart-id']
  const bare = [
    [`    azure.workload.identity/client-id: ${clientId}\n`, ''],
    ['  annotations:\n---', '---'],
  ] as const
  test('with 19 credentials takes the last place, and is so already the second time', async () => {
    const [lab, state] = [await start(world(held(...others(19)), bare)), stateFolder()]
    const bound = await wi(lab, state, [...toIdentity, '--restart', ...acting])
    expect(bound.status, bound.out + bound.err).toBe(0)
    expect(bound.err).toContain('note: this takes the last of the 20 places of cart-id')
    expect(JSON.parse(await credentialsIn(lab)).value).toHaveLength(20)
    const again = await wi(lab, state, [...toIdentity, ...acting])
    expect(again.status, again.out + again.err).toBe(0)
    expect(again.err.match(/^already so: /gm)).toHaveLength(2)
  })
  test('with 20 credentials says so, and changes nothing', async () => {
    const [lab, state] = [await start(world(held(...others(20)), bare)), stateFolder()]
    const before = await credentialsIn(lab)
    const { status, err } = await wi(lab, state, [...toIdentity, ...acting])
    expect(status).toBe(2)
    expect(err).toContain('cart-id holds 20 federated credentials')
    expect(await credentialsIn(lab)).toBe(before)
  })
  test('a role at one resource, never at a subscription', async () => {
    const [lab, state] = [await start(world(held({}))), stateFolder()]
    const role = ['--role', 'Storage Blob Data Reader', '--on']
    const wide = await wi(lab, state, [
      ...toIdentity,
      ...role,
      '/subscriptions/5f2d0f0e-1111-4222-8333-444455556666',
      ...acting,
    ])
    expect(wide.status).toBe(2)
    const scope = `${subscription}/Microsoft.Storage/storageAccounts/shopdata`
    const bound = await wi(lab, state, [...toIdentity, ...role, scope, ...acting])
    expect(bound.status, bound.out + bound.err).toBe(0)
    expect(bound.err).toContain('✓ done: Give cart-id')
    const again = await wi(lab, state, [...toIdentity, ...role, scope, ...acting])
    expect(again.err.replaceAll(/\s+/g, ' ')).toContain(
      `already so: cart-id has role Storage Blob Data Reader at ${scope}`,
    )
  })
  test.each([
    ['a name that nobody has', ['--azure-identity', 'cart'], 'no managed identity cart can be seen'],
    ['no GUID', ['--azure-app', 'cart'], 'a GUID'],
    ['an application that is not there', ['--azure-app', principalId], 'the tenant has no application'],
  ])('%s is refused', async (_name, flags, words) => {
    const { status, err } = await wi(await start(world(held({}))), stateFolder(), [
      'bind',
      'sa',
      'cart',
      '-n',
      'shop',
      ...flags,
    ])
    expect(status).toBe(2)
    expect(err).toContain(words)
  })
})

test('two writes to one identity at a time: the one that ARM refuses waits its turn', async () => {
  const lab = await start(world('[]'))
  const outside = { ...process.env }
  Object.assign(process.env, lab.env)
  const open = () => openWriters({ flags: {}, version: '0', env: lab.env })
  const [one, other] = await Promise.all([open(), open()])
  try {
    const list = { question: azure.federatedIdentityCredentials(clientId), holder: identity, owner: identity }
    const write = async (writers: typeof one, name: string) => {
      const trusted = { issuer, subject: `system:serviceaccount:shop:${name}`, audience }
      const prepared = await writers.prepare(addCredential(list, name, trusted).change, { dryRun: false })
      return prepared.state === 'ready' ? prepared.write() : prepared
    }
    const done = await Promise.all([write(one, 'cart'), write(other, 'web'), write(one, 'api')])
    expect(done).toMatchObject([{ state: 'done' }, { state: 'done' }, { state: 'done' }])
    expect(JSON.parse(await credentialsIn(lab)).value).toHaveLength(3)
    const puts = Object.entries(lab.requests()).filter(([request]) => request.startsWith('arm PUT '))
    expect(
      puts.reduce((sum, [, count]) => sum + count, 0),
      'somebody was refused',
    ).toBeGreaterThan(3)
  } finally {
    process.env = outside
    one.close()
    other.close()
  }
})

describe("Entra's answers", () => {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: issuer, sub: subject, aud: [audience], iat: now, nbf: now, exp: now + 3600 }
  const place = (lab: Lab): string => `https://${lab.world.resolve['login.microsoftonline.com:443']}`
  const refusals = {
    700211: [{ iss: `${issuer}x` }, {}],
    700213: [{ sub: 'system:serviceaccount:shop:web' }, {}],
    7002138: [{ sub: 'system:serviceaccount:Shop:cart' }, {}],
    700212: [{ aud: ['sts.amazonaws.com'] }, {}],
    700024: [{ iat: now - 7200, nbf: now - 7200, exp: now - 3600 }, {}],
    70023: [{ iat: now - 1000, exp: now + 200_000 }, {}],
    50027: [undefined, {}],
    700016: [{}, { client_id: principalId }],
    90002: [{}, { tenant: principalId }],
    1002012: [{}, { scope: 'https://storage.azure.com' }],
  } as const
  test.each(Object.entries(refusals))('AADSTS%s', async (code, [different, form]) => {
    const lab = await start(world(held({})))
    const assertion = different === undefined ? 'nothing.of.that' : await lab.sign({ ...claims, ...different })
    const body = new URLSearchParams({
      client_id: clientId,
      scope: 'https://storage.azure.com/.default',
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
      ...form,
    })
    const url = `${place(lab)}/${'tenant' in form ? form.tenant : tenant}/oauth2/v2.0/token`
    const { status, body: text } = await ask(lab, url, { method: 'POST', body: body.toString() })
    expect(status).toBeGreaterThanOrEqual(400)
    expect(JSON.parse(text)).toMatchObject({ error_codes: [Number(code)] })
  })
  test('@azure/identity is given a token for what is right, and refused in the words of Entra for what is not', async () => {
    const lab = await start(world(held({})))
    const rest = azureRest({ env: lab.env, lab: readLab(lab.env) })
    const credential = (assertion: string) =>
      new ClientAssertionCredential(tenant, clientId, async () => assertion, {
        httpClient: rest.client(),
        retryOptions: { maxRetries: 0 },
      })
    const scope = 'https://storage.azure.com/.default'
    expect((await credential(await lab.sign(claims)).getToken(scope)).expiresOnTimestamp).toBeGreaterThan(Date.now())
    const foreign = await lab.sign({ ...claims, sub: 'system:serviceaccount:shop:web' })
    await expect(credential(foreign).getToken(scope)).rejects.toThrow(/AADSTS700213/)
    rest.close()
  })
})
