/** The proof of an Azure identity from inside its pod: the projected token as a client assertion, and whose the access token is. */
import type { Outcome } from '../core/proof.ts'
import { azureAudience } from '../domain/audiences.ts'
import { usualAuthority } from '../domain/azure-clouds.ts'
import type { Attempt } from '../sources/live/pod-aws.ts'
import type { PodAzure } from '../sources/live/pod-azure.ts'
import { type AwsPlace, aboutToken, tokenStep } from './prove-aws.ts'
import { prove, type Run } from './proving.ts'
import { told } from './told.ts'

export type AzurePlace = Pick<AwsPlace, 'env' | 'oidc' | 'readToken' | 'write'> & {
  readonly azure: PodAzure
  /** `ACCOUNT/CONTAINER`. */
  readonly blob?: string | undefined
}

/** Adds the steps to the run, each with its outcome; what is refused or not seen ends no run. */
export async function proveAzure(run: Run, { env, oidc, readToken, azure, blob, write }: AzurePlace): Promise<void> {
  const client = env.AZURE_CLIENT_ID ?? ''
  const tenant = env.AZURE_TENANT_ID ?? ''
  const authority = env.AZURE_AUTHORITY_HOST || usualAuthority
  const [step, seen] = await tokenStep(run, env.AZURE_FEDERATED_TOKEN_FILE ?? '', readToken)
  await aboutToken(run, step, seen, oidc, { usual: azureAudience })
  let got: Attempt | undefined
  const exchanged = await prove(
    run,
    'exchange',
    'Entra takes the token as a client assertion',
    async (): Promise<Outcome> => {
      const unnamed = whomUnnamed(client, tenant)
      if (unnamed !== undefined) return unnamed
      if (seen?.state !== 'token') return { status: 'blocked', says: 'there is no token' }
      got = await azure.assert(seen.name, { authority, tenant, client })
      return told(
        got,
        () => `Entra gives an access token to client ${client}`,
        `Entra refuses the token for client ${client}`,
      )
    },
    step,
  )
  const caller = await prove(
    run,
    'who-am-i',
    'Who the cloud says that this is',
    (): Outcome => {
      const { app = '', object = '', tenant: home = '' } = got?.state === 'done' ? got.told : {}
      return comparedClient({ app, object, home }, { client, tenant }, 'AZURE_CLIENT_ID')
    },
    exchanged,
  )
  if (blob === undefined) return
  const { proveStore } = await import('./prove-store.ts')
  const [account = '', container = ''] = blob.split('/')
  const order = { kind: 'blob', name: blob, store: azure.store(account, container), write } as const
  await proveStore(run, order, caller.status === 'pass' ? caller : exchanged)
}

/** That the environment leaves out for whom an SDK is to ask; undefined where it names both. */
export function whomUnnamed(client: string, tenant: string): Outcome | undefined {
  const missing = [client === '' ? 'AZURE_CLIENT_ID' : '', tenant === '' ? 'AZURE_TENANT_ID' : ''].filter(Boolean)
  return missing.length === 0
    ? undefined
    : { status: 'fail', says: `${missing.join(' and ')} is not set, so no SDK knows whom to ask for` }
}

type Caller = { readonly app: string; readonly object: string; readonly home: string }

/** Whose the access token is, against the client and the tenant that were asked for; `by` names what says so. */
export function comparedClient(
  { app, object, home }: Caller,
  { client, tenant }: { readonly client: string; readonly tenant: string },
  by: string,
): Outcome {
  if (app === '') return { status: 'unknown', says: 'the access token does not show whose it is' }
  const details = [
    ['client', app],
    ['object', object],
    ['tenant', home],
  ] as const
  // A tenant may be named by a domain; then only the client can be compared.
  const sameTenant = !/^[\da-f-]{36}$/iu.test(tenant) || home === '' || home.toLowerCase() === tenant.toLowerCase()
  return app.toLowerCase() === client.toLowerCase() && sameTenant
    ? { status: 'pass', says: `client ${app}, as ${by} names it`, details }
    : {
        status: 'fail',
        says: `the access token is of client ${app} in tenant ${home}, and client ${client} in tenant ${tenant} was asked for`,
        details,
      }
}
