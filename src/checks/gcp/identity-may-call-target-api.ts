/** The identity may call the API that the workload uses. */
import { defineCheck } from '../../core/check.ts'
import { admits } from '../../domain/gcp-members.ts'
import { type Grant, grantsOf, nameOfResource } from '../../domain/gcp-policies.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { evidenceOf, heardFor, ofHeard } from '../../probes/gcp/heard.ts'
import { googleReach } from '../../probes/gcp/targets.ts'

const quotaProject = 'iam.gke.io/credential-quota-project'

export const check = defineCheck({
  meta: {
    id: 'gcp/identity-may-call-target-api',
    title: 'The identity may call the API that the workload uses',
    severity: 'error',
    scope: 'service-account',
    cloud: 'gcp',
    section: 'Access',
    why: 'A token says who calls; whether that one may is decided by the project and the scopes of the token.',
    fix: {
      safety: 'review',
      does: 'Have the owner of the target choose the role that it needs; set GOOGLE_CLOUD_PROJECT or the scope in the workload where that is what is amiss.',
    },
    links: [
      'https://github.com/GoogleCloudPlatform/kubernetes-engine-samples/issues/10',
      'https://github.com/vmware-tanzu/velero-plugin-for-gcp/issues/101',
      'https://github.com/vmware-tanzu/velero/issues/4776',
      'https://github.com/googleapis/google-auth-library-nodejs',
      'https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity',
    ],
  },
  only: { probe: googleReach, otherwise: 'the ServiceAccount is bound to no identity of Google' },
  needs: { googleReach },
  wants: {},
  after: ['gcp/node-runs-metadata-server', 'gcp/service-account-admits-workload'],
  messages: {
    'permission-denied': say('{identity} lacks {permission} on {resource}'),
    'role-in-other-project': say('{identity} holds {role} in project {granted}; {resource} is in project {actual}'),
    'scope-too-narrow': say(
      'the token has scopes {observed}; {api} needs https://www.googleapis.com/auth/cloud-platform',
    ),
    'quota-project-refused': say(
      'annotation iam.gke.io/credential-quota-project names {project}, where {identity} lacks roles/serviceusage.serviceUsageConsumer',
    ),
    'project-not-readable': say(
      'the client cannot find out its project: GOOGLE_CLOUD_PROJECT is unset and {identity} lacks resourcemanager.projects.get on {project}',
    ),
    'account-may-not-sign': say(
      '{account} lacks iam.serviceAccounts.signBlob on itself; roles/iam.workloadIdentityUser does not hold it, expected roles/iam.serviceAccountTokenCreator on {account}',
    ),
  },
  remedies: {
    'permission-denied': advise(
      'Ask the owner of {resource} for a role that has {permission}; which one is theirs to choose.',
      'gcloud iam roles list --filter=includedPermissions:{permission}',
    ),
    'role-in-other-project': advise(
      'Ask the owner of project {actual} for {role} there; the grant in {granted} does not reach it.',
      'gcloud projects get-iam-policy {actual}',
    ),
    'scope-too-narrow': advise(
      'Ask for https://www.googleapis.com/auth/cloud-platform in the configuration of the client; roles decide what it may do.',
    ),
    'quota-project-refused': advise(
      'Ask the owner of project {project} for roles/serviceusage.serviceUsageConsumer, or take the annotation away.',
      'kubectl annotate serviceaccount/{serviceAccount} -n {namespace} iam.gke.io/credential-quota-project-',
    ),
    'project-not-readable': advise(
      'Set GOOGLE_CLOUD_PROJECT in the pod template, so that the client has not to ask for it.',
      'kubectl get pods -n {namespace} -o yaml',
    ),
    'account-may-not-sign': advise(
      'Grant the account roles/iam.serviceAccountTokenCreator on itself, if it is meant to sign.',
      'gcloud iam service-accounts add-iam-policy-binding {account} --role=roles/iam.serviceAccountTokenCreator --member={member}',
    ),
  },
  judge: ({ have, subject }) => {
    if (have.googleReach.state === 'absent')
      return { status: 'not-applicable', reason: 'the ServiceAccount is bound to no identity of Google' }
    const { google, projectPolicies } = have.googleReach.value
    const { heard, email, workload, account, pods } = google
    const texts = heardFor(heard, 'gcp/identity-may-call-target-api')
    const identity =
      email ??
      (workload === undefined ? 'the identity' : `the direct identity of ${workload.namespace}/${workload.name}`)
    /** Undefined where something that was not seen decides. */
    const isOwn = ({ member }: Grant): boolean | undefined =>
      email === undefined ? workload !== undefined && admits(member, workload) : member === `serviceAccount:${email}`
    const told = projectPolicies.flatMap(grantsOf).filter((grant) => isOwn(grant) !== false)
    const grants = told.filter((grant) => isOwn(grant) === true)
    const place = {
      namespace: subject.namespace ?? '',
      serviceAccount: subject.kind === 'ServiceAccount' ? subject.name : '',
      identity,
      account: email ?? '',
      member: email === undefined ? 'MEMBER' : `serviceAccount:${email}`,
    }
    for (const text of texts) {
      const evidence = [ofHeard(text)]
      const resource = text.values.resource ?? 'the resource of the request'
      const data = { ...place, resource, permission: '', ...text.values }
      switch (text.message) {
        case 'permission-denied': {
          const actual = /projects\/([^/\s]+)/.exec(resource)?.[1]
          const elsewhere = grants.find((grant) => nameOfResource(grant.resource) !== actual)
          const there = told.some((grant) => nameOfResource(grant.resource) === actual)
          if (
            actual !== undefined &&
            elsewhere !== undefined &&
            !there &&
            projectPolicies.some((one) => nameOfResource(one.resource) === actual)
          )
            return {
              status: 'fail',
              message: 'role-in-other-project',
              data: { ...data, role: elsewhere.role, granted: nameOfResource(elsewhere.resource), actual },
              evidence: [...evidence, evidenceOf(have.googleReach.from, elsewhere.resource, elsewhere.role)],
            }
          return { status: 'fail', message: 'permission-denied', data, evidence }
        }
        case 'scope-too-narrow':
          return {
            status: 'fail',
            message: 'scope-too-narrow',
            data: { ...data, observed: 'too narrow for the call', api: 'the API' },
            evidence,
          }
        case 'quota-project-refused': {
          const named = account?.annotations[quotaProject]
          const project = text.values.project ?? text.values.other
          if (named === undefined && account !== undefined) continue
          return {
            status: 'fail',
            message: 'quota-project-refused',
            data: { ...data, project: named ?? project ?? '' },
            evidence,
          }
        }
        case 'project-not-readable': {
          const isSet =
            pods.length > 0 &&
            pods.every(({ containers }) => containers.some(({ env }) => 'GOOGLE_CLOUD_PROJECT' in env))
          if (isSet) continue
          return {
            status: 'fail',
            message: 'project-not-readable',
            data: { ...data, project: 'its project' },
            evidence,
          }
        }
        case 'account-may-not-sign':
          if (email === undefined && text.values.account === undefined && account !== undefined) continue
          return {
            status: 'fail',
            message: 'account-may-not-sign',
            data: {
              ...data,
              account: email ?? text.values.account ?? 'the account',
              member: `serviceAccount:${email ?? text.values.account ?? 'EMAIL'}`,
            },
            evidence,
          }
      }
    }
    if (texts.length > 0) return { status: 'not-applicable', reason: 'what was refused has another cause' }
    return grants.some(({ role }) => !role.startsWith('roles/iam.'))
      ? {
          status: 'pass',
          evidence: grants.map(({ resource, role, member }) =>
            evidenceOf(have.googleReach.from, `${resource}: ${role}`, member),
          ),
        }
      : { status: 'not-applicable', reason: 'no call of the workload was seen to be refused' }
  },
})
