/** Whether the account in which the role lives knows the issuer of the cluster's tokens. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { type Account, accountOf, advice, podsOf } from '../../domain/advice.ts'
import { partitionOfHost } from '../../domain/arn.ts'
import { awsAudience } from '../../domain/audiences.ts'
import { isCommonIssuer } from '../../domain/aws-federated.ts'
import { hostOf, hostPathOf, parseProviderArn } from '../../domain/aws-trust-provider.ts'
import { issuerIn, parseIssuer } from '../../domain/issuer-url.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofAnswer } from '../../probes/aws/evidence.ts'
import { type Answer, stsAnswers } from '../../probes/aws/exchange.ts'
import { registration } from '../../probes/aws/registration.ts'
import { isWebIdentity, roleReference } from '../../probes/aws/role-reference.ts'

const notSeen = 'ISSUER_URL'
/** An issuer that can be registered; people mask what they paste, and an id of crosses is nobody's. */
const urlOf = (issuer: string): string =>
  parseIssuer(issuer)?.scheme === 'https' && !/x{3,}|\*{2,}|\.{3}|[<>…]/i.test(issuer) ? issuer : notSeen

const create = (issuer: string): string =>
  sh`aws iam create-open-id-connect-provider --url ${urlOf(issuer)} --client-id-list ${awsAudience}`

const registerIn = (where: string, issuer: string, rest = ''): string =>
  urlOf(issuer) === notSeen
    ? advice(
        `Register the issuer of the tokens (${notSeen}: "issuer" in what the first command prints) with credentials of ${where}${rest}.`,
        'kubectl get --raw /.well-known/openid-configuration',
        create(issuer),
      )
    : advice(`Register the issuer with credentials of ${where}${rest}.`, create(issuer))

const reports = ({ text }: Answer): boolean => /No OpenIDConnect provider found/i.test(text)
type OtherPartition = Account & { readonly endpoint: string; readonly observed: string; readonly expected: string }

/** STS hosts that a text names. */
const endpointIn = (text: string): string | undefined =>
  /\bsts(?:\.[a-z0-9-]{1,40})?\.amazonaws\.com(?:\.cn)?\b/.exec(text)?.[0]

