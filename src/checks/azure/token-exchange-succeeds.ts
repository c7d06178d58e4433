/** Whether Entra exchanges the ServiceAccount's token. */
import { defineCheck } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { listCredentials } from '../../domain/azure-advice.ts'
import { elsewhere, noMatch, sentenceOf, unreadIssuer } from '../../domain/azure-errors.ts'
import type { Needed } from '../../domain/azure-match-advice.ts'
import { assertion } from '../../probes/azure/assertion.ts'
import { contradicted } from '../../probes/azure/contradicted.ts'
import { errorsIn, held, ofError, quote, speaking } from '../../probes/azure/evidence.ts'
import { neededOf } from '../../probes/azure/needed.ts'
import { clientReference } from '../../probes/azure/reference.ts'
import { exchange, ofRefusal, type Refusal, refusals } from '../../probes/azure/refusals.ts'
import { azureUse } from '../../probes/azure/use.ts'
import { errorsOfServiceAccount } from '../../probes/workload/observed-errors.ts'

type Data = Needed & { readonly code: string; readonly observed: string; readonly clientId: string }

/** Of whoever writes credentials, not of the workload. */
const ofOperator: ReadonlySet<string> = new Set(['50005'])
const isOfToken = (code: string): boolean => elsewhere.has(code) || code === '53003'
const scopes: ReadonlySet<string> = new Set(['1002012', '70011', '500011'])
const tenant = /The current credential is not configured to acquire tokens for tenant '?([\w.-]{1,100})?/
const slow = /\b429\b|TooManyRequests|throttl/i

