/** exchange-test as a minimal image has it: the single executable, CA certificates and the pod's own files, and nothing else at all. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Lab } from '../../src/lab/lab.ts'
import { documents } from '../acting.ts'
import { type Claims, canaries } from '../exchanging.ts'
import { closeLabs, demo, role, start } from '../labs.ts'
import { noPodRoot, type PodFile, type PodOrder, type PodRan, type PodRoot, podRoot } from './pod-root.ts'

const without = noPodRoot()
const secrets = canaries()
const shown: string[] = []
const tokens = '/var/run/secrets/tokens/token'
const agentAddress = '169.254.170.23'
const metadataAddress = '169.254.169.254'
const google = 'projects/123456789012/locations/global/workloadIdentityPools/shop-pool/providers/main'
const clientId = '6d9df24b-0a2c-4d0b-8f3a-0f0e5e1c7a11'

let root: PodRoot
let [aws, agent, gcp, azure]: readonly (Lab | undefined)[] = []

beforeAll(async () => {
  if (without !== undefined) return
  const overhear = secrets.overhear
  const shelf = `${import.meta.dirname}/../fixtures/aws/trust-policy-admits-pod-identity/passes.case.yaml`
  const provider = {
    name: google,
    state: 'ACTIVE',
    attributeMapping: { 'google.subject': 'assertion.sub' },
    oidc: { issuerUri: 'https://oidc.lab.example/id/LAB' },
  }
  ;[aws, agent, gcp, azure] = await Promise.all([
    start(demo('healthy'), { overhear }),
    start(shelf, { overhear }),
    start({ ...documents('google'), 'provider.json': JSON.stringify(provider) }, { overhear }),
    start(documents('azure-healthy'), { overhear }),
  ])
  root = await podRoot((line) => process.stderr.write(`chroot: ${line}\n`))
}, 300_000)
afterAll(async () => {
  await closeLabs()
  console.log(shown.join('\n'))
})

type Given = Pick<PodOrder, 'env' | 'files'>
const own = (lab: Lab | undefined): Lab => {
  if (lab === undefined) throw new Error('the lab has not been started')
  return lab
}

/** What leads a pod to a lab: its hosts, its authority, and the ports behind which it is in the pod's own network. */
function ways(lab: Lab, family: 4 | 6): Given & Required<Pick<PodOrder, 'reaches'>> {
  const loopback = family === 4 ? '127.0.0.1' : '::1'
  const inPlace = (text: string): string => (family === 4 ? text : text.replaceAll('127.0.0.1', '[::1]'))
  // Its certificates name localhost, and no address of version 6.
  const url = (text: string): string => (family === 4 ? text : text.replace('127.0.0.1', 'localhost'))
  const portOf = (text: string): number => Number(/:(\d+)$/.exec(text)?.[1])
  const all = [...Object.values(lab.urls), ...Object.values(lab.world.resolve)].map(portOf)
  return {
    env: {
      KUBECTL_WI_LAB: '/var/run/lab/lab.json',
      AWS_CA_BUNDLE: '/var/run/lab/ca.pem',
      NODE_EXTRA_CA_CERTS: '/var/run/lab/ca.pem',
      AWS_ENDPOINT_URL_STS: url(lab.urls.sts),
      AWS_REGION: 'us-west-2',
    },
    files: {
      '/var/run/lab/lab.json': { text: inPlace(JSON.stringify(lab.world)) },
      '/var/run/lab/ca.pem': { text: lab.world.roots },
      '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt': { text: lab.world.roots },
    },
    reaches: {
      ...Object.fromEntries(all.map((port) => [`${loopback} ${port}`, port])),
      ...(family === 4
        ? { [`${agentAddress} 80`]: portOf(lab.urls.agent), [`${metadataAddress} 80`]: portOf(lab.urls.metadata) }
        : { 'fd00:ec2::23 80': portOf(lab.urls.agent) }),
    },
  }
}

/** Runs it in the pod, and looks for secrets in whatever it says. */
async function run(title: string, lab: Lab, given: Given, more: Partial<PodOrder> = {}): Promise<PodRan> {
  const way = ways(lab, more.family ?? 4)
  const ran = await root.run({
    ...way,
    args: ['exchange-test'],
    ...more,
    env: { ...way.env, ...given.env },
    files: { ...way.files, ...given.files },
  })
  secrets.silentIn(ran.out + ran.err)
  expect(ran.err).toBe('')
  shown.push(
    `\n━━ ${title}: exit ${ran.code}${ran.peakMiB === undefined ? '' : `, at most ${ran.peakMiB} MiB`}\n${ran.out}`,
  )
  return ran
}

