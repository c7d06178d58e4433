/** A ServiceAccount bound to Google Cloud: as a Google service account, as itself, or through the provider of another pool. */
import { type JsonObject, textAt } from '../core/json.ts'
import type { Action } from '../core/plan.ts'
import { googleAnnotation } from '../domain/audiences.ts'
import { grantMember } from '../domain/gcp-changes.ts'
import { admits, memberFor, principalOf, type Workload } from '../domain/gcp-members.ts'
import { grantsOf, mayImpersonate, readPolicy } from '../domain/gcp-policies.ts'
import { audiencesOf, type Provider, readPool, readProvider } from '../domain/gcp-provider.ts'
import { createObject } from '../domain/kubernetes-changes.ts'
import { gcp, kubernetes } from '../domain/questions.ts'
import { issuer } from '../probes/cluster/issuer.ts'
import { emailForm } from '../probes/gcp/account.ts'
import { projectNumber } from '../probes/gcp/world.ts'
import { type BindBrief, type Intent, seenOrEnd } from './bind-brief.ts'
import { accountSeen, annotated, present } from './bind-service-account.ts'
import { usage } from './trouble.ts'

const impersonate = 'roles/iam.workloadIdentityUser'
const providerName =
  /^projects\/\d+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]{4,32}\/providers\/[a-z0-9-]{4,32}$/
/** A predefined role, or one of a project's or an organization's own. */
const roleName = /^(?:roles|projects\/[a-z0-9.:-]+\/roles|organizations\/\d+\/roles)\/[\w.]{1,100}$/
const resourceName = /^(?:projects\/[a-z][a-z0-9.:-]{4,60}|buckets\/[a-z0-9][a-z0-9._-]{1,221})$/
/** Whoever has one of these has everything there. */
const sweeping: ReadonlySet<string> = new Set(['roles/owner', 'roles/editor', 'roles/viewer'])

/** One member joins one role of one policy; all else in it stays. */
async function granted(
  { ask, say }: BindBrief,
  resource: string,
  role: string,
  workload: Workload,
  member: string,
): Promise<readonly Action[]> {
  const name = resource.slice(resource.indexOf('/') + 1)
  const question = resource.startsWith('projects/')
    ? gcp.projectPolicy(name)
    : resource.startsWith('buckets/')
      ? gcp.bucketPolicy(name)
      : gcp.serviceAccountPolicy(name)
  const answer = seenOrEnd(await ask(question), `the policy of ${resource}`)
  const policy = answer === undefined ? undefined : readPolicy(resource, answer)
  if (policy === undefined) throw usage(`there is no ${resource}: create it first, or name another`)
  const fits = (held: string): boolean =>
    role === impersonate ? mayImpersonate(held, undefined) === true : held === role
  const held = grantsOf(policy).find(
    (one) => one.condition === undefined && fits(one.role) && admits(one.member, workload) === true,
  )
  if (held !== undefined) {
    say(`already so: ${held.member} has ${held.role} on ${resource}`)
    return []
  }
  const changed = grantMember(policy, role, member)
  if (changed === undefined) throw usage(`${member} cannot be granted ${role} on ${resource}`)
  return [{ summary: `Grant ${role} on ${resource} to ${member}`, safety: 'review', ...changed }]
}

/** The workload as the pool of its own cluster names it. */
async function onGke({
  namespace,
  name,
  ask,
}: BindBrief): Promise<Workload & { readonly pool: string; readonly project: string }> {
  const cluster = seenOrEnd(await ask(gcp.cluster()), 'the cluster of GKE')
  if (cluster === undefined)
    throw usage('the cluster is not seen to be one of GKE: elsewhere, name a provider by --gcp-provider')
  const pool = textAt(cluster, 'workloadIdentityConfig', 'workloadPool')
  if (pool === undefined)
    throw usage('the cluster has no workload identity pool: kubectl wi fix enables it, as a step of its own')
  const url = textAt(cluster, 'selfLink')
  const project = /\/projects\/([^/]+)\//.exec(url ?? '')?.[1] ?? pool.replace(/\.svc\.id\.goog$/, '')
  return { namespace, name, pool, project, ...(url === undefined ? {} : { cluster: url }) }
}

export const bindGoogleAccount: Intent = async (brief) => {
  const { flags } = brief
  const email = flags['gcp-service-account'] ?? ''
  if (!emailForm.test(email)) throw usage(`--gcp-service-account ${email}: the e-mail of one Google service account`)
  if (brief.name === 'default')
    throw usage('default is the ServiceAccount of everybody in the namespace: bind one of its own')
  const own = await annotatedSide()
  if (flags['service-account-only']) return own
  const workload = await onGke(brief)
  // Only to know a grant that is there by its number; the one that is made names none.
  const number = await projectNumber(workload.project, brief.ask)
  const numbered = number.state === 'known' ? { ...workload, number: number.value } : workload
  const cloud = await granted(brief, `serviceAccounts/${email}`, impersonate, numbered, memberFor(workload))
  return flags['cloud-only'] ? cloud : [...cloud, ...own]

  async function annotatedSide(): Promise<readonly Action[]> {
    return flags['cloud-only'] ? [] : annotated(brief, googleAnnotation, email)
  }
}

/** What `--role` and `--on` ask for, made sure of. */
function wantedGrant({ flags }: BindBrief): { readonly role: string; readonly resource: string } {
  const [role = '', resource = ''] = [flags.role, flags.on]
  if (!roleName.test(role)) throw usage(`--role ${role}: a role such as roles/storage.objectViewer`)
  if (sweeping.has(role)) throw usage(`--role ${role}: a basic role reaches everything there; name one of a service`)
  if (!resourceName.test(resource)) throw usage(`--on ${resource}: projects/ID or buckets/NAME`)
  return { role, resource }
}

