/** Tokens carry the issuer that is published and federated. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import type { Fact, Question } from '../../core/fact.ts'
import { textAt } from '../../core/json.ts'
import { advice } from '../../domain/advice.ts'
import { discoveryUrl, isManagedIssuer, likeness, parseIssuer } from '../../domain/issuer-url.ts'
import { sh } from '../../domain/shell-words.ts'
import { acceptedIssuers, formerIssuers, serverVersion } from '../../probes/cluster/accepted-issuers.ts'
import { federation } from '../../probes/cluster/federation.ts'
import { documentOf } from '../../probes/cluster/fetched.ts'
import { issuer } from '../../probes/cluster/issuer.ts'
import { observedErrors } from '../../probes/cluster/observed-errors.ts'
import { collectedDocuments, publishedDiscovery } from '../../probes/cluster/published.ts'
import { awsProviders, azureCredentials, googleProviders } from '../../probes/cluster/registrations.ts'
import type { Listed } from '../../probes/lists.ts'

type Federated = { readonly cloud: string; readonly where: string; readonly issuer: string; readonly from: Question }

const told = <T extends { readonly issuer: string }>(
  fact: Fact<Listed<T>>,
  cloud: string,
  where: string,
): readonly Federated[] =>
  fact.state === 'known' ? fact.value.items.map(({ issuer }) => ({ cloud, where, issuer, from: fact.from })) : []

/** Google's own words for a discovery document that names another issuer. */
const documentDiffers = /`?issuer`? claim in OIDC discovery document does not match/
const notCollected = 'not collected'

const flags = (first: string, second: string): string =>
  `--service-account-issuer=${first} first and --service-account-issuer=${second} second`
const untilEnded =
  'The second has to stay until the last token that carries it has ended: 24 hours for those of the EKS webhook, else what the volumes ask for.'

/** Several issuers are accepted from 1.22: https://github.com/kubernetes/kubernetes/pull/101155 */
const takesOneIssuer = (version: string): boolean => {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? []
  return major === '1' && Number(minor) < 22
}

