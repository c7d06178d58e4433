/** Whether the assertion is a well-formed RS256 token within its lifetime. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { type Account, accountOf, advice, podsOf } from '../../domain/advice.ts'
import { azureAudience } from '../../domain/audiences.ts'
import { sh } from '../../domain/shell-words.ts'
import { inWords } from '../../domain/token-times.ts'
import { held } from '../../probes/azure/evidence.ts'
import { ofRefusal, type Refusal, refusals } from '../../probes/azure/refusals.ts'
import { azureUse } from '../../probes/azure/use.ts'
import { clock } from '../../probes/cluster/clock.ts'
import { mintedToken } from '../../probes/workload/minted-token.ts'
import { ownTokens } from '../../probes/workload/own-tokens.ts'

type Data = Account & { readonly observed: string }
const longest = 90_000

const mint = ({ namespace, serviceAccount }: Account): string =>
  sh`kubectl create token ${serviceAccount} -n ${namespace} --audience ${azureAudience}`
const reread = (data: Data): string =>
  advice(
    'Restart what runs as the ServiceAccount as first aid (the command lists the pods); only a client that reads $AZURE_FEDERATED_TOKEN_FILE again for each exchange lasts, as current SDKs do.',
    podsOf(data),
  )
const shorter = (data: Data): string =>
  advice(
    'Send the projected token of the ServiceAccount, whose lifetime is an hour, and which says when it was issued. The command shows how it reads.',
    mint(data),
  )

const time = '([0-9TZ:.+/ APM-]{8,40}?)'
const range = new RegExp(
  `Current time: ${time},? assertion valid from ${time},? expiry time of assertion ${time}(?:[.\\s]|$)`,
)
const moment = (text: string | undefined): number | undefined => {
  const parsed = Date.parse((text ?? '').trim().replace(/[.,]+$/, ''))
  return Number.isNaN(parsed) ? undefined : Math.floor(parsed / 1000)
}

export const check = defineCheck({
  meta: {
    id: 'azure/token-well-formed-and-current',
    title: 'The assertion is a well-formed RS256 token within its lifetime',
    severity: 'error',
    scope: 'service-account',
    cloud: 'azure',
    section: 'Token',
    why: 'Entra takes a JWT as it stands, signed with RS256, with a time of issue, of at most 25 hours, and only within that time.',
    fix: {
      safety: 'review',
      does: 'Restart the owning workload as first aid where an old copy of the token was sent, and have the client read the file again; put the clock, the file or the signing key right by hand.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/693',
      'https://github.com/risingwavelabs/risingwave/issues/17123',
      'https://github.com/Azure/kubelogin/issues/413',
      'https://github.com/microsoft/ebpf-for-windows/pull/2867',
      'https://github.com/MicrosoftDocs/azure-docs/issues/86915',
      'https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: {},
  wants: { ownTokens, mintedToken, refusals, clock },
  after: [],
  covers: ['workload/token-is-for-this-workload', 'workload/token-is-fresh'],
  messages: {
    malformed: ({ observed }: Data) =>
      `the assertion is not a JWT as it stands (${observed}); a trailing newline, an empty file or the wrong file does that`,
    'algorithm-unsupported': ({ observed }: Data) => `the token is signed with ${observed}, expected RS256`,
    'no-issued-at': ({ observed }: Data) =>
      `the token has iat ${observed}; Entra then counts its lifetime from 0 and refuses it`,
    'lifetime-too-long': ({ observed }: Data) => `the token lives ${observed}, Entra accepts at most 25 h`,
    expired: ({ expiry, now }: Data & { expiry: string; now: string }) =>
      `the assertion expired at ${expiry} and was used at ${now}; the application keeps its first token instead of reading AZURE_FEDERATED_TOKEN_FILE again`,
    'not-yet-valid': ({ from, now }: Data & { from: string; now: string }) =>
      `the assertion is valid from ${from}, Entra's clock says ${now}; a clock of the control plane is ahead`,
    'outside-validity': ({ code }: Data & { code: string }) =>
      `Entra says that the assertion is outside its valid time range (AADSTS${code}); the times were not shown`,
  },
  remedies: {
    malformed: (data) =>
      advice(
        'Send the token as it lies in its file, all of it and nothing around it: not its path, without quotes and line ends. The command shows how a sound one reads.',
        mint(data),
      ),
    'algorithm-unsupported': () =>
      advice(
        'Have whoever runs the control plane sign with an RSA key (--service-account-signing-key-file), and publish both keys until the last old token has ended.',
        'kubectl get --raw /openid/v1/jwks',
      ),
    'no-issued-at': shorter,
    'lifetime-too-long': shorter,
    expired: reread,
    'not-yet-valid': () =>
      advice(
        'Put the clock of the control plane nodes right (NTP), and make the pods anew that hold a token from the future.',
        'kubectl get nodes -o wide',
      ),
    'outside-validity': reread,
  },
  judge: ({ want: { ownTokens, mintedToken, refusals, clock }, subject }) => {
    const data: Data = { ...accountOf(subject), observed: '' }
    const all = held(refusals) ?? []
    const of = (code: string): Refusal | undefined => all.find((one) => one.code === code)
    const seen = held(ownTokens)
    const [broken] = seen?.malformed ?? []
    if (broken !== undefined)
      return {
        status: 'fail',
        message: 'malformed',
        data: { ...data, observed: broken.reason },
        evidence: [{ question: ownTokens.from, path: broken.file, observed: broken.reason }],
      }
    const unread = of('50027')
    if (unread !== undefined)
      return {
        status: 'fail',
        message: 'malformed',
        data: { ...data, observed: 'AADSTS50027' },
        evidence: [ofRefusal(unread)],
      }
    const minted = held(mintedToken)
    const token = seen?.tokens.find(({ kind }) => kind !== 'other') ?? minted
    const evidence: Evidence[] = []
    const question = seen?.tokens.includes(token as never) ? ownTokens.from : mintedToken.from
    if (token !== undefined) {
      const { algorithm, issuedAt, expires } = token
      if (algorithm !== undefined && algorithm !== 'RS256')
        return {
          status: 'fail',
          message: 'algorithm-unsupported',
          data: { ...data, observed: algorithm },
          evidence: [{ question, path: 'header.alg', observed: algorithm, expected: 'RS256' }],
        }
      evidence.push({
        question,
        path: 'claims',
        observed: { alg: algorithm ?? null, iat: issuedAt ?? null, exp: expires ?? null },
      })
      if (expires !== undefined && (issuedAt === undefined || issuedAt === 0))
        return {
          status: 'fail',
          message: 'no-issued-at',
          data: { ...data, observed: issuedAt === undefined ? 'none' : '0' },
          evidence,
        }
      if (expires !== undefined && issuedAt !== undefined && expires - issuedAt > longest)
        return {
          status: 'fail',
          message: 'lifetime-too-long',
          data: { ...data, observed: `${Math.round((expires - issuedAt) / 360) / 10} h` },
          evidence,
        }
    }
    const lived = of('70023')
    if (lived !== undefined)
      return /[Tt]oken issued at 0\b/.test(lived.text)
        ? { status: 'fail', message: 'no-issued-at', data: { ...data, observed: '0' }, evidence: [ofRefusal(lived)] }
        : {
            status: 'fail',
            message: 'lifetime-too-long',
            data: { ...data, observed: 'too long' },
            evidence: [ofRefusal(lived)],
          }
    const late = of('700024')
    if (late !== undefined) {
      const [, now, from, end] = range.exec(late.text.replace(/(?:\\[ntr]|\s)+/g, ' ')) ?? []
      const [sent, began, ended] = [moment(now), moment(from), moment(end)]
      const words = { expiry: (end ?? '').trim(), now: (now ?? '').trim(), from: (from ?? '').trim() }
      if (sent !== undefined && ended !== undefined && sent >= ended)
        return { status: 'fail', message: 'expired', data: { ...data, ...words }, evidence: [ofRefusal(late)] }
      if (sent !== undefined && began !== undefined && sent < began)
        return { status: 'fail', message: 'not-yet-valid', data: { ...data, ...words }, evidence: [ofRefusal(late)] }
      return {
        status: 'fail',
        message: 'outside-validity',
        data: { ...data, code: '700024' },
        evidence: [ofRefusal(late)],
      }
    }
    const now = clock.state === 'known' ? Math.floor(clock.value / 1000) : undefined
    if (token?.issuedAt !== undefined && now !== undefined && token.issuedAt > now + 300)
      return {
        status: 'fail',
        message: 'not-yet-valid',
        data: { ...data, from: inWords(token.issuedAt), now: inWords(now) },
        evidence,
      }
    return token === undefined ||
      token.expires === undefined ||
      token.issuedAt === undefined ||
      token.algorithm === undefined
      ? { status: 'undecided', lacks: 'no whole token was seen', lift: mint(data) }
      : { status: 'pass', evidence }
  },
})
