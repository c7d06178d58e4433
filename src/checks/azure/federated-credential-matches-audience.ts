/** Whether the credential for this issuer and subject names the token's audience. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { azureAudience, bindingAudience } from '../../domain/audiences.ts'
import { type Credential, onlyCloudSuffix } from '../../domain/azure-credentials.ts'
import { addOne, type Needed, rewriteOne } from '../../domain/azure-match-advice.ts'
import { assertion } from '../../probes/azure/assertion.ts'
import { type Credentials, credentials } from '../../probes/azure/credentials.ts'
import { held } from '../../probes/azure/evidence.ts'
import { match } from '../../probes/azure/match.ts'
import { neededOf, ownerUnseen } from '../../probes/azure/needed.ts'
import { ofRefusal, refusals } from '../../probes/azure/refusals.ts'
import { azureUse } from '../../probes/azure/use.ts'

type Data = Needed & { readonly observed: string; readonly expected: string }

const ofApi = /^https?:\/\/|\.svc(?:\.|$)/

export const check = defineCheck({
  meta: {
    id: 'azure/federated-credential-matches-audience',
    title: "The credential for this issuer and subject names the token's audience",
    severity: 'error',
    scope: 'service-account',
    cloud: 'azure',
    section: 'Credentials',
    why: 'The webhook projects the plain audience in every cloud; a credential with another one, or the token of the API server, does not match.',
    fix: {
      safety: 'review',
      does: "Set the audience of the one credential to that of the token. Never change the audience that pods project; have the application send the projected token instead of the API server's.",
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/1675',
      'https://github.com/hashicorp/terraform-provider-azuread/issues/1755',
      'https://github.com/Azure/login/issues/452',
      'https://github.com/Azure/azure-sdk-for-js/blob/main/sdk/identity/identity/TROUBLESHOOTING.md',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: {},
  wants: { match, assertion, refusals, credentials },
  after: ['azure/federated-credential-matches-subject'],
  messages: {
    'api-token-sent': ({ observed, expected }: Data) =>
      `the application sends the API server's token (audience ${observed}), expected one for ${expected}`,
    'cloud-suffix': ({ name, observed, expected }: Data) =>
      `audience of credential ${name} is ${observed}, the token carries ${expected}; they differ only in the cloud suffix, and the webhook projects the plain value in every cloud`,
    'audience-differs': ({ name, observed, expected }: Data) =>
      `audience of credential ${name} is ${observed}, the token carries ${expected}`,
    'entra-found-no-audience': ({ observed }: Data) =>
      `Entra finds no credential for audience ${observed} on the identity asked for (AADSTS700212); its credentials were not seen`,
  },
  remedies: {
    'api-token-sent': () =>
      advice(
        'Have the application read the file that AZURE_FEDERATED_TOKEN_FILE names as the webhook sets it, not the token below /var/run/secrets/kubernetes.io/serviceaccount; take the variable out of the manifest where it stands there.',
        'kubectl get pods -A -l azure.workload.identity/use=true -o yaml',
      ),
    'cloud-suffix': rewriteOne,
    'audience-differs': rewriteOne,
    'entra-found-no-audience': addOne,
  },
  judge: ({ want: { match, assertion, refusals, credentials: seen } }) => {
    if (match.state === 'absent')
      return { status: 'not-applicable', reason: 'the pods go by an identity binding, or nothing binds them to Azure' }
    const said = held(assertion)
    const refused = (held(refusals) ?? []).find(
      ({ code, text }) =>
        (code === '700212' || /found for presented assertion audience/.test(text)) && !text.includes(bindingAudience),
    )
    const told = refused === undefined ? [] : [ofRefusal(refused)]
    const audience = said?.audience
    const isApi = said?.apiToken === true || (audience !== undefined && ofApi.test(audience.value))
    const matched = held(match)
    const base = neededOf(said, matched?.credentials)
    if (isApi)
      return {
        status: 'fail',
        message: 'api-token-sent',
        data: { ...base, observed: audience?.value ?? 'of the API server', expected: azureAudience },
        evidence: [
          ...(audience === undefined
            ? [
                {
                  question: assertion.from,
                  path: 'env["AZURE_FEDERATED_TOKEN_FILE"]',
                  observed: 'below /var/run/secrets/kubernetes.io/serviceaccount',
                },
              ]
            : [{ question: audience.from, path: audience.path, observed: audience.value, expected: azureAudience }]),
          ...told,
        ],
      }
    const see = (one: Credential, expected: string): Evidence => ({
      question: match.from,
      path: `credentials["${one.name}"].audiences[0]`,
      observed: one.audiences[0] ?? null,
      expected,
      words: { observed: 'credential', expected: 'token' },
    })
    const differs = (one: Credential, all: Credentials | undefined, expected: string) => {
      const observed = one.audiences[0] ?? 'none'
      return {
        status: 'fail',
        message: onlyCloudSuffix(observed, expected) ? 'cloud-suffix' : 'audience-differs',
        data: { ...neededOf(said, all, one.name), observed, expected },
        evidence: [see(one, expected), ...told],
      } as const
    }
    // Entra quotes the audience alone, and has found issuer and subject: where no credential that was shown has that audience, they are what it found.
    const own = held(seen)?.own ?? []
    const meant = own.find((one) => one.subject === said?.subject?.value) ?? own[0]
    if (
      refused !== undefined &&
      meant !== undefined &&
      audience !== undefined &&
      matched?.bySubject[0] === undefined &&
      own.every(({ audiences }) => audiences[0] !== audience.value)
    )
      return differs(meant, held(seen), audience.value)
    if (matched === undefined)
      return refused === undefined
        ? { status: 'undecided', lacks: 'the token, or the credentials of the identity, were not seen' }
        : {
            status: 'fail',
            message: 'entra-found-no-audience',
            data: { ...base, observed: audience?.value ?? 'of the token', expected: '' },
            evidence: told,
          }
    if (audience === undefined) return { status: 'undecided', lacks: 'nothing shows the audience of the token' }
    const { bySubject, whole, credentials: listed } = matched
    if (whole[0] !== undefined)
      return (
        ownerUnseen(listed) ?? { status: 'pass', evidence: whole.slice(0, 5).map((one) => see(one, audience.value)) }
      )
    const [first] = bySubject
    if (first === undefined)
      return listed.complete
        ? { status: 'not-applicable', reason: 'no credential names issuer and subject of the token' }
        : { status: 'undecided', lacks: `not all credentials of ${listed.identity} were seen` }
    return differs(first, listed, audience.value)
  },
})