type Mechanism = {
  readonly lab: () => Lab
  readonly audience: string
  /** `file`: where its token lies. */
  readonly given: (token: PodFile) => Given
  readonly proven: RegExp
  /** What STS, EKS or Entra says of a token for somebody else, and of one that has expired. */
  readonly wrong: RegExp
  readonly expired: RegExp
  /** Somebody's own keys, and what is said of them. */
  readonly keys: () => Given
  readonly shadowed: RegExp
}

const awsKeys = (): Given => ({
  env: { AWS_ACCESS_KEY_ID: secrets.made('AKIA'), AWS_SECRET_ACCESS_KEY: secrets.made() },
})
const mechanisms: { readonly [title: string]: Mechanism } = {
  'AWS, web identity': {
    lab: () => own(aws),
    audience: 'sts.amazonaws.com',
    given: (token) => ({
      env: { AWS_ROLE_ARN: role, AWS_WEB_IDENTITY_TOKEN_FILE: tokens },
      files: { [tokens]: token },
    }),
    proven: /a session of role cart in account 111122223333, as AWS_ROLE_ARN names it/,
    wrong: /InvalidIdentityToken.*Incorrect token audience/s,
    expired: /ExpiredTokenException/,
    keys: awsKeys,
    shadowed: /every SDK takes AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY first/,
  },
  'AWS, EKS Pod Identity': {
    lab: () => own(agent),
    audience: 'pods.eks.amazonaws.com',
    given: (token) => ({
      env: {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://${agentAddress}/v1/credentials`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokens,
      },
      files: { [tokens]: token },
    }),
    proven: /a session of role cart in account 111122223333/,
    wrong: /InvalidTokenException/,
    expired: /token is expired/,
    keys: awsKeys,
    shadowed: /every SDK takes AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY first/,
  },
  'Google Cloud, a credential configuration': {
    lab: () => own(gcp),
    audience: `https://iam.googleapis.com/${google}`,
    given: (token) => ({
      env: { GOOGLE_APPLICATION_CREDENTIALS: '/var/run/secrets/google.json' },
      files: {
        [tokens]: token,
        '/var/run/secrets/google.json': {
          text: JSON.stringify({
            type: 'external_account',
            audience: `//iam.googleapis.com/${google}`,
            subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
            token_url: 'https://sts.googleapis.com/v1/token',
            credential_source: { file: tokens },
          }),
        },
      },
    }),
    proven: /subject\/system:serviceaccount:shop:cart/,
    wrong: /does not match the expected audience/,
    expired: /stale to sign-in/,
    // Whoever is given a configuration has its one variable taken by it; a key file there is no shadow but another identity.
    keys: () => ({ env: {} }),
    shadowed: /^/,
  },
  'Azure, workload identity': {
    lab: () => own(azure),
    audience: 'api://AzureADTokenExchange',
    given: (token) => ({
      env: {
        AZURE_CLIENT_ID: clientId,
        AZURE_TENANT_ID: '0b1f6471-1bf0-4dda-aec3-cb9272f09590',
        AZURE_FEDERATED_TOKEN_FILE: tokens,
        AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.com/',
      },
      files: { [tokens]: token },
    }),
    proven: /as AZURE_CLIENT_ID names it/,
    wrong: /AADSTS700212/,
    expired: /AADSTS700024/,
    keys: () => ({ env: { AZURE_CLIENT_SECRET: secrets.made('s~') } }),
    shadowed: /every SDK takes AZURE_CLIENT_SECRET first/,
  },
}

/** Words as they stand, wherever lines were broken. */
const words = ({ out }: PodRan): string => out.replaceAll(/\s+/gu, ' ')