export const check = defineCheck({
  meta: {
    id: 'azure/token-exchange-succeeds',
    title: "Entra exchanges the ServiceAccount's token",
    severity: 'error',
    scope: 'service-account',
    cloud: 'azure',
    section: 'Exchange',
    why: 'The exchange is what everything else is for; what Entra answers proves what documents can only suggest.',
    fix: {
      safety: 'manual',
      does: 'Compare issuer, subject and audience of the token with the credentials of the identity, or put right what the code names: scope, tenant or policy.',
    },
    links: [
      'https://github.com/external-secrets/external-secrets/issues/2783',
      'https://github.com/MicrosoftDocs/azure-docs/issues/106441',
      'https://github.com/Azure/azure-workload-identity/issues/1232',
      'https://learn.microsoft.com/azure/aks/workload-identity-overview',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: {},
  wants: { exchange, refusals, assertion, contradicted, clientReference, errorsOfServiceAccount },
  after: [
    'azure/authority-reachable',
    'azure/federated-credential-matches-audience',
    'azure/identity-binding-complete',
    'azure/issuer-publishes-signing-key',
    'azure/token-well-formed-and-current',
  ],
  messages: {
    'entra-found-no-match': ({ issuer, subject, audience }: Data) =>
      `Entra finds no credential for issuer ${issuer}, subject ${subject} and audience ${audience} (AADSTS70021); it does not say which of the three differs`,
    'scope-invalid': ({ observed, code }: Data) =>
      `the application asks for scope ${observed}, expected one that ends in /.default for an existing resource (AADSTS${code})`,
    'tenant-not-allowed': ({ observed }: Data) =>
      `the credential is not configured for tenant ${observed}; add it to additionallyAllowedTenants`,
    'conditional-access': ({ clientId, code }: Data) =>
      `a Conditional Access policy for workload identities blocks ${clientId} (AADSTS${code})`,
    throttled: ({ observed, retryAfter }: Data & { retryAfter: string }) =>
      `Entra throttles the exchange (${observed}); wait ${retryAfter}`,
    'not-taken-up': ({ name, code }: Data) =>
      `credential ${name} matches issuer, subject and audience of the token, and Entra does not go by it (AADSTS${code})`,
    refused: ({ error, code, text }: Data & { error: string; text: string }) =>
      `Entra refuses the exchange: ${[error, code === '' ? '' : `AADSTS${code}`, text].filter((one) => one !== '').join(' ')}`,
  },
  remedies: {
    'entra-found-no-match': (data) =>
      advice(
        'Compare the three values of the token with each credential of the identity, byte for byte: the last slash of the issuer, namespace and name, the audience. A credential of the last minutes may not be taken up yet.',
        listCredentials(data),
      ),
    'scope-invalid': () =>
      advice(
        'Have the application ask for the resource followed by /.default, https://storage.azure.com/.default for one.',
        'az account get-access-token --help',
      ),
    'tenant-not-allowed': ({ observed }) =>
      advice(
        `Add tenant ${observed} to additionallyAllowedTenants of the credential in the application, or give the ServiceAccount the tenant of the identity.`,
        'kubectl get serviceaccounts -A -o yaml',
      ),
    'conditional-access': () =>
      advice(
        'Ask whoever administers Conditional Access to look at the sign-in of the service principal, and to admit it.',
        'az account show',
      ),
    throttled: () =>
      advice(
        'Wait as long as Entra says and keep tokens until they end, instead of asking for one with each call.',
        'az account show',
      ),
    'not-taken-up': (data) =>
      advice(
        'Wait ten minutes and ask again, and change nothing meanwhile: Entra takes minutes for a new credential and keeps a refusal for a while. Where it stays so, delete the credential and write it again with the same three values, by hand.',
        'kubectl wi doctor',
        listCredentials(data),
      ),
    refused: () =>
      advice('Look the code up; Entra says in its text what it does not take.', 'kubectl wi explain AADSTS'),
  },
  judge: ({ want: { exchange, refusals, assertion, contradicted, clientReference, errorsOfServiceAccount } }) => {
    const answer = held(exchange)
    // What a log says of the federated token is over where Entra takes it now; scope and secrets are the application's own.
    const all = (held(refusals) ?? []).filter(({ code }) => answer?.outcome !== 'exchanged' || !isOfToken(code))
    const matching = held(contradicted)?.whole[0]
    const said = held(assertion)
    const data: Data = {
      ...neededOf(said, undefined),
      code: '',
      observed: '',
      clientId: held(clientReference)?.clientId ?? 'the identity',
    }
    const foreign = speaking(errorsIn(errorsOfServiceAccount), tenant)
    const unmatched = all.find(({ code }) => code === '70021')
    if (unmatched !== undefined && matching === undefined)
      return {
        status: 'fail',
        message: 'entra-found-no-match',
        data: { ...data, code: '70021' },
        evidence: [ofRefusal(unmatched)],
      }
    const scope = all.find(({ code }) => scopes.has(code))
    if (scope !== undefined) {
      const observed =
        /scope '?([^\s']{1,200})'? is not valid|resource principal named '?([^\s']{1,200})/
          .exec(scope.text)
          ?.slice(1)
          .find(Boolean) ?? 'that is not valid'
      return {
        status: 'fail',
        message: 'scope-invalid',
        data: { ...data, code: scope.code, observed },
        evidence: [ofRefusal(scope)],
      }
    }
    if (foreign !== undefined)
      return {
        status: 'fail',
        message: 'tenant-not-allowed',
        data: { ...data, observed: tenant.exec(foreign.text)?.[1] ?? 'that it asks for' },
        evidence: [ofError(foreign)],
      }
    const blocked = all.find(({ code }) => code === '53003')
    if (blocked !== undefined)
      return {
        status: 'fail',
        message: 'conditional-access',
        data: { ...data, code: '53003' },
        evidence: [ofRefusal(blocked)],
      }
    if (
      answer?.outcome === 'refused' &&
      (answer.status === 429 || (answer.code === undefined && slow.test(answer.text)))
    )
      return {
        status: 'fail',
        message: 'throttled',
        data: {
          ...data,
          observed: String(answer.status),
          retryAfter: answer.retryAfter === undefined ? 'some seconds' : `${answer.retryAfter} s`,
        },
        evidence: [{ question: exchange.from, path: 'status', observed: answer.status }],
      }
    const refusedBy = (one: Refusal) => {
      const { code, text } = one
      const error = /"error" ?: ?"([a-z_]{3,40})"|\b(invalid_[a-z]{3,20}|unauthorized_client|access_denied)\b/.exec(
        text,
      )
      const said = code === '' ? quote(text) : sentenceOf(text, code)
      const more = { code, error: error?.[1] ?? error?.[2] ?? '', text: said }
      return { status: 'fail', message: 'refused', data: { ...data, ...more }, evidence: [ofRefusal(one)] } as const
    }
    const other = all.find(({ code, text }) => !elsewhere.has(code) && (code !== '' || text !== ''))
    if (other !== undefined) return refusedBy(other)
    if (answer?.outcome === 'exchanged') {
      const { clientId, objectId, tenantId, library } = answer
      const who = Object.entries({ clientId, objectId, tenantId, library }).flatMap(([path, observed]) =>
        observed === undefined ? [] : [{ question: exchange.from, path, observed }],
      )
      return { status: 'pass', evidence: [{ question: exchange.from, path: 'outcome', observed: 'exchanged' }, ...who] }
    }
    // Nothing that comes before has failed: what was seen does not explain why.
    const left = all.find(({ code }) => !ofOperator.has(code))
    if (left !== undefined) {
      const isNow = left.place === 'exchange'
      const evidence = [ofRefusal(left)]
      if (isNow && matching !== undefined && noMatch.has(left.code))
        return {
          status: 'fail',
          message: 'not-taken-up',
          data: {
            ...data,
            ...neededOf(held(assertion), held(contradicted)?.credentials, matching.name),
            code: left.code,
          },
          evidence,
        }
      if (isNow && !unreadIssuer.has(left.code)) return refusedBy(left)
      return {
        status: 'undecided',
        lacks: isNow
          ? `Entra could not read the issuer when it was asked (AADSTS${left.code})`
          : `Entra refused the token (AADSTS${left.code}), what was seen does not show why, and no exchange was seen since`,
        lift: 'run kubectl wi doctor against the cluster',
        evidence,
      }
    }
    return exchange.state === 'absent'
      ? { status: 'not-applicable', reason: 'no client id is named that a token could be exchanged for' }
      : { status: 'undecided', lacks: 'no exchange was seen', lift: 'run kubectl wi doctor against the cluster' }
  },
})
