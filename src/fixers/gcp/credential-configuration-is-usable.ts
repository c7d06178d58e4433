/** Writes one member of the configuration in its ConfigMap from what was seen: number, provider, mounted path, account; no endpoint outside googleapis.com. */
import { check } from '../../checks/gcp/credential-configuration-is-usable.ts'
import type { MessageData } from '../../core/check.ts'
import { type Json, textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { rewritten } from '../../domain/gcp-configuration-changes.ts'
import { fullProvider, tokenFileOf } from '../../domain/gcp-credentials.ts'
import { word } from '../../domain/gcp-words.ts'
import { type Configured, googleConfiguration } from '../../probes/gcp/objects.ts'

const needs = { googleConfiguration }
type Brief = ProposalBrief<typeof needs, Record<never, never>, MessageData>
type Path = readonly [string, ...string[]]

/** One member, as `next` makes it of what was seen; undefined where that does not determine it. */
const write =
  (path: Path, next: (seen: Configured, brief: Brief) => Json | undefined) =>
  (brief: Brief): Proposal => {
    const { googleConfiguration: seen } = brief.have
    const after = seen.state === 'absent' ? undefined : next(seen.value, brief)
    if (seen.state === 'absent' || after === undefined) return byHand
    const { configuration } = seen.value
    const actions = rewritten(configuration, path, () => after)
    if (actions !== undefined) return actions
    if (configuration === undefined || configuration.namespace !== undefined) return byHand
    const value = typeof after === 'string' ? after : JSON.stringify(after)
    return { manual: `Write ${path.join('.')} of the configuration ${configuration.name} as ${value}.` }
  }

/** The one provider that was seen in the pool that the audience names. */
function providerOf({ world }: Configured, { data }: Brief): string | undefined {
  const [, number, pool] =
    /\/projects\/([^/]+)\/locations\/global\/workloadIdentityPools\/([^/]+)/.exec(word(data, 'audience')) ?? []
  const [one, ...others] = world.providers.filter((provider) => provider.number === number && provider.pool === pool)
  return one === undefined || others.length > 0 ? undefined : `//iam.googleapis.com/${one.name}`
}

function withNumber({ configuration, number }: Configured): string | undefined {
  const audience = textAt(configuration?.body, 'audience') ?? ''
  const next = number === undefined ? '' : audience.replace(/\/projects\/[^/]+\//, `/projects/${number}/`)
  return fullProvider.test(next) ? next : undefined
}

/** The file that a pod mounts as a projected token. */
const mounted = ({ files, configuration }: Configured): string | undefined => {
  const named = configuration === undefined ? undefined : tokenFileOf(configuration)
  return named !== undefined && files.includes(named) ? named : files.length === 1 ? files[0] : undefined
}
const fromFile = (seen: Configured): Json | undefined => {
  const file = mounted(seen)
  return file === undefined ? undefined : { file, format: { type: 'text' } }
}

function impersonation({ configuration }: Configured): string | undefined {
  const url = textAt(configuration?.body, 'service_account_impersonation_url') ?? ''
  const email =
    /\/serviceAccounts\/([a-z0-9-]{1,63}@[a-z0-9.:-]{1,100}gserviceaccount\.com)(?::generateAccessToken)?$/.exec(
      url,
    )?.[1]
  const next = `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${email}:generateAccessToken`
  return email === undefined || next.length > 256 ? undefined : next
}

const endpoints: { readonly [field: string]: string } = {
  token_url: 'https://sts.googleapis.com/v1/token',
  token_info_url: 'https://sts.googleapis.com/v1/introspect',
}
const endpoint = (brief: Brief): Proposal => {
  const field = word(brief.data, 'field')
  return write([field], () => endpoints[field])(brief)
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: {
    'audience-names-a-pool': write(['audience'], providerOf),
    'audience-names-an-attribute': write(['audience'], providerOf),
    'audience-has-project-id': write(['audience'], withNumber),
    'subject-token-type-wrong': write(['subject_token_type'], (seen) =>
      mounted(seen) === undefined ? undefined : 'urn:ietf:params:oauth:token-type:jwt',
    ),
    'credential-source-ambiguous': write(['credential_source'], fromFile),
    'json-field-missing': write(['credential_source'], fromFile),
    'azure-instance-metadata': write(['credential_source'], fromFile),
    'impersonation-url-wrong': write(['service_account_impersonation_url'], impersonation),
    'lifetime-too-long': write(['service_account_impersonation', 'token_lifetime_seconds'], () => 3600),
    'foreign-endpoint': endpoint,
  },
})
