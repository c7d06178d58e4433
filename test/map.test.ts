/** The map of identities: what it says of each kind of trust, that it agrees with the doctor's cases, and its formats. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import type { Source } from '../src/core/fact.ts'
import { type IdentityMap, type Link, linkStates, remarksOn } from '../src/core/identity-map.ts'
import type { Json } from '../src/core/json.ts'
import { awsLinks } from '../src/examine/map-aws.ts'
import { azureLinks } from '../src/examine/map-azure.ts'
import { googleLinks } from '../src/examine/map-gcp.ts'
import { type Ground, groundOf } from '../src/examine/map-ground.ts'
import { type MapFormat, mapRenderers } from '../src/report/map.ts'
import { readDocuments } from '../src/sources/documents/index.ts'
import { type Case, cases } from './case-files.ts'
import { from } from './documents.ts'
import { demo, root, run } from './running.ts'

const issuer = 'https://oidc.eks.us-west-2.amazonaws.com/id/5D2A9C41E7B84F6AB2F0C1D3E4F50617'
const other = 'https://oidc.eks.us-west-2.amazonaws.com/id/00000000000000000000000000000000'

type Trust = { readonly sub: string | readonly string[]; readonly like?: boolean; readonly issuer?: string }
function role(name: string, ...trusts: readonly Trust[]): Json {
  return {
    Role: {
      RoleName: name,
      Arn: `arn:aws:iam::111122223333:role/${name}`,
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: trusts.map(({ sub, like, issuer: own = issuer }) => {
          const host = own.slice('https://'.length)
          return {
            Effect: 'Allow',
            Principal: { Federated: `arn:aws:iam::111122223333:oidc-provider/${host}` },
            Action: 'sts:AssumeRoleWithWebIdentity',
            Condition: {
              StringEquals: { [`${host}:aud`]: 'sts.amazonaws.com' },
              [like ? 'StringLike' : 'ForAnyValue:StringEquals']: { [`${host}:sub`]: sub },
            },
          }
        }),
      },
    },
  }
}
const account = (name: string, named?: string, namespace = 'shop'): Json => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: {
    name,
    namespace,
    uid: name,
    ...(named === undefined
      ? {}
      : { annotations: { 'eks.amazonaws.com/role-arn': `arn:aws:iam::111122223333:role/${named}` } }),
  },
})
const accounts = (...items: readonly Json[]): Json => ({ apiVersion: 'v1', kind: 'ServiceAccountList', items })
const cluster: Json = {
  cluster: { name: 'shop', arn: 'arn:aws:eks:us-west-2:111122223333:cluster/shop', identity: { oidc: { issuer } } },
}
const podsOf = (...names: readonly string[]): Json => ({
  apiVersion: 'v1',
  kind: 'PodList',
  items: names.map((name, index) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${name}-${index}`, namespace: 'shop', uid: String(index) },
    spec: { serviceAccountName: name, containers: [{ name: 'app', image: 'app' }] },
  })),
})

const seen: string[] = []
const ground = (source: Source): Promise<Ground> =>
  groundOf(source, { namespace: undefined, documents: true }, (words) => seen.push(words))
async function linksIn(files: { readonly [name: string]: Json }): Promise<readonly string[]> {
  const links = await awsLinks(await ground(from({ 'cluster.json': cluster, ...files }).source))
  return links
    .map(
      ({ state, namespace, name, identity, trust, pods }) =>
        `${state} ${namespace}/${name} ${identity.split('/').at(-1)} ${trust} ${pods ?? '-'}`,
    )
    .sort()
}

describe('a trust on the map', () => {
  it('is bound, and tells who runs as it', async () => {
    const files = {
      'sa.json': accounts(account('cart', 'cart'), account('web')),
      'role.json': role('cart', { sub: 'system:serviceaccount:shop:cart' }),
      'pods.json': podsOf('cart', 'cart', 'web'),
    }
    expect(await linksIn(files)).toEqual(['bound shop/cart cart exact 2'])
  })

  it('that is a wildcard takes in whoever fits, whether they ask or not', async () => {
    const files = {
      'sa.json': accounts(account('cart', 'cart'), account('web'), account('db', undefined, 'data')),
      'role.json': role('cart', { sub: 'system:serviceaccount:shop:*', like: true }),
      'pods.json': podsOf(),
    }
    expect(await linksIn(files)).toEqual(['bound shop/cart cart wildcard 0', 'may shop/web cart wildcard 0'])
  })

  it('of somebody who is not there is an orphan, of somebody who was not seen it is none', async () => {
    const trust = role('cart', { sub: ['system:serviceaccount:shop:cart', 'system:serviceaccount:shop:gone'] })
    expect(
      await linksIn({
        'sa.json': accounts(account('cart', 'cart'), account('x', undefined, 'other')),
        'role.json': trust,
      }),
    ).toEqual(['bound shop/cart cart exact -', 'orphan shop/gone cart exact -'])
    expect(await linksIn({ 'sa.json': account('cart', 'cart'), 'role.json': trust })).toEqual([
      'bound shop/cart cart exact -',
      'may shop/gone cart exact -',
    ])
  })

  it('of another cluster is elsewhere, and one that refuses is told', async () => {
    const files = {
      'sa.json': accounts(account('cart', 'cart')),
      'role.json': role('cart', { sub: 'system:serviceaccount:shop:cart', issuer: other }),
    }
    expect(await linksIn(files)).toEqual(['elsewhere shop/cart cart exact -', 'refused shop/cart cart none -'])
  })

  it('that was not seen is never taken for a refusal', async () => {
    expect(await linksIn({ 'sa.json': accounts(account('cart', 'cart')) })).toEqual(['unseen shop/cart cart unseen -'])
    expect(seen.join('\n')).toContain('arn:aws:iam::111122223333:role/cart was not seen')
  })
})

describe('the map and the doctor', () => {
  const shelves = [
    'aws/trust-policy-admits-service-account',
    'gcp/service-account-admits-workload',
    'azure/federated-credential-matches-subject',
  ]
  /** The doctor takes these from what was answered, not from the trust itself. */
  const answered = ['tag-session-missing', 'denied-although-bound', 'granted-just-now']
  /** Google itself took the token, for a grant above the project that nobody was shown; the map asks no cloud to exchange. */
  const exchanged = 'gcp/service-account-admits-workload/passes-by-exchange.case.yaml'
  const judged = cases.filter(
    ({ name, subject }) =>
      subject.kind === 'ServiceAccount' && name !== exchanged && shelves.some((shelf) => name.startsWith(`${shelf}/`)),
  )

  const statesOf = async ({ path: place, subject }: Case): Promise<readonly Link[]> => {
    const here = await ground((await readDocuments([place])).source)
    const links = (await Promise.all([awsLinks(here), googleLinks(here), azureLinks(here)])).flat()
    return links.filter(
      (link) => link.namespace === subject.namespace && link.name === subject.name && link.state !== 'elsewhere',
    )
  }

  it('never contradict each other in a case of the shelves of trust', async () => {
    let told = 0
    const against: string[] = []
    for (const one of judged) {
      const links = await statesOf(one)
      const isRefused = one.finds.some(({ check, message }) => shelves.includes(check) && !answered.includes(message))
      const isAdmitted = shelves.some((shelf) => one.passes.includes(shelf))
      const sure = links.filter(({ trust }) => trust === 'exact' || trust === 'wildcard')
      if (isRefused && sure.some(({ state }) => state === 'bound')) against.push(`bound: ${one.name}`)
      if (isAdmitted && links.some(({ state }) => state === 'refused')) against.push(`refused: ${one.name}`)
      if ((isRefused || isAdmitted) && links.length > 0) told += 1
    }
    expect(against).toEqual([])
    expect(judged.length).toBeGreaterThan(30)
    expect(told).toBeGreaterThan(20)
  })

  it('count the same 40 ServiceAccounts alike', async () => {
    const { source } = await readDocuments([path.join(root, 'test', 'fixtures', 'fleet', 'two-accounts')])
    const links = await awsLinks(await ground(source))
    const count = (state: string, via: string) =>
      links.filter((link) => link.state === state && link.via === via).length
    expect([
      count('refused', 'irsa'),
      count('refused', 'pod-identity'),
      count('bound', 'irsa'),
      count('bound', 'pod-identity'),
    ]).toEqual([4, 5, 21, 10])
  })
})

