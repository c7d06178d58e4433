/** The proof of a Google Cloud identity from inside its pod: by a credential configuration, or by the metadata server. */
import { type Json, textAt } from '../core/json.ts'
import type { Outcome, Step } from '../core/proof.ts'
import type { GoogleConfiguration, PodGoogle } from '../sources/live/pod-google.ts'
import { type AwsPlace, aboutToken, tokenStep } from './prove-aws.ts'
import { prove, type Run } from './proving.ts'
import { told } from './told.ts'

export type GooglePlace = Pick<AwsPlace, 'oidc' | 'readToken' | 'write'> & {
  readonly google: PodGoogle
  readonly gcs?: string | undefined
  readonly configuration: Json
}

const emailIn = (url: string): string => /serviceAccounts\/([^:/]+):generateAccessToken$/.exec(url)?.[1] ?? url

function configurationOf(value: Json): GoogleConfiguration {
  const impersonationUrl = textAt(value, 'service_account_impersonation_url')
  return {
    audience: textAt(value, 'audience') ?? '',
    tokenType: textAt(value, 'subject_token_type') ?? 'urn:ietf:params:oauth:token-type:jwt',
    tokenUrl: textAt(value, 'token_url') ?? 'https://sts.googleapis.com/v1/token',
    ...(impersonationUrl === undefined ? {} : { impersonationUrl }),
  }
}

/** By a credential configuration: token, claims, signature, STS, the account if one is named, whose the token is, the bucket if one is wished. */
export async function proveExternalAccount(
  run: Run,
  { google, oidc, readToken, configuration, gcs, write }: GooglePlace,
): Promise<void> {
  const order = configurationOf(configuration)
  const file = textAt(configuration, 'credential_source', 'file')
  if (file === undefined) {
    await prove(run, 'token', 'The token is read', () => ({
      status: 'unknown',
      says: 'the configuration takes its token from no file, which is not tried here',
    }))
    return
  }
  const [step, seen] = await tokenStep(run, file, readToken)
  await aboutToken(run, step, seen, oidc, {})
  const exchanged = await prove(
    run,
    'exchange',
    'Google STS exchanges the token',
    async (): Promise<Outcome> => {
      if (seen?.state !== 'token') return { status: 'blocked', says: 'there is no token' }
      return told(
        await google.exchange(seen.name, order),
        () => `STS gives a token for ${order.audience}`,
        `STS refuses the token for ${order.audience}`,
      )
    },
    step,
  )
  const { impersonationUrl } = order
  if (impersonationUrl === undefined) {
    await prove(
      run,
      'who-am-i',
      'Who the cloud says that this is',
      async () => told(await google.introspect(order), ({ principal = '' }) => principal, ''),
      exchanged,
    )
    await proveBucket(run, { google, gcs, write }, exchanged)
    return
  }
  const email = emailIn(impersonationUrl)
  const impersonated = await prove(
    run,
    'impersonation',
    `The account is impersonated`,
    async () =>
      told(
        await google.impersonate(impersonationUrl),
        () => `IAM Credentials gives a token of ${email}, and gives none of anybody else`,
        `IAM Credentials refuses a token of ${email}`,
      ),
    exchanged,
  )
  await proveBucket(run, { google, gcs, write }, impersonated)
}

type Bucket = Pick<GooglePlace, 'google' | 'gcs' | 'write'>

async function proveBucket(run: Run, { google, gcs, write }: Bucket, after: Step): Promise<void> {
  if (gcs === undefined) return
  const { proveStore } = await import('./prove-store.ts')
  await proveStore(run, { kind: 'gcs', name: gcs, store: google.store(gcs), write }, after)
}

/** The pod itself has asked, so that silence is what every library in it meets. */
const unreachable = (detail: string): Outcome => ({
  status: 'fail',
  says: `the metadata server does not answer: ${detail}`,
  causes: [
    { check: 'gcp/pod-can-reach-metadata-server', says: 'something keeps this pod from the address of the server' },
    { check: 'gcp/node-runs-metadata-server', says: 'no metadata server of GKE runs on this node' },
  ],
})

/** By the metadata server: a token, the account that it is of, the bucket if one is wished. */
export async function proveMetadataServer(run: Run, { google, gcs, write }: Bucket): Promise<void> {
  const token = await prove(run, 'exchange', 'The metadata server gives a token', async () => {
    const got = await google.metadataToken()
    return got.state === 'unseen' && got.unreachable
      ? unreachable(got.detail)
      : told(got, () => 'it gives an access token', 'the metadata server refuses a token')
  })
  await prove(
    run,
    'who-am-i',
    'Who the metadata server says that this is',
    async () => {
      const got = told(
        await google.metadataAccount(),
        ({ account = '' }) => account,
        'the metadata server does not say whose',
      )
      return /^\d+-compute@developer\.gserviceaccount\.com$/.test(got.says)
        ? {
            status: 'unknown',
            says: `${got.says} is the account of nodes: the pod has no identity of its own, or is not behind the metadata server of GKE`,
          }
        : got
    },
    token,
  )
  await proveBucket(run, { google, gcs, write }, token)
}
