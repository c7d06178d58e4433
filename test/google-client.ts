/** Google's own client for a workload, with the lab in the place of googleapis.com. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ExternalAccountClient } from 'google-auth-library'
import type { Lab } from '../src/lab/lab.ts'

/** The token comes from where a pod has it: a file. `account`: whom to impersonate. The lab's roots must be among those of the process. */
export function googleClient(lab: Lab, audience: string, token: string, account?: string) {
  const file = join(lab.kubeconfig, '..', `token-${Math.random()}`)
  writeFileSync(file, token)
  const impersonation = `${lab.urls.google}/v1/projects/-/serviceAccounts/${account}:generateAccessToken`
  const made = ExternalAccountClient.fromJSON({
    type: 'external_account',
    audience,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${lab.urls.google}/v1/token`,
    credential_source: { file },
    ...(account === undefined ? {} : { service_account_impersonation_url: impersonation }),
  })
  if (made === null) throw new Error('no client')
  return made
}
