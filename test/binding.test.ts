/** bind sa against the lab: from nothing to a healthy identity, twice the same, never more than was named, and never over somebody else's change. */
import { CreateRoleCommand, GetRoleCommand, ListAttachedRolePoliciesCommand } from '@aws-sdk/client-iam'
import { afterAll, describe, expect, test } from 'vitest'
import { parseAllDocuments, stringify } from 'yaml'
import type { Lab } from '../src/lab/lab.ts'
import { account, documents, forgetStates, holdings, provider, stateFolder, wi } from './acting.ts'
import { api, closeLabs, iam, role, start } from './labs.ts'

afterAll(async () => {
  forgetStates()
  await closeLabs()
})

const accountPath = '/api/v1/namespaces/shop/serviceaccounts/cart'
const key = 'eks.amazonaws.com/role-arn'
const hostPath = provider.slice(provider.indexOf('/') + 1)
const s3 = 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess'

// biome-ignore lint/suspicious/noExplicitAny: documents of a case, changed as a person would change them
type Loose = any

/** The broken demo with its objects changed; the pod as it was before any webhook saw it. */
function shop(change: (object: Loose) => Loose | undefined, files: { readonly [name: string]: string } = {}) {
  const all = documents('broken')
  const objects = parseAllDocuments(all['shop.yaml'] ?? '').map((one) => one.toJS() as Loose)
  const next = objects.flatMap((object) => {
    if (object.kind === 'Pod') {
      const { volumes: _, ...spec } = object.spec
      object.spec = { ...spec, containers: spec.containers.map(({ name, image }: Loose) => ({ name, image })) }
    }
    return change(object) ?? []
  })
  return { ...all, 'shop.yaml': next.map((object) => stringify(object)).join('---\n'), ...files }
}
const bare = (object: Loose): Loose => {
  if (object.kind === 'ServiceAccount') delete object.metadata.annotations
  return object
}
const trustOf = async (lab: Lab, RoleName = 'cart') => {
  const { Role } = await iam(lab).send(new GetRoleCommand({ RoleName }))
  return JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? 'null'))
}
const exact = {
  Effect: 'Allow',
  Principal: { Federated: provider },
  Action: 'sts:AssumeRoleWithWebIdentity',
  Condition: {
    StringEquals: { [`${hostPath}:sub`]: 'system:serviceaccount:shop:cart', [`${hostPath}:aud`]: 'sts.amazonaws.com' },
  },
}
const toCart = ['bind', 'sa', 'cart', '-n', 'shop', '--aws-role', 'cart']
const acting = ['--apply', '--yes', '--wait', '5s']
/** All ServiceAccounts there are, and cart is not among them. */
const others = {
  apiVersion: 'v1',
  kind: 'ServiceAccountList',
  metadata: {},
  items: [{ metadata: { name: 'default', namespace: 'shop' } }],
}
/** The role is not there, and the account shows all that are. */
const noRole = { 'role.json': '{"Roles": [], "IsTruncated": false}' }