describe('one name in several clusters', () => {
  const link = { state: 'bound', namespace: 'shop', name: 'cart', cloud: 'aws', via: 'irsa', trust: 'exact' } as const
  it('stands out, with the identity that they share', () => {
    const same = [
      { ...link, context: 'east', identity: 'a' },
      { ...link, context: 'west', identity: 'a' },
    ]
    expect(remarksOn(same)).toEqual(['shop/cart is in 2 clusters (east, west) and becomes a in all of them'])
    expect(
      remarksOn([
        { ...link, identity: 'a' },
        { ...link, identity: 'a', issuer: other, state: 'elsewhere' },
      ])[0],
    ).toContain('in all of them')
    expect(
      remarksOn([
        { ...link, identity: 'a' },
        { ...link, identity: 'b' },
      ]),
    ).toEqual([])
    expect(
      remarksOn([
        { ...link, context: 'east', identity: 'a' },
        { ...link, context: 'west', identity: 'b' },
      ])[0],
    ).toContain('2 identities')
  })
})

describe('its formats', () => {
  const hostile = `=cmd|' "x"] --> n9;\n<b>\u202e\u0007`
  const map: IdentityMap = {
    schema: 'kubectl-wi/map/v1',
    source: 'here',
    links: linkStates.map((state, index) => ({
      state,
      namespace: 'shop',
      name: index === 0 ? hostile : `cart-${index}`,
      pods: index,
      cloud: 'aws',
      identity: index === 1 ? hostile : 'arn:aws:iam::111122223333:role/cart',
      via: 'irsa',
      trust: 'exact',
      ...(index === 2 ? { pattern: hostile, issuer: hostile } : {}),
    })),
    remarks: [hostile],
    unseen: [hostile],
  }
  const rendered = async (format: MapFormat): Promise<string> =>
    (await mapRenderers[format]())(map, { color: false, width: 100 })

  it('show no invisible character', async () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    const invisible = /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u202e]/u
    for (const format of ['table', 'json', 'csv', 'dot', 'mermaid'] as const)
      expect(await rendered(format), format).not.toMatch(invisible)
  })

  it('json keeps to its schema', async () => {
    const validate = new Ajv2020({ strict: false }).compile(
      JSON.parse(readFileSync(path.join(root, 'schemas', 'map-v1.schema.json'), 'utf8')),
    )
    expect(validate(JSON.parse(await rendered('json'))), JSON.stringify(validate.errors)).toBe(true)
  })

  it('csv has a row for each link, and no cell that is a formula', async () => {
    const rows = (await rendered('csv')).trimEnd().split('\r\n')
    expect(rows).toHaveLength(linkStates.length + 1)
    expect(rows[0]).toBe('state,context,namespace,name,pods,cloud,identity,via,trust,pattern,issuer')
    for (const row of rows) expect(row).not.toMatch(/(?:^|,)"?[=+@-]/u)
    expect(rows[3]).toContain(`"'=cmd|' ""x""]`)
  })

  it('dot and mermaid have an edge for each link, and names that stay within their quotes', async () => {
    const dot = await rendered('dot')
    expect(dot.match(/^ {2}n\d+ -> n\d+ \[/gmu)).toHaveLength(linkStates.length)
    for (const line of dot.split('\n').slice(4, -2))
      expect(line).toMatch(/^ {2}n\d+(?: -> n\d+)? \[label="(?:[^"\\]|\\.)*", [^"]*(?:"#\w+", style=\w+)?\];$/u)
    const mermaid = await rendered('mermaid')
    expect(mermaid.match(/^ {2}n\d+ (?:-->|--x|-\.->)\|/gmu)).toHaveLength(linkStates.length)
    for (const line of mermaid.trimEnd().split('\n').slice(1))
      expect(line).toMatch(
        /^ {2}(?:n\d+(?:\["[^"<>\]]*(?:<br\/>[^"<>\]]*)*"\]|\(\["[^"<>\]]*(?:<br\/>[^"<>\]]*)*"\]\))|n\d+ \S+\|"[^"<>|]*"\| n\d+|linkStyle \d+ stroke:#\w+)$/u,
      )
  })

  it('table says what each state means', async () => {
    const table = await rendered('table')
    for (const state of linkStates) expect(table).toMatch(new RegExp(`^${state}\\s+\\S+ \\S+ `, 'mu'))
    expect(table).toContain('Not seen, so links may be missing')
  })

  it('are there on the command line', () => {
    const { status, stdout, stderr } = run(['map', '-f', demo('broken')])
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^refused\s+shop\/cart\s+1\s+arn:aws:iam::111122223333:role\/cart\s+irsa\s+none$/mu)
  })
})