const title = `exchange-test in a bare root${without === undefined ? '' : ` (left out: ${without})`}`
describe.skipIf(without !== undefined)(title, () => {
  describe.each(Object.entries(mechanisms))(
    '%s',
    (name, { lab, audience, given, proven, wrong, expired, keys, shadowed }) => {
      const file = async (claims: Claims = {}, more: Partial<PodFile> = {}): Promise<PodFile> => ({
        text: await secrets.token(lab(), { aud: audience, ...claims }),
        ...more,
      })
      it('is proven, by another user than root, below a root that is read only, without a home', async () => {
        const ran = await run(`${name}: healthy`, lab(), given(await file()))
        expect(words(ran)).toMatch(proven)
        expect(ran.out).toMatch(/^proven/mu)
        expect(ran.code).toBe(0)
      })
      it('tells a token for somebody else', async () => {
        const ran = await run(`${name}: wrong audience`, lab(), given(await file({ aud: 'https://shop.example' })))
        expect(words(ran)).toMatch(wrong)
        expect(ran.code).toBe(1)
      })
      it('tells an expired token', async () => {
        const ran = await run(`${name}: expired token`, lab(), given(await file({ left: -600 })))
        expect(words(ran)).toMatch(/the token expired 10 min( \d s)? ago/)
        expect(words(ran)).toMatch(expired)
        expect(ran.code).toBe(1)
      })
      it('tells a token file that it may not read', async () => {
        const ran = await run(`${name}: unreadable token file`, lab(), given(await file({}, { mode: 0o400 })))
        expect(words(ran)).toMatch(
          /may not read it: it has mode 0400, owner 0 and group 0, and this process is user 65532/,
        )
        expect(ran.code).toBe(1)
      })
      it.skipIf(shadowed.source === '^')('tells keys that stand before it', async () => {
        const own = given(await file())
        const ran = await run(`${name}: shadowed by static keys`, lab(), { ...own, env: { ...own.env, ...keys().env } })
        expect(words(ran)).toMatch(shadowed)
        expect(ran.code).toBe(1)
      })
    },
  )

  it('tells an agent of EKS Pod Identity that nobody reaches', async () => {
    const lab = own(agent)
    const mechanism = mechanisms['AWS, EKS Pod Identity']
    const given = mechanism?.given({ text: await secrets.token(lab, { aud: mechanism.audience }) }) ?? { env: {} }
    const env = { ...given.env, AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1/credentials' }
    const { [`${agentAddress} 80`]: _, ...reaches } = ways(lab, 4).reaches
    const ran = await run('AWS, EKS Pod Identity: agent unreachable', lab, { ...given, env }, { reaches })
    expect(words(ran)).toMatch(/the agent at http:\/\/169\.254\.170\.23\/v1\/credentials does not answer/)
    expect(ran.code).toBe(1)
  })

  describe('the metadata server of Google', () => {
    const env = { GCE_METADATA_HOST: metadataAddress }
    it('is proven', async () => {
      const ran = await run('Google Cloud, the metadata server: healthy', own(gcp), { env })
      expect(words(ran)).toContain('shop-cart@shop-prod.iam.gserviceaccount.com')
      expect(ran.code).toBe(0)
    })
    it('is shadowed by a key file', async () => {
      const key = '/var/run/secrets/key.json'
      const text = JSON.stringify({ type: 'service_account', private_key: secrets.made() })
      const given = { env: { ...env, GOOGLE_APPLICATION_CREDENTIALS: key }, files: { [key]: { text } } }
      const ran = await run('Google Cloud, the metadata server: shadowed by a key file', own(gcp), given)
      expect(ran.out).toContain(key)
      expect(ran.code).toBe(1)
    })
    it('is told where nothing reaches it', async () => {
      const { [`${metadataAddress} 80`]: _, ...reaches } = ways(own(gcp), 4).reaches
      const ran = await run('Google Cloud, the metadata server: unreachable', own(gcp), { env }, { reaches })
      expect(words(ran)).toContain('the metadata server does not answer: 169.254.169.254')
      expect(ran.code).toBe(1)
    })
  })

  it('needs no address of version 4', async () => {
    const lab = own(agent)
    const [web, pod] = [mechanisms['AWS, web identity'], mechanisms['AWS, EKS Pod Identity']]
    const byToken = web?.given({ text: await secrets.token(own(aws)) }) ?? { env: {} }
    const sts = await run('AWS, web identity: IPv6 only', own(aws), byToken, { family: 6 })
    expect([sts.code, sts.out]).toEqual([0, expect.stringMatching(/^proven/mu)])
    const given = pod?.given({ text: await secrets.token(lab, { aud: pod.audience }) }) ?? { env: {} }
    const env = {
      ...given.env,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://[fd00:ec2::23]/v1/credentials',
    }
    const ran = await run('AWS, EKS Pod Identity: IPv6 only', lab, { ...given, env }, { family: 6 })
    expect([ran.code, ran.out]).toEqual([0, expect.stringMatching(/^proven/mu)])
  })

  it('does with 64 MiB', async () => {
    const given = mechanisms['AWS, web identity']?.given({ text: await secrets.token(own(aws)) }) ?? { env: {} }
    const ran = await run('AWS, web identity: 64 MiB', own(aws), given, { memoryMiB: 64 })
    expect(ran.code).toBe(0)
    if (ran.peakMiB === undefined) process.stderr.write('chroot: the machine gives no group with a limit of memory\n')
    else expect(ran.peakMiB).toBeLessThanOrEqual(64)
  })

  it('looks for the usual files in a pod that was given nothing', async () => {
    const ran = await run('nothing given', own(aws), { env: {} })
    expect(ran.out).toMatch(/^inconclusive: no workload identity was found/mu)
    expect(ran.code).toBe(3)
  })
})
