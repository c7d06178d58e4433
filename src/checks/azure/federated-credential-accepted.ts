/** Whether Azure accepts the federated credential that is to be written. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { unseen } from '../../domain/azure-advice.ts'
import { mostCredentials } from '../../domain/azure-credentials.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError, quote } from '../../probes/azure/evidence.ts'
import { holding, identityIn } from '../../probes/azure/writes.ts'

type Data = { readonly identity: string; readonly group: string; readonly observed: string }

/** https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations#unsupported-regions-user-assigned-managed-identities */
const unsupported = /^(?:malaysiasouth|newzealandnorth)$/
const list = ({ identity, group }: Data): string =>
  sh`az identity federated-credential list --identity-name ${identity} -g ${group}`
const again = (sentence: string) => (data: Data) => advice(sentence, list(data))

export const check = defineCheck({
  meta: {
    id: 'azure/federated-credential-accepted',
    title: 'Azure accepts the federated credential that is to be written',
    severity: 'error',
    scope: 'object',
    kinds: ['ManagedIdentity'],
    cloud: 'azure',
    section: 'Credentials',
    why: 'A credential that was refused is not there, whatever the template or the pipeline says; each refusal has one reason.',
    fix: {
      safety: 'manual',
      does: 'Put the field, the order of the writes, the existing credential or the permission right. No credential is deleted to make room, and no exemption from a policy is written for you.',
    },
    links: [
      'https://github.com/zioproto/istio-aks-example/issues/6',
      'https://github.com/hashicorp/terraform-provider-azurerm/issues/19968',
      'https://github.com/pulumi/pulumi-azure-native/issues/4343',
      'https://github.com/Azure/azure-workload-identity/issues/575',
      'https://github.com/Azure/azure-workload-identity/issues/1172',
      'https://github.com/Azure/azure-functions-ux/pull/7520',
      'https://github.com/Azure/Mission-Critical-Online/pull/744',
      'https://azure.github.io/azure-workload-identity/docs/known-issues.html',
      'https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations',
    ],
  },
  only: { probe: holding, otherwise: 'no credential is missing, and no write of one was refused' },
  needs: { holding },
  wants: {},
  after: [],
  messages: {
    'field-empty': ({ identity, fields }: Data & { fields: string }) =>
      `the credential for ${identity} was sent with empty ${fields}; an empty issuer usually means that the cluster's OIDC issuer is off or not known yet`,
    'audience-count': ({ observed }: Data) =>
      `the credential was sent with ${observed} audiences, expected exactly one`,
    'surrounding-space': ({ observed }: Data) => `issuer or subject "${observed}" has white space around it`,
    'already-exists': ({ name, identity, issuer, subject }: Data & { name: string; issuer: string; subject: string }) =>
      `credential ${name} of ${identity} already has issuer ${issuer} and subject ${subject}; update that one`,
    'limit-reached': ({ identity, observed }: Data) =>
      `identity ${identity} holds ${observed} federated credentials, the most is ${mostCredentials}`,
    'concurrent-writes': ({ identity }: Data) =>
      `several credentials of identity ${identity} were written at once; Azure accepts one at a time`,
    throttled: ({ identity, observed, retryAfter }: Data & { retryAfter: string }) =>
      `writing credentials of ${identity} was throttled (${observed}); wait ${retryAfter}`,
    'region-unsupported': ({ identity, observed }: Data) =>
      `identity ${identity} lives in ${observed}, which supports no federated credentials`,
    'denied-by-policy': ({ policy, issuer }: Data & { policy: string; issuer: string }) =>
      `policy ${policy} denies the credential for issuer ${issuer}`,
    'not-permitted': ({ caller, action, identity }: Data & { caller: string; action: string }) =>
      `${caller} lacks ${action} on ${identity}`,
    'blocked-by-conditional-access': ({ code }: Data & { code: string }) =>
      `the operator's own login is refused by Conditional Access (AADSTS${code}); this is not about the workload`,
  },
  remedies: {
    'field-empty': () =>
      advice(
        'Enable the OIDC issuer of the cluster first, and let the credential depend on it, so that its issuer is known when it is written; in Terraform oidc_issuer_enabled on the cluster and azurerm 3.40 or later.',
        'az aks show -g GROUP -n CLUSTER --query oidcIssuerProfile',
      ),
    'audience-count': again('Send exactly one audience, api://AzureADTokenExchange.'),
    'surrounding-space': again(
      'Take the white space away, mostly a line end from the command that printed the value, and write the credential anew.',
    ),
    'already-exists': again(
      'Update the credential that is there instead of adding another one with the same issuer and subject.',
    ),
    'limit-reached': ({ identity }) =>
      advice(
        `Give the workload an identity of its own, with the roles that it needs; leave to whoever owns ${identity} which of its credentials nobody needs any more.`,
        'az identity list --query "[].{name:name,clientId:clientId}"',
      ),
    'concurrent-writes': again(
      'Write the credentials of one identity one after the other: depends_on in Terraform, @batchSize(1) in Bicep, azurerm 3.40 or later; then run it again.',
    ),
    throttled: again('Wait as long as Azure says and write again, one credential in four seconds.'),
    'region-unsupported': () =>
      advice(
        'Create the identity in another region, which need not be that of the cluster, and give it the roles and the credential.',
        'az identity list --query "[].{name:name,location:location}"',
      ),
    'denied-by-policy': ({ policy }) =>
      advice(
        `Ask whoever owns policy ${policy} to admit the issuer of the cluster, or use an identity that it does not cover.`,
        'az policy assignment list --disable-scope-strict-match',
      ),
    'not-permitted': ({ caller, action }) =>
      advice(
        `Have whoever administers the identity write the credential, or give ${caller} a role with ${action} on it, Managed Identity Contributor for one.`,
        'az account show --query user',
      ),
    'blocked-by-conditional-access': () =>
      advice(
        'Log in from a device and a platform that the policy of your directory admits; the workload has nothing to do with it.',
        'az login',
      ),
  },
  judge: ({ have: { holding } }) => {
    if (holding.state === 'absent') return { status: 'not-applicable', reason: 'no credential is to be written' }
    const { identity, credentials, complete, errors, needed, issuer } = holding.value
    const text = errors.map((one) => one.text).join('\n')
    const group = /\/resourcegroups\/([^/]+)\//i.exec(identity?.id ?? text)?.[1] ?? unseen.group
    const data: Data = {
      identity: identity?.name ?? identityIn(text) ?? unseen.identity,
      group,
      observed: 'not collected',
    }
    const see = (name: string, member: string, observed: string | number): Evidence => ({
      question: holding.from,
      path: `credentials["${name}"].${member}`,
      observed,
    })
    for (const error of errors) {
      const plain = error.text.replace(/\s+/g, ' ')
      const evidence = [ofError(error)]
      const whose = { ...data, identity: identityIn(plain) ?? data.identity }
      const has = (shape: RegExp): boolean => shape.test(plain)
      const lacking = /(?:argument|expected) "(issuer|subject)" (?:is required|to not be an empty)/.exec(plain)?.[1]
      if (
        lacking !== undefined ||
        has(/must specify 'issuer', 'subject' and 'audience'|from HTTP body has empty properties/)
      ) {
        const empty = credentials.find((one) => one.issuer === '' || one.subject === '')
        const fields =
          empty === undefined
            ? (lacking ?? 'issuer, subject or audience')
            : [empty.issuer === '' ? 'issuer' : '', empty.subject === '' ? 'subject' : ''].filter(Boolean).join(' and ')
        return { status: 'fail', message: 'field-empty', data: { ...whose, fields }, evidence }
      }
      if (has(/must have exactly one audience/))
        return {
          status: 'fail',
          message: 'audience-count',
          data: {
            ...whose,
            observed: String(
              credentials.find(({ audiences }) => audiences.length !== 1)?.audiences.length ?? 'none or several',
            ),
          },
          evidence,
        }
      if (has(/already exist|must be unique for the application/i)) {
        const name = /FederatedIdentityCredential with name '?([\w-]{1,120})'? already/.exec(plain)?.[1]
        const there =
          credentials.find((one) => one.name === name) ??
          credentials.find((one) => needed.length === 0 && one.issuer === issuer)
        return {
          status: 'fail',
          message: 'already-exists',
          data: {
            ...whose,
            name: name ?? there?.name ?? 'that is there',
            issuer: there?.issuer ?? /Issuer (https:\/\/\S{1,300}) and Subject/.exec(plain)?.[1] ?? 'that was sent',
            subject: there?.subject ?? /and Subject: (\S{1,300}) already/.exec(plain)?.[1] ?? 'that was sent',
          },
          evidence,
        }
      }
      if (has(/ConcurrentFederatedIdentityCredentialsWrites/))
        return { status: 'fail', message: 'concurrent-writes', data: whose, evidence }
      if (has(/Support for federated identity credentials not enabled/))
        return {
          status: 'fail',
          message: 'region-unsupported',
          data: { ...whose, observed: identity?.location ?? 'a region' },
          evidence,
        }
      if (has(/RequestDisallowedByPolicy/)) {
        const policy =
          /policy(?:Definition|Assignment)(?:DisplayName|Name)"?: ?"?([\w .()-]{3,120}?)(?:["',}]|$)/i.exec(
            plain,
          )?.[1] ?? 'of the subscription'
        return {
          status: 'fail',
          message: 'denied-by-policy',
          data: { ...whose, policy, issuer: issuer ?? 'that was sent' },
          evidence,
        }
      }
      if (has(/AuthorizationFailed|Authorization_RequestDenied|does not have authorization/)) {
        const caller = /client '([^']{1,200})'/.exec(plain)?.[1] ?? 'whoever wrote it'
        const action =
          /perform action '([^']{1,200})'/.exec(plain)?.[1] ??
          (has(/Authorization_RequestDenied/)
            ? 'Application.ReadWrite.OwnedBy'
            : 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write')
        return { status: 'fail', message: 'not-permitted', data: { ...whose, caller, action }, evidence }
      }
      if (has(/AADSTS50005\b/))
        return { status: 'fail', message: 'blocked-by-conditional-access', data: { ...whose, code: '50005' }, evidence }
      if (has(/TooManyRequests|\b429\b|[Tt]oo many requests/)) {
        const wait = /[Rr]etry[- ]?[Aa]fter"?:? ?"?(\d{1,5})/.exec(plain)?.[1]
        return {
          status: 'fail',
          message: 'throttled',
          data: {
            ...whose,
            observed: quote(plain).slice(0, 80),
            retryAfter: wait === undefined ? 'some seconds' : `${wait} s`,
          },
          evidence,
        }
      }
      if (has(/limit|maximum|[Tt]oo many federated/))
        return {
          status: 'fail',
          message: 'limit-reached',
          data: { ...whose, observed: String(mostCredentials) },
          evidence,
        }
    }
    const empty = credentials.find((one) => one.issuer === '' || one.subject === '')
    if (empty !== undefined)
      return {
        status: 'fail',
        message: 'field-empty',
        data: {
          ...data,
          fields: [empty.issuer === '' ? 'issuer' : '', empty.subject === '' ? 'subject' : '']
            .filter(Boolean)
            .join(' and '),
        },
        evidence: [see(empty.name, 'issuer', empty.issuer)],
      }
    const several = credentials.find(({ audiences }) => audiences.length !== 1)
    if (several !== undefined)
      return {
        status: 'fail',
        message: 'audience-count',
        data: { ...data, observed: String(several.audiences.length) },
        evidence: [see(several.name, 'audiences', several.audiences.length)],
      }
    const spaced = credentials.find(
      (one) => one.issuer.trim() !== one.issuer || (one.subject ?? '').trim() !== (one.subject ?? ''),
    )
    if (spaced !== undefined) {
      const value = spaced.issuer.trim() !== spaced.issuer ? spaced.issuer : (spaced.subject ?? '')
      return {
        status: 'fail',
        message: 'surrounding-space',
        data: { ...data, observed: value },
        evidence: [see(spaced.name, 'issuer or subject', value)],
      }
    }
    if (needed.length === 0)
      return { status: 'not-applicable', reason: 'no credential is missing, and no write of one was refused' }
    const counted: Evidence = {
      question: holding.from,
      path: 'credentials',
      observed: credentials.length,
      expected: `at most ${mostCredentials}`,
    }
    if (credentials.length >= mostCredentials)
      return {
        status: 'fail',
        message: 'limit-reached',
        data: { ...data, observed: String(credentials.length) },
        evidence: [counted],
      }
    const region = identity?.location?.toLowerCase().replace(/\s/g, '')
    if (region !== undefined && unsupported.test(region))
      return {
        status: 'fail',
        message: 'region-unsupported',
        data: { ...data, observed: identity?.location ?? '' },
        evidence: [{ question: holding.from, path: 'location', observed: region }],
      }
    return complete
      ? { status: 'pass', evidence: [counted] }
      : {
          status: 'undecided',
          lacks: 'not all credentials of the identity were seen',
          lift: list(data),
          evidence: [counted],
        }
  },
})
