/** Whether the IAM OIDC provider lists the audience that the ServiceAccount's tokens are made for. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { type Account, accountOf, advice, podsOf } from '../../domain/advice.ts'
import { awsAudience, isUsualAudience } from '../../domain/audiences.ts'
import { isMisspeltAudience, speaksOfSts } from '../../domain/client-ids.ts'
import { sh } from '../../domain/shell-words.ts'
import { audience } from '../../probes/aws/audience.ts'
import { ofAnswer } from '../../probes/aws/evidence.ts'
import { stsAnswers } from '../../probes/aws/exchange.ts'
import { oidcProvider } from '../../probes/aws/registration.ts'

/** `arn`: of the provider. */
type Listed = { readonly listed: string; readonly arn: string }

const unseenArn = 'PROVIDER_ARN'
const addClientId = (arn: string, audience: string): string =>
  sh`aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn ${arn} --client-id ${audience}`
const add = (arn: string, audience: string): string =>
  advice(`Add client id ${audience} to the provider; those that it lists may stay.`, addClientId(arn, audience))

export const check = defineCheck({
  meta: {
    id: 'aws/oidc-provider-accepts-audience',
    title: "The IAM OIDC provider lists the token's audience",
    severity: 'error',
    scope: 'service-account',
    cloud: 'aws',
    section: 'Trust',
    why: 'STS refuses every token whose audience is not, letter for letter, a client id of the provider.',
    fix: {
      safety: 'review',
      does: "Add the token's audience with aws iam add-client-id-to-open-id-connect-provider (adding twice does no harm); never remove a client id.",
    },
    links: [
      'https://github.com/awslabs/amazon-eks-irsa-cfn/pull/18',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/232',
      'https://repost.aws/knowledge-center/eks-troubleshoot-irsa-errors',
    ],
  },
  only: { probe: oidcProvider, otherwise: 'no provider is registered, or none is needed' },
  needs: {},
  wants: { oidcProvider, audience, stsAnswers },
  after: ['aws/oidc-provider-registered'],
  messages: {
    'client-id-misspelt': ({ listed, expected }: Listed & { expected: string }) =>
      `the provider lists client id ${listed}; meant is ${expected}`,
    'case-differs': ({ listed, audience }: Listed & { audience: string }) =>
      `the provider lists ${listed}, the token says ${audience}; case counts`,
    'annotation-asks-other': ({ audience, listed }: Listed & Account & { audience: string }) =>
      `annotation eks.amazonaws.com/audience asks for ${audience}, which the provider does not list (${listed})`,
    'not-listed': ({ audience, listed }: Listed & { audience: string }) =>
      `the token is for ${audience}, the provider lists ${listed}`,
    'reported-rejected': (_: { audience: string }) =>
      'STS rejected the audience of the token; the provider was not seen',
  },
  remedies: {
    'client-id-misspelt': ({ arn, expected }) => add(arn, expected),
    'case-differs': ({ arn, audience }) => add(arn, audience),
    'annotation-asks-other': (data) =>
      data.listed.split(', ').includes(awsAudience)
        ? advice(
            `Unless ${data.audience} is meant, take the annotation off, so that pods made anew get a token for ${awsAudience}, which the provider lists. If it is meant, add it to the provider as a client id.`,
            sh`kubectl annotate serviceaccount/${data.serviceAccount} -n ${data.namespace} eks.amazonaws.com/audience-`,
            podsOf(data),
          )
        : add(data.arn, data.audience),
    'not-listed': ({ arn, audience }) => add(arn, audience),
    'reported-rejected': ({ audience }) =>
      advice(
        `See which client ids the issuer's provider in the role's account lists, and add the token's audience if it is not among them (${unseenArn}: one of the list).`,
        'aws iam list-open-id-connect-providers',
        sh`aws iam get-open-id-connect-provider --open-id-connect-provider-arn ${unseenArn}`,
        addClientId(unseenArn, audience),
      ),
  },
  judge: ({ want: { oidcProvider, audience, stsAnswers }, subject }) => {
    const answers = stsAnswers.state === 'known' && !stsAnswers.value.exchanged ? stsAnswers.value.answers : []
    const rejected = answers.find(({ text }) => text.includes('Incorrect token audience'))
    const told: readonly Evidence[] = rejected === undefined ? [] : [ofAnswer(rejected)]
    const asked = audience.state === 'known' ? audience.value : undefined
    if (oidcProvider.state === 'absent')
      return { status: 'not-applicable', reason: 'no provider is registered, or none is needed' }
    // What the pods ask for by themselves is theirs to put right: workload/token-volume-asks-for-the-audience.
    if (oidcProvider.state === 'unknown' && asked?.via === 'pod' && !isUsualAudience(asked.audience))
      return { status: 'undecided', lacks: `whether the provider lists ${asked.audience} was not seen`, evidence: told }
    if (oidcProvider.state === 'unknown')
      return rejected === undefined
        ? { status: 'undecided', lacks: 'the provider was not seen' }
        : {
            status: 'fail',
            message: 'reported-rejected',
            data: { audience: asked?.audience ?? awsAudience },
            evidence: told,
          }
    if (asked === undefined && rejected === undefined)
      return { status: 'undecided', lacks: 'the audience of the token was not seen' }
    const token = asked?.audience ?? awsAudience
    const { clientIds, assumed } = oidcProvider.value
    const listed = clientIds.join(', ') || 'no client id'
    const named = oidcProvider.from.input.OpenIDConnectProviderArn
    const arn = typeof named === 'string' ? named : unseenArn
    const evidence: readonly Evidence[] = [
      {
        question: oidcProvider.from,
        path: 'ClientIDList',
        observed: [...clientIds],
        expected: token,
        words: { observed: 'lists', expected: 'the token says' },
      },
      ...told,
    ]
    if (clientIds.includes(token)) {
      if (rejected !== undefined)
        return {
          status: 'undecided',
          lacks: `the provider lists ${token}, and yet STS refused the audience of a token: the pod may present another one`,
          lift: 'kubectl get pods -o yaml',
          evidence,
        }
      return assumed
        ? {
            status: 'undecided',
            lacks: "whether this provider is the one of the cluster's issuer was not seen",
            evidence,
          }
        : { status: 'pass', evidence }
    }
    const misspelt = token === awsAudience ? clientIds.find(isMisspeltAudience) : undefined
    if (misspelt !== undefined)
      return {
        status: 'fail',
        message: 'client-id-misspelt',
        data: { listed: misspelt, expected: token, arn },
        evidence,
      }
    const folded = clientIds.find((one) => one.toLowerCase() === token.toLowerCase())
    if (folded !== undefined)
      return { status: 'fail', message: 'case-differs', data: { listed: folded, audience: token, arn }, evidence }
    if (asked?.via === 'annotation')
      return {
        status: 'fail',
        message: 'annotation-asks-other',
        data: { ...accountOf(subject), audience: token, listed, arn },
        evidence,
      }
    const open = asked !== undefined && !asked.certain && rejected === undefined && !clientIds.some(speaksOfSts)
    return open
      ? {
          status: 'undecided',
          lacks: 'somebody runs the webhook himself, and for which audience it asks was not seen',
          lift: 'kubectl get pods -o yaml',
          evidence,
        }
      : { status: 'fail', message: 'not-listed', data: { audience: token, listed, arn }, evidence }
  },
})