export const check = defineCheck({
  meta: {
    id: 'aws/oidc-provider-registered',
    title: "The role's account has an IAM OIDC provider for the issuer",
    severity: 'error',
    scope: 'service-account',
    cloud: 'aws',
    section: 'Trust',
    why: 'STS looks the issuer up in the account of the role, byte for byte, before it reads the trust policy.',
    fix: {
      safety: 'review',
      does: "Create the provider in the role's account: aws iam create-open-id-connect-provider --url ISSUER --client-id-list sts.amazonaws.com. One that exists counts as done, and its client ids are judged next; other providers stay as they are.",
    },
    links: [
      'https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/1226',
      'https://github.com/aws-samples/aws-secret-sidecar-injector/issues/30',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/24',
      'https://github.com/aws/containers-roadmap/issues/1579',
      'https://github.com/aws/aws-sdk-js-v3/issues/5083',
      'https://github.com/treeverse/dvc.org/pull/5273',
    ],
  },
  only: { probe: roleReference, otherwise: 'the ServiceAccount names no role' },
  needs: {},
  wants: { roleReference, registration, stsAnswers },
  after: ['aws/role-arn-valid', 'cluster/issuer-is-public', 'cluster/tokens-carry-the-published-issuer'],
  messages: {
    'case-differs': ({ registered, issuer }: { registered: string; issuer: string; account: string }) =>
      `provider ${registered} and issuer ${issuer} differ in case, and case counts`,
    'other-account': ({ issuer, found, account }: { issuer: string; found: string; account: string }) =>
      `the provider for ${issuer} is registered in account ${found}; the role lives in ${account}, and it is looked up there`,
    'former-issuer': ({ registered, issuer, account }: { registered: string; issuer: string; account: string }) =>
      `the role trusts the provider ${registered}, but tokens now come from ${issuer}, which account ${account} does not have`,
    'other-partition': ({ endpoint, observed, expected }: OtherPartition) =>
      `${endpoint} is of partition ${observed}; issuer and role are of ${expected}`,
    missing: ({ account, issuer }: { account: string; issuer: string }) =>
      `account ${account} has no IAM OIDC provider for ${issuer}`,
    'reported-missing': ({ issuer }: { issuer: string; where: string }) =>
      `STS found no provider for ${issuer} in the account of the role, and none was seen`,
  },
  remedies: {
    'case-differs': ({ issuer, account }) =>
      registerIn(`account ${account}`, issuer, ', spelt as the tokens spell it, beside the other one'),
    'other-account': ({ issuer, account }) =>
      registerIn(`account ${account}`, issuer, ', where the role lives; the other registration may stay'),
    'former-issuer': ({ issuer, account }) =>
      registerIn(
        `account ${account}`,
        issuer,
        ', then let the trust policy of the role name the new provider; the former may serve another cluster and stays',
      ),
    'other-partition': (data) =>
      advice(
        `Have the workload call STS in a region of partition ${data.expected}: set AWS_REGION in its pod template, and have the webhook add the regional endpoint for the pods that are made next.`,
        sh`kubectl annotate serviceaccount/${data.serviceAccount} -n ${data.namespace} eks.amazonaws.com/sts-regional-endpoints=true --overwrite`,
        podsOf(data),
      ),
    missing: ({ issuer, account }) => registerIn(`account ${account}`, issuer),
    'reported-missing': ({ issuer, where }) => registerIn(where, issuer),
  },
  judge: ({ want: { roleReference, registration, stsAnswers }, subject }) => {
    if (roleReference.state === 'absent' || (roleReference.state === 'known' && !isWebIdentity(roleReference.value)))
      return { status: 'not-applicable', reason: 'no role is bound by web identity' }
    const answers = stsAnswers.state === 'known' && !stsAnswers.value.exchanged ? stsAnswers.value.answers : []
    const reported = answers.find(reports)
    const told: readonly Evidence[] = reported === undefined ? [] : [ofAnswer(reported)]
    if (registration.state !== 'known') {
      if (reported === undefined) return { status: 'undecided', lacks: 'the providers of the account were not seen' }
      const issuer = issuerIn(reported.text) ?? 'an issuer that was not collected'
      const named = roleReference.state === 'known' ? roleReference.value.arn?.account : undefined
      const where = named === undefined ? "the role's account" : `account ${named}, which is the role's`
      return { status: 'fail', message: 'reported-missing', data: { issuer, where }, evidence: told }
    }
    const { account, partition, issuer, issuerFrom, arn, state, listed, elsewhere, trusted, refused, from } =
      registration.value
    const seen: Evidence = {
      question: from,
      path: 'OpenIDConnectProviderList',
      observed: [...listed],
      expected: arn,
      words: { observed: 'lists', expected: 'needs' },
    }
    const evidence: readonly Evidence[] = [seen, { question: issuerFrom, path: 'issuer', observed: issuer }, ...told]
    const endpoint = reported === undefined ? undefined : endpointIn(reported.text)
    const observed = endpoint === undefined ? undefined : partitionOfHost(endpoint)
    const ofIssuer = partitionOfHost(hostOf(hostPathOf(issuer))) ?? partition
    const otherPartition =
      endpoint !== undefined && observed !== undefined && observed !== partition && ofIssuer === partition
    // STS has just said that it is not there; the provider that it was asked about may be another cluster's.
    const gone = state === 'missing' || (state === 'not-seen' && reported !== undefined && isAbout(reported, issuer))
    if (gone) {
      const twin = listed.find((one) => one !== arn && one.toLowerCase() === arn.toLowerCase())
      if (twin !== undefined)
        return { status: 'fail', message: 'case-differs', data: { registered: twin, issuer, account }, evidence }
      if (elsewhere !== undefined)
        return { status: 'fail', message: 'other-account', data: { issuer, found: elsewhere, account }, evidence }
      const former = trusted.find(
        (one) => listed.includes(one) && !isCommonIssuer(parseProviderArn(one)?.hostPath ?? ''),
      )
      if (former !== undefined && former !== arn)
        return { status: 'fail', message: 'former-issuer', data: { registered: former, issuer, account }, evidence }
    }
    if (otherPartition && endpoint !== undefined && observed !== undefined)
      return {
        status: 'fail',
        message: 'other-partition',
        data: { ...accountOf(subject), endpoint, observed, expected: partition },
        evidence,
      }
    if (state === 'missing') return { status: 'fail', message: 'missing', data: { account, issuer }, evidence }
    // The token that STS refused was of another issuer than the one that was seen: of another cluster, or of a former key.
    if (refused !== undefined && !refused.registered)
      return {
        status: 'fail',
        message: 'reported-missing',
        data: { issuer: refused.issuer, where: `account ${account}, which is the role's` },
        evidence,
      }
    if (state === 'registered' && reported !== undefined)
      return {
        status: 'undecided',
        lacks: `the account has a provider for ${refused?.issuer ?? issuer}, and yet STS found none: it is newer than that answer, or the region of the STS endpoint is not active in the account`,
        lift: 'run kubectl wi doctor against the cluster',
        evidence,
      }
    if (state === 'registered') return { status: 'pass', evidence: [seen] }
    if (reported !== undefined)
      return {
        status: 'fail',
        message: 'reported-missing',
        data: { issuer: issuerIn(reported.text) ?? issuer, where: `account ${account}, which is the role's` },
        evidence: told,
      }
    const { unseen } = registration.value
    return {
      status: 'undecided',
      lacks: unseen?.detail ?? `whether account ${account} has a provider for ${issuer} was not seen`,
      lift: unseen?.lift ?? `aws iam list-open-id-connect-providers (account ${account})`,
    }
  },
})

const isAbout = ({ text }: Answer, issuer: string): boolean => {
  const quoted = issuerIn(text)
  return quoted === undefined || hostPathOf(quoted) === hostPathOf(issuer)
}