describe('IRSA', () => {
  test('an empty ServiceAccount becomes healthy, is so already the second time, and can be taken back', async () => {
    const [lab, state] = [await start(shop(bare)), stateFolder()]
    const before = await holdings(lab)
    const plan = await wi(lab, state, toCart)
    expect(plan.status, 'nothing is bound so far, and nothing is wrong').toBe(3)
    expect(plan.out).toContain(
      `1. Add a statement for system:serviceaccount:shop:cart to the trust policy of role cart`,
    )
    expect(plan.out).toContain(`2. Annotate ServiceAccount cart in namespace shop with ${key}=${role}`)
    expect(plan.err).toContain('already so: account 111122223333 has an OIDC provider')
    expect(await holdings(lab), 'a plan changes nothing').toBe(before)

    const bound = await wi(lab, state, [...toCart, '--restart', ...acting])
    expect(bound.status, bound.out + bound.err).toBe(0)
    expect(bound.out).toContain('✓ STS exchanges the token for credentials of the role')
    expect((await trustOf(lab)).Statement).toMatchObject([{}, exact])
    expect((await trustOf(lab)).Statement).toHaveLength(2)

    const again = await wi(lab, state, [...toCart, '--restart', ...acting])
    expect(again.status, again.out + again.err).toBe(0)
    expect(again.err.match(/^already so: /gm)).toHaveLength(3)
    expect(again.out).toContain('nothing to put right')

    const undone = await wi(lab, state, ['undo'])
    expect(undone.status, undone.out + undone.err).toBe(0)
    const taken = JSON.parse(await holdings(lab))
    expect([taken[0], ...taken.slice(2)]).toEqual([JSON.parse(before)[0], ...JSON.parse(before).slice(2)])
  })

  test('where nothing is there, provider, role, policy and ServiceAccount are made', async () => {
    const files = shop(
      (object) => (object.kind === 'Namespace' ? object : object.kind === 'ServiceAccount' ? others : undefined),
      {
        ...noRole,
        '111122223333.json': JSON.stringify({ OpenIDConnectProviderList: [] }),
      },
    )
    const [lab, state] = [await start(files), stateFolder()]
    const without = await wi(lab, state, toCart)
    expect(without).toMatchObject({ status: 2 })
    expect(without.err).toContain('--create-role')
    const order = [...toCart, '--create-role', '--attach-policy', s3, ...acting]
    const bound = await wi(lab, state, order)
    expect(bound.status, 'no pod is there to be seen').toBe(3)
    expect(bound.out, bound.err).toContain('✓ STS exchanges the token for credentials of the role')
    expect(await trustOf(lab)).toEqual({ Version: '2012-10-17', Statement: [exact] })
    const { AttachedPolicies } = await iam(lab).send(new ListAttachedRolePoliciesCommand({ RoleName: 'cart' }))
    expect(AttachedPolicies).toEqual([{ PolicyArn: s3, PolicyName: 'AmazonS3ReadOnlyAccess' }])
    expect((await api(lab, 'GET', accountPath)).body.metadata.annotations).toEqual({ [key]: role })
    const again = await wi(lab, state, order)
    expect(again.status).toBe(3)
    expect(again.err.match(/^already so: /gm)).toHaveLength(4)
  })

  test('of what is there one thing is touched, and the rest stays to the byte', async () => {
    const others = ['aws:PrincipalOrgID', 'aws:SourceVpce', 'aws:RequestTag/team'].map((name, index) => ({
      Sid: `Other${index}`,
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${account}:role/other-${index}` },
      Action: 'sts:AssumeRole',
      Condition: { StringEquals: { [name]: 'value' } },
    }))
    const roleFile = JSON.parse(documents('broken')['role.json'] ?? '')
    roleFile.Role.AssumeRolePolicyDocument = { Version: '2012-10-17', Id: 'mine', Statement: others }
    const files = shop(
      (object) => {
        if (object.kind !== 'ServiceAccount') return object
        object.metadata.labels = { team: 'shop' }
        object.metadata.annotations = { 'example.com/note': 'ours: "quoted"' }
        return { ...object, imagePullSecrets: [{ name: 'registry' }], secrets: [{ name: 'cart-token' }] }
      },
      { 'role.json': JSON.stringify(roleFile) },
    )
    const [lab, state] = [await start(files), stateFolder()]
    const { body: before } = await api(lab, 'GET', accountPath)
    const diff = await wi(lab, state, [...toCart, '-o', 'diff'])
    const changed = diff.out.split('\n').filter((line) => /^[-+](?![-+])/.test(line.trimStart()) || /^[-+] /.test(line))
    expect(
      changed.some((line) => line.trimStart().startsWith('-') && /Other|note|registry/.test(line)),
      diff.out,
    ).toBe(false)
    const bound = await wi(lab, state, [...toCart, ...acting])
    expect(bound.err, bound.out).toContain('✓ done: Annotate')
    const { body: after } = await api(lab, 'GET', accountPath)
    for (const member of ['imagePullSecrets', 'secrets']) expect(after[member]).toEqual(before[member])
    expect(after.metadata.labels).toEqual(before.metadata.labels)
    expect(after.metadata.annotations).toEqual({ ...before.metadata.annotations, [key]: role })
    const trust = await trustOf(lab)
    expect(JSON.stringify({ ...trust, Statement: trust.Statement.slice(0, 3) })).toBe(
      JSON.stringify(roleFile.Role.AssumeRolePolicyDocument),
    )
    expect(trust.Statement.slice(3)).toEqual([exact])
  })

  test('--service-account-only and --cloud-only each leave the other side alone', async () => {
    const lab = await start(shop(bare))
    const [account, cloud] = [stateFolder(), stateFolder()]
    const trust = await trustOf(lab)
    const one = await wi(lab, account, [...toCart.slice(0, -1), role, '--service-account-only', ...acting])
    expect(one.status, one.out + one.err).toBe(1)
    expect(one.out).toContain('admits')
    expect(await trustOf(lab)).toEqual(trust)
    expect((await api(lab, 'GET', accountPath)).body.metadata.annotations).toEqual({ [key]: role })
    expect((await wi(lab, account, ['undo'])).status).toBe(0)
    const other = await wi(lab, cloud, [...toCart, '--cloud-only', ...acting])
    expect(other.err, other.out).toContain('✓ done: Add a statement')
    expect((await trustOf(lab)).Statement).toHaveLength(2)
    expect((await api(lab, 'GET', accountPath)).body.metadata.annotations ?? {}).toEqual({})
  })

  test('of two runs at once on one ServiceAccount one wins, and the other refuses', async () => {
    // Without pods to be found old, the verdict is what the binding alone is worth.
    const kept = ['Namespace', 'ServiceAccount']
    const lab = await start(shop((object) => (kept.includes(object.kind) ? bare(object) : undefined)))
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [exact] })
    for (const RoleName of ['red', 'blue'])
      await iam(lab).send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }))
    const names = ['red', 'blue', 'red', 'blue']
    const runs = await Promise.all(
      names.map((name) =>
        wi(lab, stateFolder(), [...toCart.slice(0, -1), name, ...acting.slice(0, 2), '--wait', '1s']),
      ),
    )
    const { annotations } = (await api(lab, 'GET', accountPath)).body.metadata
    for (const { err, out, status } of runs) {
      expect(err + out).not.toMatch(/\n\s+at /)
      expect([1, 3]).toContain(status)
    }
    // One that began when another had ended knows what it replaces; of those that saw nothing there, one may write.
    const blind = runs
      .map((run, index) => ({ ...run, role: names[index] }))
      .filter(({ out }) => !out.includes('in the place of'))
    const done = blind.filter(({ err }) => err.includes('✓ done: Annotate'))
    expect(done, runs.map(({ err }) => err).join('\n')).toHaveLength(1)
    for (const { err, role, status } of blind.filter((run) => !done.includes(run))) {
      if (role !== done[0]?.role) expect([status, err]).toEqual([1, expect.stringContaining('left to do: Annotate')])
      expect(err).toMatch(role === done[0]?.role ? /already so: (Annotate|ServiceAccount)|not done/ : /✗ not done/)
    }
    if (blind.length === runs.length) expect(annotations[key]).toBe(`arn:aws:iam::${account}:role/${done[0]?.role}`)
  })
})

describe('what would widen trust is refused', () => {
  test.each([
    ['a wildcard for a name', ['bind', 'sa', '*', '-n', 'shop', '--aws-role', 'cart'], 'exact name'],
    ['a wildcard for a role', ['bind', 'sa', 'cart', '-n', 'shop', '--aws-role', 'c*'], '--aws-role'],
    ['no identity at all', ['bind', 'sa', 'cart', '-n', 'shop'], '--aws-role'],
    ['a policy that is none', [...toCart, '--attach-policy', 'AdministratorAccess'], 'managed policy'],
    ['both sides left out', [...toCart, '--cloud-only', '--service-account-only'], 'service-account-only'],
    [
      'a namespace that is not there',
      ['bind', 'sa', 'cart', '-n', 'nowhere', '--aws-role', 'cart'],
      'namespace nowhere',
    ],
    ['a role that is not there', ['bind', 'sa', 'cart', '-n', 'shop', '--aws-role', `${role}s`], 'role'],
  ])('%s', async (_name, args, words) => {
    const lab = await start(documents('broken'))
    const { status, err, out } = await wi(lab, stateFolder(), args)
    expect(status, out + err).toBe(2)
    expect(err.replaceAll(/\s*›\s*|\s+/g, ' ')).toContain(words)
  })
  test('another audience, and a Deny that somebody wrote', async () => {
    const vault = shop((object) => {
      if (object.kind === 'ServiceAccount') object.metadata.annotations['eks.amazonaws.com/audience'] = 'vault'
      return object
    })
    const other = await wi(await start(vault), stateFolder(), toCart)
    expect(other).toMatchObject({ status: 2, err: expect.stringContaining('audience vault') })
    const roleFile = JSON.parse(documents('broken')['role.json'] ?? '')
    const deny = { ...exact, Effect: 'Deny' }
    roleFile.Role.AssumeRolePolicyDocument.Statement.push(deny)
    const denied = await wi(await start(shop(bare, { 'role.json': JSON.stringify(roleFile) })), stateFolder(), toCart)
    expect(denied).toMatchObject({ status: 2, err: expect.stringContaining('denies') })
  })
  test('what admits others, too, is left as it is and said', async () => {
    const roleFile = JSON.parse(documents('broken')['role.json'] ?? '')
    const wide = { ...exact, Condition: { StringLike: { [`${hostPath}:sub`]: 'system:serviceaccount:*:*' } } }
    roleFile.Role.AssumeRolePolicyDocument.Statement = [wide]
    const { err, out } = await wi(
      await start(shop(bare, { 'role.json': JSON.stringify(roleFile) })),
      stateFolder(),
      toCart,
    )
    expect(err).toContain('already so: the trust policy of role cart admits')
    expect(err).toContain('note: it admits others, too')
    expect(out).not.toContain('trust policy of role cart (review)')
  })
  test('a trust policy that has no room left is told of before', async () => {
    const withLength = (length: number) => {
      const roleFile = JSON.parse(documents('broken')['role.json'] ?? '')
      const policy = roleFile.Role.AssumeRolePolicyDocument
      policy.Id = ''
      const own = JSON.stringify({ ...policy, Statement: [...policy.Statement, exact] }).length
      policy.Id = 'x'.repeat(length - own)
      return shop(bare, { 'role.json': JSON.stringify(roleFile) })
    }
    const full = await wi(await start(withLength(4097)), stateFolder(), toCart)
    expect(full).toMatchObject({ status: 2, err: expect.stringContaining('4097 characters') })
    const near = await wi(await start(withLength(2100)), stateFolder(), toCart)
    expect(near.err).toContain('note: the trust policy of role cart would have 2100 characters')
    expect(near.err).toContain('2048')
    expect((await wi(await start(withLength(1200)), stateFolder(), toCart)).err).not.toContain('characters')
  })
})

describe('EKS Pod Identity', () => {
  const toPods = [...toCart, '--pod-identity']
  const associations = { 'associations.json': '{"associations": []}' }
  test('one statement and one association, once', async () => {
    const [lab, state] = [await start(shop(bare, associations)), stateFolder()]
    const bound = await wi(lab, state, [...toPods, '--restart', ...acting])
    expect(bound.err, bound.out).toContain('✓ done: Associate ServiceAccount cart in namespace shop of cluster shop')
    expect((await trustOf(lab)).Statement.slice(1)).toEqual([
      {
        Effect: 'Allow',
        Principal: { Service: 'pods.eks.amazonaws.com' },
        Action: ['sts:AssumeRole', 'sts:TagSession'],
      },
    ])
    expect((await api(lab, 'GET', accountPath)).body.metadata.annotations ?? {}).toEqual({})
    const again = await wi(lab, state, [...toPods, ...acting])
    expect(again.err.match(/^already so: /gm), again.out + again.err).toHaveLength(2)
    expect(again.err).not.toContain('✓ done')
    const undone = await wi(lab, state, ['undo'])
    expect(undone.status, undone.out + undone.err).toBe(0)
    expect((await trustOf(lab)).Statement).toHaveLength(1)
  })
  test('a condition that protects the role is not gone around', async () => {
    const roleFile = JSON.parse(documents('broken')['role.json'] ?? '')
    roleFile.Role.AssumeRolePolicyDocument.Statement = [
      {
        Effect: 'Allow',
        Principal: { Service: 'pods.eks.amazonaws.com' },
        Action: ['sts:AssumeRole', 'sts:TagSession'],
        Condition: { StringEquals: { 'aws:RequestTag/kubernetes-namespace': 'till' } },
      },
    ]
    const lab = await start(shop(bare, { ...associations, 'role.json': JSON.stringify(roleFile) }))
    const refused = await wi(lab, stateFolder(), toPods)
    expect(refused.status, refused.out + refused.err).toBe(2)
    expect(refused.err).toContain('protects')
  })
})
