/** What a case's plan changes at Google and in its cluster, carried out by the real writers: Google's own client is refused before and let in after, and all is as before when it is taken back. */
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { ExternalAccountClient } from 'google-auth-library'
import { afterAll, describe, expect, test } from 'vitest'
import { openWriters } from '../../src/apply/open.ts'
import { edited } from '../../src/core/edit.ts'
import { at, canonical, isObject, type Json, listAt, textAt } from '../../src/core/json.ts'
import type { Change } from '../../src/core/plan.ts'
import { resources } from '../../src/knowledge/permissions.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { type Case, cases } from '../case-files.ts'
import { sourceOf } from '../examining.ts'
import { googleClient } from '../google-client.ts'
import { api, ask, closeLabs, start } from '../labs.ts'
import { planCase } from '../planning.ts'

const outside = { ...process.env }
afterAll(async () => {
  process.env = outside
  setDefaultCACertificates(getCACertificates('bundled'))
  await closeLabs()
})

type Writers = Awaited<ReturnType<typeof openWriters>>

const pathOf = (resource: string, namespace: string | undefined, name: string): string => {
  const { group = '', version = 'v1' } = resources[resource] ?? {}
  const where = namespace === undefined ? '' : `/namespaces/${namespace}`
  return `${group === '' ? '/api' : `/apis/${group}`}/${version}${where}/${resource}/${name}`
}
const objectAt = async (lab: Lab, path: string): Promise<Json> => {
  const { status, body } = await api(lab, 'GET', path)
  if (status === 404) return null
  return ['resourceVersion', 'generation', 'managedFields'].reduce<Json>(
    (left, key) => edited(left, ['metadata', key], undefined) ?? left,
    body,
  )
}

/** As the person of the lab, who may read everything at Google. */
async function signIn(lab: Lab): Promise<string> {
  const { readFileSync } = await import('node:fs')
  const credentials = JSON.parse(readFileSync(lab.env.GOOGLE_APPLICATION_CREDENTIALS ?? '', 'utf8'))
  const client = ExternalAccountClient.fromJSON({ ...credentials, token_url: `${lab.urls.google}/v1/token` })
  return (await client?.getAccessToken())?.token ?? ''
}

const googlePaths: { readonly [call: string]: (input: Change['input']) => readonly [method: string, path: string] } = {
  'iam.serviceAccounts.setIamPolicy': ({ email }) => [
    'POST',
    `/v1/projects/-/serviceAccounts/${email}:getIamPolicy?options.requestedPolicyVersion=3`,
  ],
  'resourcemanager.projects.setIamPolicy': ({ project }) => ['POST', `/v1/projects/${project}:getIamPolicy`],
  'storage.buckets.setIamPolicy': ({ bucket }) => [
    'GET',
    `/storage/v1/b/${bucket}/iam?optionsRequestedPolicyVersion=3`,
  ],
  'iam.workloadIdentityPoolProviders.update': ({ name }) => ['GET', `/v1/${name}`],
  'iam.workloadIdentityPools.update': ({ name }) => ['GET', `/v1/${name}`],
  'container.clusters.update': ({ project, location, cluster }) => [
    'GET',
    `/v1/projects/${project}/locations/${location}/clusters/${cluster}`,
  ],
  'container.nodePools.update': ({ project, location, cluster, nodePool }) => [
    'GET',
    `/v1/projects/${project}/locations/${location}/clusters/${cluster}/nodePools/${nodePool}`,
  ],
  'serviceusage.services.enable': ({ project, service }) => ['GET', `/v1/projects/${project}/services/${service}`],
}

