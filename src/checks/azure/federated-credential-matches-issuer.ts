/** Whether a federated credential of the identity names the token's issuer. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { type Credential, isOtherCluster, nearestTo, onlySlash } from '../../domain/azure-credentials.ts'
import { noMatch } from '../../domain/azure-errors.ts'
import { addOne, chooseOne, type Needed, rewriteOne } from '../../domain/azure-match-advice.ts'
import { isMasked } from '../../domain/issuer-url.ts'
import { assertion } from '../../probes/azure/assertion.ts'
import { held } from '../../probes/azure/evidence.ts'
import { match } from '../../probes/azure/match.ts'
import { neededOf, onOther, ownerUnseen } from '../../probes/azure/needed.ts'
import { ofRefusal, refusals } from '../../probes/azure/refusals.ts'
import { azureUse } from '../../probes/azure/use.ts'
import { acceptedIssuers } from '../../probes/cluster/accepted-issuers.ts'

type Data = Needed & { readonly observed: string; readonly expected: string }

export const check = defineCheck({
  meta: {
    id: 'azure/federated-credential-matches-issuer',
    title: "A federated credential of the identity names the token's issuer",
    severity: 'error',
    scope: 'service-account',
    cloud: 'azure',
    section: 'Credentials',
    why: 'Entra compares the issuer byte for byte: the last slash counts, and a rebuilt cluster has another issuer.',
    fix: {
      safety: 'review',
      does: 'Add one credential for the exact issuer, subject and audience while the identity has fewer than 20, or rewrite the issuer of the one that differs in its last slash only. Never overwrite the issuer of a cluster that may still live, never delete one.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/340',
      'https://github.com/Azure/azure-workload-identity/issues/1200',
      'https://github.com/Azure/azure-workload-identity/issues/1350',
      'https://azure.github.io/azure-workload-identity/docs/troubleshooting.html',
      'https://learn.microsoft.com/azure/aks/use-oidc-issuer',
      'https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: {},
  wants: { match, assertion, acceptedIssuers, refusals },
  after: ['azure/identity-exists-in-tenant', 'azure/token-issuer-public'],
  messages: {
    'none-on-identity': ({ identity, observed, issuer, subject }: Data) =>
      `identity ${identity} has ${observed} federated credentials, expected one for ${issuer} and ${subject}`,
    'trailing-slash': ({ name, observed, expected }: Data) =>
      `credential ${name} says ${observed}, tokens say ${expected}; they differ only in the trailing "/", and Entra compares byte for byte`,
    'no-longer-signs': ({ name, observed, expected }: Data) =>
      `credential ${name} trusts ${observed}, which the API server still accepts but no longer signs with; tokens carry ${expected}`,
    'on-other-identity': ({ name, observed, expected }: Data) =>
      `the matching credential ${name} is on identity ${observed}, the pod asks for ${expected}`,
    'other-cluster': ({ name, observed, expected }: Data) =>
      `credential ${name} says ${observed}, this cluster is ${expected}; the cluster was rebuilt or it is another one`,
    'issuer-differs': ({ identity, expected, observed, name }: Data) =>
      `no credential of ${identity} names issuer ${expected}; the nearest is ${observed} (${name})`,
    'entra-found-no-issuer': ({ observed }: Data) =>
      `Entra finds no credential with issuer ${observed} on the identity asked for (AADSTS700211); its credentials were not seen`,
  },
  remedies: {
    'none-on-identity': addOne,
    'trailing-slash': rewriteOne,
    'no-longer-signs': addOne,
    'on-other-identity': chooseOne,
    'other-cluster': addOne,
    'issuer-differs': addOne,
    'entra-found-no-issuer': addOne,
  },
  judge: ({ want: { match, assertion, acceptedIssuers, refusals } }) => {
    if (match.state === 'absent')
      return { status: 'not-applicable', reason: 'the pods go by an identity binding, or nothing binds them to Azure' }
    const said = held(assertion)
    const refused = (held(refusals) ?? []).find(
      ({ code, text }) => code === '700211' || /found for presented assertion issuer/.test(text),
    )
    const matched = held(match)
    if (matched === undefined) {
      if (refused !== undefined && !/ib\.oic\.prod-aks\.azure\.com/.test(refused.text))
        return {
          status: 'fail',
          message: 'entra-found-no-issuer',
          data: { ...neededOf(said, undefined), observed: said?.issuer?.value ?? 'of the token', expected: '' },
          evidence: [ofRefusal(refused)],
        }
      return {
        status: 'undecided',
        lacks: 'the token, or the credentials of the identity, were not seen',
        lift: 'az identity federated-credential list --identity-name NAME --resource-group GROUP > credentials.json',
      }
    }
    const { credentials, byIssuer } = matched
    const expected = matched.assertion.issuer?.value ?? ''
    const told = refused === undefined ? [] : [ofRefusal(refused)]
    const see = (one: Credential): Evidence => ({
      question: match.from,
      path: `credentials["${one.name}"].issuer`,
      observed: one.issuer,
      expected,
      words: { observed: 'credential', expected: 'token' },
    })
    const dataOf = (one: Credential | undefined, observed: string): Data => ({
      ...neededOf(matched.assertion, credentials, one?.name),
      observed,
      expected,
    })
    if (byIssuer[0] !== undefined)
      return ownerUnseen(credentials) ?? { status: 'pass', evidence: byIssuer.slice(0, 5).map(see) }
    if (isMasked(expected) && credentials.own.every(({ issuer }) => !onlySlash(issuer, expected)))
      return { status: 'undecided', lacks: 'the issuer was hidden in what was collected', evidence: told }
    // One that is not in the list may be the one that matches, where Entra has not said that none does.
    const unseen = {
      status: 'undecided',
      lacks: `not all credentials of ${credentials.identity} were seen`,
      evidence: credentials.own.slice(0, 5).map(see),
    } as const
    const isRefused = (held(refusals) ?? []).some(({ code }) => noMatch.has(code))
    if (!credentials.complete && !isRefused) return unseen
    const slash = credentials.own.find(({ issuer }) => onlySlash(issuer, expected))
    if (slash !== undefined)
      return {
        status: 'fail',
        message: 'trailing-slash',
        data: dataOf(slash, slash.issuer),
        evidence: [see(slash), ...told],
      }
    const other = onOther(matched, match.from, told)
    if (other !== undefined) return { status: 'fail', message: 'on-other-identity', ...other }
    // Of the issuer Entra itself says that no credential has it, whether all were shown or not.
    if (!credentials.complete && (refused === undefined || credentials.own.length === 0)) return unseen
    const accepted = held(acceptedIssuers) ?? []
    const former = credentials.own.find(({ issuer }) => accepted.slice(1).includes(issuer))
    if (former !== undefined)
      return {
        status: 'fail',
        message: 'no-longer-signs',
        data: dataOf(former, former.issuer),
        evidence: [see(former), ...told],
      }
    const nearest = nearestTo(credentials.own, expected, ({ issuer }) => issuer)
    if (nearest === undefined)
      return {
        status: 'fail',
        message: 'none-on-identity',
        data: dataOf(undefined, '0'),
        evidence: [{ question: match.from, path: 'credentials', observed: 0, expected: 1 }, ...told],
      }
    const rebuilt = credentials.own.find(({ issuer }) => isOtherCluster(issuer, expected))
    if (rebuilt !== undefined)
      return {
        status: 'fail',
        message: 'other-cluster',
        data: dataOf(rebuilt, rebuilt.issuer),
        evidence: [see(rebuilt), ...told],
      }
    return {
      status: 'fail',
      message: 'issuer-differs',
      data: dataOf(nearest, nearest.issuer),
      evidence: [see(nearest), ...told],
    }
  },
})
