/** Whether the account in which the role lives knows the issuer of the cluster's tokens. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { partitionOfHost } from '../../domain/arn.ts'
import { isCommonIssuer } from '../../domain/aws-federated.ts'
import { hostOf, hostPathOf, parseProviderArn } from '../../domain/aws-trust-provider.ts'
import { issuerIn } from '../../domain/issuer-url.ts'
import { ofAnswer } from '../../probes/aws/evidence.ts'
import { type Answer, stsAnswers } from '../../probes/aws/exchange.ts'
import { registration } from '../../probes/aws/registration.ts'
import { isWebIdentity, roleReference } from '../../probes/aws/role-reference.ts'

const reports = ({ text }: Answer): boolean => /No OpenIDConnect provider found/i.test(text)
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
      does: "aws iam create-open-id-connect-provider --url ISSUER --client-id-list sts.amazonaws.com in the role's account (an existing one counts as done, then its client ids are judged); never deletes or changes another provider",
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
  needs: {},
  wants: { roleReference, registration, stsAnswers },
  after: ['aws/role-arn-valid', 'cluster/issuer-is-public', 'cluster/tokens-carry-the-published-issuer'],
  messages: {
    'case-differs': ({ registered, issuer }: { registered: string; issuer: string }) =>
      `provider ${registered} and issuer ${issuer} differ in case, and case counts`,
    'other-account': ({ issuer, found, account }: { issuer: string; found: string; account: string }) =>
      `the provider for ${issuer} is registered in account ${found}; the role lives in ${account}, and it is looked up there`,
    'former-issuer': ({ registered, issuer, account }: { registered: string; issuer: string; account: string }) =>
      `the role trusts the provider ${registered}, but tokens now come from ${issuer}, which account ${account} does not have`,
    'other-partition': ({ endpoint, observed, expected }: { endpoint: string; observed: string; expected: string }) =>
      `${endpoint} is of partition ${observed}; issuer and role are of ${expected}`,
    missing: ({ account, issuer }: { account: string; issuer: string }) =>
      `account ${account} has no IAM OIDC provider for ${issuer}`,
    'reported-missing': ({ issuer }: { issuer: string }) =>
      `STS found no provider for ${issuer} in the account of the role, and none was seen`,
  },
  judge: ({ want: { roleReference, registration, stsAnswers } }) => {
    if (roleReference.state === 'absent' || (roleReference.state === 'known' && !isWebIdentity(roleReference.value)))
      return { status: 'not-applicable', reason: 'no role is bound by web identity' }
    const answers = stsAnswers.state === 'known' && !stsAnswers.value.exchanged ? stsAnswers.value.answers : []
    const reported = answers.find(reports)
    const told: readonly Evidence[] = reported === undefined ? [] : [ofAnswer(reported)]
    if (registration.state !== 'known') {
      if (reported === undefined) return { status: 'undecided', lacks: 'the providers of the account were not seen' }
      const issuer = issuerIn(reported.text) ?? 'an issuer that was not collected'
      return { status: 'fail', message: 'reported-missing', data: { issuer }, evidence: told }
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
        return { status: 'fail', message: 'case-differs', data: { registered: twin, issuer }, evidence }
      if (elsewhere !== undefined)
        return { status: 'fail', message: 'other-account', data: { issuer, found: elsewhere, account }, evidence }
      const former = trusted.find(
        (one) => listed.includes(one) && !isCommonIssuer(parseProviderArn(one)?.hostPath ?? ''),
      )
      if (former !== undefined && former !== arn)
        return { status: 'fail', message: 'former-issuer', data: { registered: former, issuer, account }, evidence }
    }
    if (otherPartition && endpoint !== undefined && observed !== undefined)
      return { status: 'fail', message: 'other-partition', data: { endpoint, observed, expected: partition }, evidence }
    if (state === 'missing') return { status: 'fail', message: 'missing', data: { account, issuer }, evidence }
    // The token that STS refused was of another issuer than the one that was seen: of another cluster, or of a former one.
    if (refused !== undefined && !refused.registered)
      return { status: 'fail', message: 'reported-missing', data: { issuer: refused.issuer }, evidence }
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
        data: { issuer: issuerIn(reported.text) ?? issuer },
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