export const bindGoogleDirect: Intent = async (brief) => {
  const { flags, ask, namespace, name } = brief
  const { role, resource } = wantedGrant(brief)
  const account = await accountSeen(brief)
  const annotation = textAt(account, 'metadata', 'annotations', googleAnnotation)
  if (annotation !== undefined)
    throw usage(
      `ServiceAccount ${name} acts as ${annotation} (${googleAnnotation}), and grants to itself would go unused: take the annotation off first`,
    )
  const own = flags['cloud-only'] ? [] : await present(brief)
  if (flags['service-account-only']) return own
  const workload = await onGke(brief)
  const project = seenOrEnd(await ask(gcp.project(workload.project)), `the number of project ${workload.project}`)
  const number = textAt(project, 'projectNumber')
  if (number === undefined) throw usage(`the number of project ${workload.project} was not seen`)
  const member = principalOf(number, workload.pool, `ns/${namespace}/sa/${name}`)
  return [...own, ...(await granted(brief, resource, role, { ...workload, number }, member))]
}

export const bindGoogleProvider: Intent = async (brief) => {
  const { flags, ask, namespace, name } = brief
  const named = flags['gcp-provider'] ?? ''
  if (!providerName.test(named))
    throw usage(
      `--gcp-provider ${named}: projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`,
    )
  const own = flags['cloud-only'] ? [] : [...(await present(brief)), ...(await configuration(brief, named))]
  if (flags['service-account-only']) return own
  if (flags.role === undefined && flags.on === undefined) return own
  const { role, resource } = wantedGrant(brief)
  const answer = seenOrEnd(await ask(gcp.provider(named)), `provider ${named}`)
  const provider = answer === undefined ? undefined : readProvider(answer)
  const poolAnswer = await ask(gcp.pool(named.replace(/\/providers\/.*$/, '')))
  const pool = poolAnswer.state === 'known' ? readPool(poolAnswer.value) : undefined
  if (provider === undefined || provider.state === 'DELETED') throw usage(`there is no provider ${named}`)
  if (provider.disabled || pool?.disabled === true) throw usage(`provider ${named} or its pool is disabled`)
  const subject = await subjectAt(brief, provider)
  const member = principalOf(provider.number, provider.pool, subject)
  const workload: Workload = {
    namespace,
    name,
    mapped: { pool: provider.pool, number: provider.number, subject, groups: [], attributes: {} },
  }
  return [...own, ...(await granted(brief, resource, role, workload, member))]
}

/** What the provider maps a token of this ServiceAccount to. Ends the command where it would be refused. */
async function subjectAt({ namespace, name, ofCluster }: BindBrief, provider: Provider): Promise<string> {
  const found = seenOrEnd(await ofCluster(issuer), "the issuer of the cluster's tokens")
  if (found !== undefined && provider.issuer !== found.issuer)
    throw usage(
      `provider ${provider.id} trusts ${provider.issuer ?? 'nobody'}, and the tokens come from ${found.issuer}`,
    )
  const claims: JsonObject = {
    iss: provider.issuer ?? '',
    sub: `system:serviceaccount:${namespace}:${name}`,
    aud: [audiencesOf(provider)[0] ?? ''],
    'kubernetes.io': { namespace, serviceaccount: { name } },
  }
  const { evaluateProvider } = await import('../domain/gcp-cel.ts')
  const { mapped, condition } = evaluateProvider(provider.mapping, provider.condition, claims)
  if (condition?.state === 'value' && condition.value === false)
    throw usage(`provider ${provider.id} admits only while ${provider.condition ?? ''}, which is false for ${name}`)
  const subject = mapped['google.subject']
  if (subject?.state !== 'value' || typeof subject.value !== 'string' || subject.value === '')
    throw usage(`provider ${provider.id} maps no subject that depends on the ServiceAccount alone`)
  return subject.value
}

/** The configuration that Google's libraries read, in a ConfigMap of the ServiceAccount's own; pods mount it by themselves. */
async function configuration({ namespace, name, ask, say }: BindBrief, provider: string): Promise<readonly Action[]> {
  const place = { resource: 'configmaps', namespace, name: `${name}-google-credentials` }
  const held = seenOrEnd(await ask(kubernetes.get('configmaps', namespace, place.name)), `ConfigMap ${place.name}`)
  const mounts = `mount ConfigMap ${place.name}, set GOOGLE_APPLICATION_CREDENTIALS to its credentials.json, and mount a projected token for audience https://iam.googleapis.com/${provider} at /var/run/service-account/token`
  if (held !== undefined) {
    say(`already so: there is a ConfigMap ${place.name}; its pods ${mounts}`)
    return []
  }
  say(`by hand, in the pod template: ${mounts}`)
  const credentials = {
    universe_domain: 'googleapis.com',
    type: 'external_account',
    audience: `//iam.googleapis.com/${provider}`,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: 'https://sts.googleapis.com/v1/token',
    credential_source: { file: '/var/run/service-account/token', format: { type: 'text' } },
  }
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: place.name, namespace },
    data: { 'credentials.json': `${JSON.stringify(credentials, null, 2)}\n` },
  }
  return [
    {
      summary: `Create ConfigMap ${place.name} in namespace ${namespace} with the credential configuration`,
      safety: 'review',
      ...createObject(place, object),
    },
  ]
}