/** What stands in every place that a plan changes; etags are of each write. */
async function standing(lab: Lab, changes: readonly Change[], token: string): Promise<string> {
  const seen = await Promise.all(
    changes.map(async ({ system, call, input }) => {
      if (system === 'kubernetes')
        return objectAt(lab, pathOf(call.split('/')[0] ?? '', textAt(input, 'namespace'), textAt(input, 'name') ?? ''))
      const [method, path] = googlePaths[call]?.(input) ?? ['GET', '/']
      const body = call.startsWith('resourcemanager.') ? { options: { requestedPolicyVersion: 3 } } : undefined
      const answer = await ask(lab, `${lab.urls.google}${path}`, {
        method,
        token,
        type: 'application/json',
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return edited(edited(JSON.parse(answer.body), ['etag'], undefined), ['version'], undefined) ?? null
    }),
  )
  return canonical(seen)
}

async function carryOut(writers: Writers, change: Change): Promise<Change | null> {
  const prepared = await writers.prepare(change, { dryRun: false })
  expect(prepared, JSON.stringify(change)).toMatchObject({ state: 'ready' })
  const written = prepared.state === 'ready' ? await prepared.write() : prepared
  expect(written, JSON.stringify(change)).toMatchObject({ state: 'done' })
  return written.state === 'done' ? written.undo : null
}

/** What the workload of a case is configured with, as it stands in the lab now. */
async function configured(
  lab: Lab,
  one: Case,
): Promise<{ namespace: string; name: string; audience: string; to: string; account?: string } | string> {
  const { kind, namespace = 'shop', name } = one.subject
  const pod = kind === 'Pod' ? await api(lab, 'GET', pathOf('pods', namespace, name)) : undefined
  const account = kind === 'ServiceAccount' ? name : (textAt(pod?.body, 'spec', 'serviceAccountName') ?? 'cart')
  const own = await api(lab, 'GET', pathOf('serviceaccounts', namespace, account))
  if (own.status !== 200) return 'no ServiceAccount'
  const maps = await api(lab, 'GET', `/api/v1/namespaces/${namespace}/configmaps`)
  const text = listAt(maps.body, 'items')
    .flatMap((map) => {
      const data = at(map, 'data')
      return isObject(data) ? Object.values(data).filter((value) => typeof value === 'string') : []
    })
    .find((value) => value.includes('external_account'))
  if (text !== undefined) {
    const configuration: Json = JSON.parse(text)
    const to = textAt(configuration, 'audience') ?? ''
    const impersonated = /serviceAccounts\/([^:/]+):/.exec(
      textAt(configuration, 'service_account_impersonation_url') ?? '',
    )?.[1]
    return {
      namespace,
      name: account,
      to,
      audience: to.replace(/^\/\//, 'https://'),
      ...(impersonated === undefined ? {} : { account: impersonated }),
    }
  }
  const cluster = await google(lab, 'GET', '/v1/projects/shop-prod/locations/-/clusters/main')
  const pool = textAt(cluster, 'workloadIdentityConfig', 'workloadPool')
  const link = textAt(cluster, 'selfLink')
  if (link === undefined) return 'no cluster and no configuration'
  const email = textAt(own.body, 'metadata', 'annotations', 'iam.gke.io/gcp-service-account')
  return {
    namespace,
    name: account,
    audience: pool ?? 'none',
    to: `identitynamespace:${pool}:${link}`,
    ...(email === undefined ? {} : { account: email }),
  }
}
const google = async (lab: Lab, method: string, path: string): Promise<Json> =>
  JSON.parse(
    (await ask(lab, `${lab.urls.google}${path}`, { method, token: await signIn(lab), type: 'application/json' })).body,
  )

/** What Google's own client gets, and says: a token, or a refusal. Undefined where the case shows nobody who could ask. */
async function client(lab: Lab, one: Case): Promise<string | undefined> {
  const setting = await configured(lab, one)
  if (typeof setting === 'string') return undefined
  const { namespace, name, audience, to, account } = setting
  const { body } = await api(lab, 'POST', `${pathOf('serviceaccounts', namespace, name)}/token`, {
    spec: { audiences: [audience] },
  })
  const made = googleClient(lab, to, textAt(body, 'status', 'token') ?? '', account)
  try {
    return (await made.getAccessToken())?.token?.startsWith('ya29.') === true ? 'token' : 'nothing'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Why Google's client cannot be let in by what the documents of a case show; undefined where it ought to be. */
async function lacks(lab: Lab, one: Case, person: string): Promise<string | undefined> {
  const setting = await configured(lab, one)
  if (typeof setting === 'string') return setting
  const shows = async (method: string, path: string): Promise<boolean> =>
    (await ask(lab, `${lab.urls.google}${path}`, { method, token: person, type: 'application/json' })).status === 200
  const { account, to } = setting
  if (account !== undefined && !(await shows('POST', `/v1/projects/-/serviceAccounts/${account}:getIamPolicy`)))
    return 'no policy of the account'
  if (to.startsWith('identitynamespace:')) return undefined
  const provider = to.replace('//iam.googleapis.com/', '')
  if (!(await shows('GET', `/v1/${provider}`))) return 'no provider'
  const held = await google(lab, 'GET', `/v1/${provider}`)
  if (textAt(held, 'oidc', 'issuerUri') !== lab.issuer)
    return 'no issuer of the cluster, so that the lab has one of its own'
  return textAt(held, 'oidc', 'jwksJson') === undefined ? undefined : 'uploaded keys, whose private halves nobody has'
}

/** Templates are changed as everywhere: law 7 rehearses them, and other cases carry such changes out. */
const ofTemplates = (changes: readonly Change[]): boolean =>
  changes.every(({ call }) => /^(?:deployments|statefulsets|daemonsets)\//.test(call))

/** What the lab cannot serve, and why. */
const bare: { readonly [name: string]: string } = {
  'gcp/token-endpoints-answer/credentials-api-disabled.case.yaml': 'a log alone, of which no server can be made',
}

describe('a plan of a case of Google, carried out and taken back', async () => {
  const told = cases.filter(
    ({ name, plan = [] }) => name.startsWith('gcp/') && plan.length > 0 && bare[name] === undefined,
  )
  const planned = await Promise.all(told.map(async (one) => ({ one, plan: await planCase(one, await sourceOf(one)) })))
  const rounds = planned.filter(({ plan }) => !ofTemplates(plan.actions.map(({ change }) => change)))
  const answers: string[] = []
  test.each(rounds.map((round) => [round.one.name, round] as const))(
    '%s',
    async (_name, { one, plan: { actions } }) => {
      const lab = await start(one.path)
      setDefaultCACertificates([...getCACertificates('bundled'), lab.world.roots])
      const changes = actions.map(({ change }) => change)
      Object.assign(process.env, lab.env)
      const writers = await openWriters({ flags: {}, version: '0', env: lab.env })
      const person = await signIn(lab)
      try {
        const [before, refused] = [await standing(lab, changes, person), await client(lab, one)]
        const undo: Change[] = []
        for (const change of changes) {
          const back = await carryOut(writers, change)
          if (back !== null) undo.unshift(back)
        }
        expect(await standing(lab, changes, person)).not.toBe(before)
        const [heard, why] = [await client(lab, one), await lacks(lab, one, person)]
        if (why === undefined) expect(heard, 'Google lets the workload in').toBe('token')
        else expect(heard, why).not.toBe('token')
        answers.push(refused === heard ? 'as before' : refused === 'token' ? 'shut out' : 'let in')
        for (const change of undo) await carryOut(writers, change)
        if (actions.every((action) => action.undo !== null)) expect(await standing(lab, changes, person)).toBe(before)
      } finally {
        writers.close()
      }
    },
  )
  test('many of them are refused before, and let in after', ({ skip }) => {
    if (answers.length < rounds.length) skip('not all of them were run')
    expect(answers.filter((one) => one === 'let in').length).toBeGreaterThanOrEqual(13)
  })
})