export const check = defineCheck({
  meta: {
    id: 'cluster/tokens-carry-the-published-issuer',
    title: 'Tokens carry the issuer that is published and federated',
    severity: 'error',
    scope: 'cluster',
    cloud: 'any',
    section: 'Issuer',
    why: 'Clouds compare the issuer in the token byte by byte with the one that is published and registered; another spelling of the same address is another issuer.',
    fix: {
      safety: 'manual',
      does: 'Give kube-apiserver the federated issuer first and the former one second, and keep the former until the last living token that carries it has ended. Registering another issuer in a cloud is that cloud’s fix, not this one.',
    },
    links: [
      'https://github.com/siderolabs/talos/issues/13210',
      'https://github.com/kubernetes/kubernetes/issues/107031',
      'https://github.com/kubernetes/website/pull/31236',
      'https://github.com/Azure/azure-workload-identity/issues/1700',
    ],
  },
  needs: {},
  wants: {
    federation,
    issuer,
    acceptedIssuers,
    formerIssuers,
    publishedDiscovery,
    collectedDocuments,
    awsProviders,
    googleProviders,
    azureCredentials,
    serverVersion,
    observedErrors,
  },
  after: ['cluster/token-flags-fit-together'],
  messages: {
    'federated-issuer-not-first': ({ cloud, federated, first }: { cloud: string; federated: string; first: string }) =>
      `${cloud} knows issuer ${federated}, but kube-apiserver signs with its first --service-account-issuer, ${first}`,
    'last-slash-differs': ({ token, where, other }: { token: string; where: string; other: string }) =>
      `tokens say ${token}, ${where} says ${other}: the same but for the last "/", and clouds compare exactly`,
    'overlap-impossible': ({ former, current, version }: { former: string; current: string; version: string }) =>
      `the issuer changed from ${former} to ${current} on ${version}, which accepts one issuer only (several from 1.22)`,
    'former-issuer-dropped': ({ former, accepted }: { former: string; accepted: string }) =>
      `tokens in use were minted by ${former}; kube-apiserver now accepts only ${accepted}`,
    'discovery-names-another-issuer': ({ url, discovery, token }: { url: string; discovery: string; token: string }) =>
      `the discovery document at ${url} says issuer ${discovery}, tokens say ${token}`,
  },
  remedies: {
    'federated-issuer-not-first': ({ federated, first }) =>
      advice(
        `Have whoever runs the control plane give kube-apiserver ${flags(federated, first)}, then restart the workloads, so that they get new tokens. ${untilEnded}`,
      ),
    'last-slash-differs': ({ token, where, other }) =>
      advice(
        `Let ${where} say ${token}, exactly as tokens do. Where that cannot be changed, have whoever runs the control plane give kube-apiserver ${flags(other, token)}.`,
      ),
    'overlap-impossible': ({ former, current, version }) =>
      advice(
        `Restart every workload that holds a token of ${former}, so that it gets one of ${current}; on ${version} the two cannot overlap. Before the next change of the issuer, upgrade to 1.22 or later.`,
      ),
    'former-issuer-dropped': ({ former, accepted }) =>
      advice(
        `Have whoever runs the control plane give kube-apiserver --service-account-issuer=${former} again, behind ${accepted === notCollected ? 'the present one' : accepted}. It has to stay until the last token that carries it has ended; restart workloads to make that sooner.`,
      ),
    'discovery-names-another-issuer': ({ url, token }) =>
      advice(
        `Publish ${url.startsWith('(') ? "at the issuer's address" : `at ${url}`} the document that the API server itself has, with "issuer" ${token === notCollected ? 'exactly as tokens carry it' : token}; its jwks_uri has to stay one that anyone can fetch.`,
        'kubectl get --raw /.well-known/openid-configuration > openid-configuration',
      ),
  },
  judge: ({ want }) => {
    const accepted = want.acceptedIssuers.state === 'known' ? want.acceptedIssuers.value : []
    const seen = want.issuer.state === 'known' ? want.issuer.value : undefined
    // A published copy says what is published; what tokens say has to come from elsewhere.
    const token = accepted[0] ?? (seen?.via === 'discovery' ? undefined : seen?.issuer)
    const tokenFrom = accepted[0] === undefined ? want.issuer.from : want.acceptedIssuers.from
    const evidence: Evidence[] =
      token === undefined ? [] : [{ question: tokenFrom, path: 'iss', observed: token, expected: token }]
    const federated = [
      ...told(want.awsProviders, 'AWS', 'the IAM OIDC provider'),
      ...told(want.googleProviders, 'Google', 'the workload identity pool provider'),
      ...told(want.azureCredentials, 'Microsoft Entra', 'the federated identity credential'),
    ]
    const settled = (cloud: string): boolean => federated.some((one) => one.cloud === cloud && one.issuer === token)
    const open = federated.filter(({ cloud }) => !settled(cloud))

    const second = open.find((one) => accepted.slice(1).includes(one.issuer))
    if (second !== undefined && token !== undefined)
      return {
        status: 'fail',
        message: 'federated-issuer-not-first',
        data: { cloud: second.cloud, federated: second.issuer, first: token },
        evidence: [...evidence, { question: second.from, path: 'issuer', observed: second.issuer, expected: token }],
      }

    const published: readonly { issuer: string; url: string; from: Question }[] = [
      ...(want.publishedDiscovery.state === 'known'
        ? [
            { fact: want.publishedDiscovery, issuer: textAt(documentOf(want.publishedDiscovery.value), 'issuer') },
          ].flatMap(({ fact, issuer }) =>
            issuer === undefined ? [] : [{ issuer, url: fact.value.url, from: fact.from }],
          )
        : []),
      ...(want.collectedDocuments.state === 'known'
        ? want.collectedDocuments.value.map((one) => ({
            issuer: one.issuer,
            url: one.url ?? discoveryUrl(one.issuer),
            from: want.collectedDocuments.from,
          }))
        : []),
    ]
    const right = published.some(({ issuer }) => issuer === token)
    if (token !== undefined) {
      const slashed = [
        ...open.map(({ where, issuer, from }) => ({ where, issuer, from })),
        ...(right ? [] : published.map(({ issuer, from }) => ({ where: 'the discovery document', issuer, from }))),
      ].find(({ issuer }) => likeness(issuer, token) === 'last-slash')
      if (slashed !== undefined)
        return {
          status: 'fail',
          message: 'last-slash-differs',
          data: { token, where: slashed.where, other: slashed.issuer },
          evidence: [
            ...evidence,
            { question: slashed.from, path: 'issuer', observed: slashed.issuer, expected: token },
          ],
        }
    }

    const formerOnes = want.formerIssuers.state === 'known' ? want.formerIssuers.value : []
    const former = formerOnes.find((one) => !accepted.includes(one))
    const refused =
      want.observedErrors.state === 'known' &&
      want.observedErrors.value.some(({ fragment }) => fragment.startsWith('token issuer'))
    if (former !== undefined && (accepted.length > 0 || refused)) {
      const more: Evidence = {
        question: want.formerIssuers.from,
        path: 'iss',
        observed: former,
        expected: token ?? notCollected,
      }
      const version = want.serverVersion.state === 'known' ? want.serverVersion.value : undefined
      if (version !== undefined && takesOneIssuer(version) && token !== undefined)
        return {
          status: 'fail',
          message: 'overlap-impossible',
          data: { former, current: token, version },
          evidence: [...evidence, more, { question: want.serverVersion.from, path: 'gitVersion', observed: version }],
        }
      return {
        status: 'fail',
        message: 'former-issuer-dropped',
        data: { former, accepted: accepted.length > 0 ? accepted.join(', ') : (token ?? notCollected) },
        evidence: [...evidence, more],
      }
    }

    const other = right ? undefined : published[0]
    // A managed issuer always names itself: the document is that of another cluster than the token.
    if (token !== undefined && other !== undefined && isManagedIssuer(parseIssuer(other.issuer)?.host ?? ''))
      return {
        status: 'undecided',
        lacks: `tokens say ${token}, and the discovery document that was collected is that of ${other.issuer}: they are of two clusters`,
        lift: sh`curl ${discoveryUrl(token)} > discovery.json`,
        evidence: [...evidence, { question: other.from, path: 'issuer', observed: other.issuer, expected: token }],
      }
    if (token !== undefined && other !== undefined)
      return {
        status: 'fail',
        message: 'discovery-names-another-issuer',
        data: { url: other.url, discovery: other.issuer, token },
        evidence: [...evidence, { question: other.from, path: 'issuer', observed: other.issuer, expected: token }],
      }
    const said =
      want.observedErrors.state === 'known'
        ? want.observedErrors.value.find(({ text }) => documentDiffers.test(text))
        : undefined
    if (said !== undefined && !right)
      return {
        status: 'fail',
        message: 'discovery-names-another-issuer',
        data: { url: `(${notCollected})`, discovery: notCollected, token: token ?? notCollected },
        evidence: [...evidence, { question: want.observedErrors.from, path: said.place, observed: said.text }],
      }
    if (want.federation.state === 'absent')
      return { status: 'not-applicable', reason: 'no workload exchanges its token by issuer' }
    if (token === undefined && want.issuer.state === 'known')
      return {
        status: 'undecided',
        lacks: 'the issuer that tokens carry was not seen, only the one that is published',
        lift: 'kubectl create token SERVICEACCOUNT',
        evidence,
      }
    return { status: 'pass', evidence }
  },
})
