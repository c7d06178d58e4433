/** What is said of who may act as a Google service account, and what is done about it. */
import { advise, say } from './gcp-words.ts'

export const impersonationMessages = {
  'no-binding': say(
    'no member of {account} that holds iam.serviceAccounts.getAccessToken matches {namespace}/{serviceAccount}; expected {member} with roles/iam.workloadIdentityUser',
  ),
  'namespace-differs': say('{account} admits namespace {trusted}; the ServiceAccount lives in {actual}'),
  'name-differs': say('{account} admits ServiceAccount {trusted}; this one is {actual}'),
  'case-differs': say('{account} admits {trusted}; this is {actual}, and Google compares case'),
  'pool-differs': say(
    '{account} admits {namespace}/{serviceAccount} of pool {trusted}; the pool of this cluster is {actual}',
  ),
  'subject-differs': say('{account} admits subject {trusted}; provider {provider} maps this token to {actual}'),
  'attribute-not-mapped': say('member {member} selects by {attribute}, which provider {provider} does not map'),
  'role-lacks-permission': say(
    '{member} holds {role} on {account}, which lacks iam.serviceAccounts.getAccessToken; expected roles/iam.workloadIdentityUser',
  ),
  'granted-to-itself': say(
    'project {project} grants {role} to {account} itself; expected a workload member on the policy of {account}',
  ),
  'on-another-account': say('{member} may impersonate {other}; the annotation names {account}'),
  'condition-excludes': say('the binding of {member} holds only while {expression}, which is false at {time}'),
  'granted-just-now': say('{member} was granted {age} ago; IAM takes up to {limit} to apply it'),
  'denied-although-bound': say(
    'IAM refused {permission} on {account}, yet its policy admits {member}: the pod runs as another ServiceAccount, the grant is newer than the error, or a deny policy applies',
  ),
  denied: say(
    'IAM refused to let the workload act as {account}: {error}; the policy of that account was not collected',
  ),
}

const grantIt = advise(
  'Grant the ServiceAccount as it is today the role on this one account; other members stay.',
  'gcloud iam service-accounts add-iam-policy-binding {account} --role=roles/iam.workloadIdentityUser --member={expected}',
)

export const impersonationRemedies = {
  'no-binding': grantIt,
  'namespace-differs': grantIt,
  'name-differs': grantIt,
  'case-differs': grantIt,
  'pool-differs': grantIt,
  'subject-differs': grantIt,
  'attribute-not-mapped': advise(
    'Have the provider map {attribute}, or grant the subject of this workload.',
    'gcloud iam workload-identity-pools providers describe {provider} --workload-identity-pool={pool} --location=global',
  ),
  'role-lacks-permission': grantIt,
  'granted-to-itself': advise(
    'Grant the workload on the account itself: the grant to the account on the project does nothing here.',
    'gcloud iam service-accounts add-iam-policy-binding {account} --role=roles/iam.workloadIdentityUser --member={expected}',
  ),
  'on-another-account': advise(
    'Annotate the ServiceAccount with {other} if that is the one that is meant, or grant it on {account}.',
    'gcloud iam service-accounts get-iam-policy {account}',
  ),
  'condition-excludes': advise(
    'Ask whoever set the condition whether it is still meant, and have it renewed.',
    'gcloud iam service-accounts get-iam-policy {account} --format=json',
  ),
  'granted-just-now': advise('Wait until the grant is some minutes old and try again.'),
  'denied-although-bound': advise(
    'See which ServiceAccount the pod runs as, when the grant was made, and whether a deny policy holds for it.',
    'kubectl get pods -n {namespace} -o custom-columns=NAME:.metadata.name,SA:.spec.serviceAccountName',
    'gcloud iam service-accounts get-iam-policy {account}',
  ),
  denied: advise(
    'Read the policy of the account that the workload is to act as, and grant it the role where it is not in it.',
    'gcloud iam service-accounts get-iam-policy {account}',
  ),
}
