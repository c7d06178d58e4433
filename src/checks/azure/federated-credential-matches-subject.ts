/** Whether a credential for this issuer names the token's subject. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { type Credential, isSubject, nearestSubject, operators } from '../../domain/azure-credentials.ts'
import { noMatch } from '../../domain/azure-errors.ts'
import { addOne, chooseOne, type Needed, rewriteOne } from '../../domain/azure-match-advice.ts'
import { assertion } from '../../probes/azure/assertion.ts'
import { credentials } from '../../probes/azure/credentials.ts'
import { held } from '../../probes/azure/evidence.ts'
import { match } from '../../probes/azure/match.ts'
import { neededOf, onOther, ownerUnseen } from '../../probes/azure/needed.ts'
import { ofRefusal, refusals } from '../../probes/azure/refusals.ts'
import { azureUse } from '../../probes/azure/use.ts'

type Data = Needed & { readonly observed: string; readonly expected: string }

const inCase = /The subject matches with case-insensitive comparison, but not with case-sensitive comparison/

export const check = defineCheck({
  meta: {
    id: 'azure/federated-credential-matches-subject',
    title: "A credential for this issuer names the token's subject",
    severity: 'error',
    scope: 'service-account',
    cloud: 'azure',
    section: 'Credentials',
    why: 'The subject is system:serviceaccount:NAMESPACE:NAME of whoever exchanges the token, compared byte for byte and without wildcards; an operator exchanges its own.',
    fix: {
      safety: 'review',
      does: 'Add one credential for the exact subject under this issuer, or rewrite one that differs in case or form only. Never write "*", never widen to a namespace, never take away a subject that another workload uses.',
    },
    links: [
      'https://github.com/Azure/AKS/issues/4228',
      'https://github.com/Azure/azure-workload-identity/issues/1200',
      'https://github.com/Azure/login/issues/515',
      'https://github.com/Azure/login/issues/517',
      'https://github.com/kedacore/keda/issues/4219',
      'https://github.com/Azure/AKS/issues/3616',
      'https://github.com/hmcts/sds-flux-config/pull/3646',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: {},
  wants: { match, credentials, assertion, refusals },
  after: ['azure/federated-credential-matches-issuer'],
  messages: {
    'differs-in-case': ({ subject }: Data) =>
      `the token's subject ${subject} matches only when case is ignored; Entra compares case-sensitively`,
    'malformed-subject': ({ name, observed }: Data) =>
      `subject of credential ${name} is "${observed}", expected the form system:serviceaccount:NAMESPACE:NAME without spaces`,
    wildcard: ({ name, observed }: Data) =>
      `subject of credential ${name} is ${observed}; an ordinary credential compares literally, so "*" matches no ServiceAccount`,
    'on-other-identity': ({ name, observed, expected }: Data) =>
      `the matching credential ${name} is on identity ${observed}, the pod asks for ${expected}`,
    'expression-differs': ({ name, observed, expected }: Data) =>
      `claimsMatchingExpression ${observed} of credential ${name} does not admit ${expected}`,
    operator: ({ observed, identity, trusted }: Data & { trusted: string }) =>
      `the token is that of operator ${observed}, the credentials of ${identity} trust ${trusted}; the operator exchanges its own token`,
    'subject-differs': ({ name, observed, expected }: Data) =>
      `credential ${name} trusts ${observed}, the token says ${expected}`,
    'entra-found-no-subject': ({ observed }: Data) =>
      `Entra finds no credential for subject ${observed} on the identity asked for (AADSTS700213); its credentials were not seen`,
  },
  remedies: {
    'differs-in-case': (data) => (data.name === 'CREDENTIAL' ? addOne(data) : rewriteOne(data)),
    'malformed-subject': rewriteOne,
    wildcard: addOne,
    'on-other-identity': chooseOne,
    'expression-differs': addOne,
    operator: addOne,
    'subject-differs': addOne,
    'entra-found-no-subject': addOne,
  },
  judge: ({ want: { match, credentials: seen, assertion, refusals } }) => {
    if (match.state === 'absent')
      return { status: 'not-applicable', reason: 'the pods go by an identity binding, or nothing binds them to Azure' }
    const said = held(assertion)
    const all = held(refusals) ?? []
    const refused = all.find(
      ({ code, text }) => code === '700213' || /found for presented assertion subject/.test(text),
    )
    const cased = all.find(({ code, text }) => code === '7002138' || inCase.test(text))
    const matched = held(match)
    if (matched === undefined) {
      const base = neededOf(said, undefined)
      if (cased !== undefined)
        return {
          status: 'fail',
          message: 'differs-in-case',
          data: { ...base, observed: base.subject, expected: base.subject },
          evidence: [ofRefusal(cased)],
        }
      const fitting = held(seen)?.own.find((one) => one.subject === said?.subject?.value)
      if (fitting !== undefined)
        return {
          status: 'undecided',
          lacks: `credential ${fitting.name} names the subject; the issuer of the token was not seen`,
          lift: 'kubectl get --raw /.well-known/openid-configuration',
        }
      if (refused !== undefined)
        return {
          status: 'fail',
          message: 'entra-found-no-subject',
          data: { ...base, observed: said?.subject?.value ?? 'of the token', expected: '' },
          evidence: [ofRefusal(refused)],
        }
      return { status: 'undecided', lacks: 'the token, or the credentials of the identity, were not seen' }
    }
    const { credentials, byIssuer, bySubject, open } = matched
    const told = [refused, cased].flatMap((one) => (one === undefined ? [] : [ofRefusal(one)]))
    const subject = matched.assertion.subject?.value
    if (subject === undefined) return { status: 'undecided', lacks: 'nothing shows the subject of the token' }
    const see = (one: Credential): Evidence => ({
      question: match.from,
      path: `credentials["${one.name}"].${one.subject === undefined ? 'expression' : 'subject'}`,
      observed: one.subject ?? one.expression ?? null,
      expected: subject,
      words: { observed: 'credential', expected: 'token' },
    })
    const dataOf = (one: Credential, observed: string): Data => ({
      ...neededOf(matched.assertion, credentials, one.name),
      observed,
      expected: subject,
    })
    const [first] = byIssuer
    if (first === undefined)
      return credentials.complete
        ? { status: 'not-applicable', reason: 'no credential of the identity names the issuer of the token' }
        : { status: 'undecided', lacks: `not all credentials of ${credentials.identity} were seen` }
    if (bySubject[0] !== undefined)
      return ownerUnseen(credentials) ?? { status: 'pass', evidence: bySubject.slice(0, 5).map(see) }
    // One that is not in the list may be the one that matches, where Entra has not said that none does.
    const unseen = {
      status: 'undecided',
      lacks: `not all credentials of ${credentials.identity} were seen`,
      evidence: byIssuer.slice(0, 5).map(see),
    } as const
    if (!credentials.complete && !all.some(({ code }) => noMatch.has(code))) return unseen
    const cousin = byIssuer.find((one) => one.subject?.toLowerCase() === subject.toLowerCase())
    if (cousin !== undefined)
      return {
        status: 'fail',
        message: 'differs-in-case',
        data: dataOf(cousin, cousin.subject ?? ''),
        evidence: [see(cousin), ...told],
      }
    const bent = byIssuer.find(
      ({ subject: own }) =>
        own !== undefined &&
        !own.includes('*') &&
        !isSubject(own) &&
        own.replace(/\s+/g, '').toLowerCase().includes(subject.split(':').slice(2).join(':').toLowerCase()),
    )
    if (bent !== undefined)
      return {
        status: 'fail',
        message: 'malformed-subject',
        data: dataOf(bent, bent.subject ?? ''),
        evidence: [see(bent), ...told],
      }
    const other = onOther(matched, match.from, told)
    if (other !== undefined) return { status: 'fail', message: 'on-other-identity', ...other }
    if (open.length > 0)
      return {
        status: 'undecided',
        lacks: `the expression of credential ${open[0]?.name} could not be evaluated`,
        evidence: open.slice(0, 5).map(see),
      }
    // Of the subject Entra itself says that no credential has it, whether all were shown or not.
    if (!credentials.complete && refused === undefined) return unseen
    const starred = byIssuer.find((one) => one.subject?.includes('*'))
    if (starred !== undefined)
      return {
        status: 'fail',
        message: 'wildcard',
        data: dataOf(starred, starred.subject ?? ''),
        evidence: [see(starred), ...told],
      }
    const expression = byIssuer.find((one) => one.expression !== undefined)
    if (expression !== undefined && byIssuer.every((one) => one.subject === undefined))
      return {
        status: 'fail',
        message: 'expression-differs',
        data: dataOf(expression, expression.expression ?? ''),
        evidence: [see(expression), ...told],
      }
    const nearest = nearestSubject(byIssuer, subject) ?? first
    if (operators.has(subject))
      return {
        status: 'fail',
        message: 'operator',
        data: {
          ...dataOf(nearest, subject),
          trusted: byIssuer
            .slice(0, 5)
            .map((one) => one.subject ?? one.expression ?? '')
            .join(', '),
        },
        evidence: [see(nearest), ...told],
      }
    return {
      status: 'fail',
      message: 'subject-differs',
      data: dataOf(nearest, nearest.subject ?? nearest.expression ?? ''),
      evidence: [see(nearest), ...told],
    }
  },
})
