/** Whether Azure has taken up the current credential and role, and reads the issuer steadily. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { addCredential } from '../../domain/azure-advice.ts'
import { noMatch, unreadIssuer } from '../../domain/azure-errors.ts'
import type { Needed } from '../../domain/azure-match-advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { held } from '../../probes/azure/evidence.ts'
import { match } from '../../probes/azure/match.ts'
import { neededOf } from '../../probes/azure/needed.ts'
import { ofRefusal, refusals } from '../../probes/azure/refusals.ts'
import { denied, reaches, readsBlobs, roles } from '../../probes/azure/roles.ts'
import { azureUse } from '../../probes/azure/use.ts'
import { clock } from '../../probes/cluster/clock.ts'
import { documentOf } from '../../probes/cluster/fetched.ts'
import { issuer } from '../../probes/cluster/issuer.ts'
import { publishedDiscovery, publishedKeys } from '../../probes/cluster/published.ts'

type Data = { readonly name: string; readonly age: string; readonly code: string }

const minutes = 60_000
const inWords = (ms: number): string =>
  ms < 120 * minutes ? `${Math.max(1, Math.round(ms / minutes))} min` : `${Math.round(ms / (60 * minutes))} h`
const wait = (): string =>
  advice(
    'Wait ten minutes and try again; change nothing meanwhile, for Entra keeps a refusal for a while.',
    'kubectl wi doctor',
  )

export const check = defineCheck({
  meta: {
    id: 'azure/federation-settled',
    title: 'Azure has taken up the current credential and role, and its issuer reads are steady',
    severity: 'warning',
    scope: 'service-account',
    cloud: 'azure',
    section: 'Exchange',
    why: 'A credential or role of the last minutes is refused although it is right, and whoever changes it then starts the wait anew.',
    fix: {
      safety: 'manual',
      does: 'Wait and try again. Where a credential that matches stays refused, delete it and write it again with the same three values, by hand.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/1200',
      'https://github.com/Azure/azure-workload-identity/issues/642',
      'https://github.com/Azure/AKS/issues/4029',
      'https://learn.microsoft.com/azure/aks/workload-identity-overview',
      'https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: { refusals, denied },
  wants: { match, roles, issuer, publishedDiscovery, publishedKeys, clock },
  after: [],
  messages: {
    'credential-young': ({ name, age }: Data) =>
      `credential ${name} matches and is ${age} old; Entra may need minutes and caches refusals. Wait and retry, change nothing`,
    'credential-stuck': ({ name, age, code }: Data & Needed) =>
      `credential ${name} matches and is ${age} old, yet Entra refuses it (AADSTS${code}); deleting and writing it again has helped`,
    'role-young': ({ name, scope, age }: Data & { scope: string }) =>
      `role ${name} on ${scope} is ${age} old; a 403 can last some minutes`,
    'issuer-reads-unsteady': ({ name, code, observed }: Data & { observed: string }) =>
      `Entra failed to read ${name} (AADSTS${code}), which answers ${observed} now; retry with backoff`,
  },
  remedies: {
    'credential-young': wait,
    'credential-stuck': (data) =>
      advice(
        `Delete credential ${data.name} and write it again with the same three values, if nobody else uses it meanwhile.`,
        data.group === ''
          ? sh`az ad app federated-credential delete --id ${data.identity} --federated-credential-id ${data.name}`
          : sh`az identity federated-credential delete --name ${data.name} --identity-name ${data.identity} -g ${data.group}`,
        addCredential(data, data.name),
      ),
    'role-young': wait,
    'issuer-reads-unsteady': ({ name }) =>
      advice(
        `Have the application try again with growing pauses; where it happens often, see what is slow in front of ${name}.`,
        'kubectl get --raw /.well-known/openid-configuration',
      ),
  },
  judge: ({ have: { refusals, denied }, want: { match, roles, issuer, publishedDiscovery, publishedKeys, clock } }) => {
    const all = held(refusals) ?? []
    const now = held(clock)
    const unread = all.find(({ code }) => unreadIssuer.has(code))
    const discovery = held(publishedDiscovery)
    const keys = held(publishedKeys)
    const named = held(issuer)?.issuer
    const answers =
      discovery !== undefined &&
      keys !== undefined &&
      documentOf(discovery) !== undefined &&
      documentOf(keys) !== undefined
    if (unread !== undefined && answers)
      return {
        status: 'fail',
        message: 'issuer-reads-unsteady',
        data: { name: named ?? 'the issuer', age: '', code: unread.code, observed: '200' },
        evidence: [ofRefusal(unread), { question: publishedDiscovery.from, path: discovery.url, observed: 200 }],
      }
    const refused = all.find(({ code }) => noMatch.has(code))
    const matched = held(match)
    const whole = matched?.whole[0]
    const ageOf = (created: string | undefined): number | undefined => {
      const time = Date.parse(created ?? '')
      return now === undefined || Number.isNaN(time) ? undefined : now - time
    }
    const evidence: Evidence[] = []
    let open: string | undefined
    if (refused !== undefined && whole !== undefined) {
      const age = ageOf(whole.created)
      const seen: readonly Evidence[] = [
        { question: match.from, path: `credentials["${whole.name}"].created`, observed: whole.created ?? null },
        ofRefusal(refused),
      ]
      if (age === undefined) open = `how old credential ${whole.name} is was not seen`
      else if (age < 10 * minutes)
        return {
          status: 'fail',
          message: 'credential-young',
          data: { name: whole.name, age: inWords(age), code: refused.code },
          evidence: seen,
        }
      else if (age > 30 * minutes)
        return {
          status: 'fail',
          message: 'credential-stuck',
          data: {
            ...neededOf(matched?.assertion, matched?.credentials, whole.name),
            age: inWords(age),
            code: refused.code,
          },
          evidence: seen,
        }
      evidence.push(...seen)
    }
    const denial = held(denied)
    const role = held(roles)?.own.find((one) => readsBlobs(one) && reaches(one, denial?.account))
    if (denial?.kind === 'data' && role !== undefined) {
      const age = ageOf(role.created)
      const seen: Evidence = {
        question: roles.from,
        path: `assignments["${role.role}"].createdOn`,
        observed: role.created ?? null,
      }
      if (age === undefined) open ??= `how old role ${role.role} is was not seen`
      else if (age < 10 * minutes)
        return {
          status: 'fail',
          message: 'role-young',
          data: { name: role.role, scope: role.scope, age: inWords(age), code: '' },
          evidence: [seen],
        }
      evidence.push(seen)
    }
    if (open !== undefined) return { status: 'undecided', lacks: open, evidence }
    return evidence.length > 0
      ? { status: 'pass', evidence }
      : { status: 'not-applicable', reason: 'nothing was refused that the documents contradict' }
  },
})
