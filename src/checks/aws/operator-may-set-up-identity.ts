/** Whether the person who sets identity up may do so. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { issuerIn } from '../../domain/issuer-url.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { setUpRefused, setUpSimulated } from '../../probes/aws/set-up.ts'
import { observedErrors } from '../../probes/cluster/observed-errors.ts'

const serviceOfPodIdentity = 'pods.eks.amazonaws.com'
/** In the place of an issuer that the text does not name. */
const somewhere = 'the issuer'

export const check = defineCheck({
  meta: {
    id: 'aws/operator-may-set-up-identity',
    title: 'The person setting up identity may do so',
    severity: 'error',
    scope: 'cluster',
    cloud: 'aws',
    section: 'Set-up',
    why: 'An association or a provider that could not be created leaves the workload without identity, and the text stands in the log of the set-up only.',
    fix: {
      safety: 'manual',
      does: 'Ask the administrator of the account for the one statement that is shown (iam:PassRole on the one role, for pods.eks.amazonaws.com only), or create the provider without tags.',
    },
    links: [
      'https://github.com/aws-samples/appmod-blueprints/pull/816',
      'https://github.com/aws-ia/terraform-aws-eks-blueprints/issues/902',
    ],
  },
  needs: {},
  wants: { observedErrors, setUpRefused, setUpSimulated },
  after: [],
  messages: {
    'pass-role-denied': ({ caller, role }: { caller: string; role: string }) =>
      `${caller} may not pass role ${role} to ${serviceOfPodIdentity}, which creating the association takes`,
    'tag-provider-denied': ({ caller }: { caller: string }) =>
      `${caller} may not tag the OIDC provider (iam:TagOpenIDConnectProvider)`,
    'issuer-unreachable-for-iam': ({ issuer }: { issuer: string; host: string }) =>
      `IAM could not fetch the certificate of ${issuer} while creating the provider`,
  },
  remedies: {
    'pass-role-denied': ({ caller, role }) =>
      advice(
        `Ask the administrator of the account to allow ${caller} this, and nothing wider: ${JSON.stringify({
          Effect: 'Allow',
          Action: 'iam:PassRole',
          Resource: role.startsWith('arn:') ? role : `arn:aws:iam::ACCOUNT:role/${role}`,
          Condition: { StringEquals: { 'iam:PassedToService': serviceOfPodIdentity } },
        })}.`,
        'aws sts get-caller-identity',
      ),
    'tag-provider-denied': ({ caller }) =>
      advice(
        `Create the provider without tags, or ask the administrator of the account to allow ${caller} the action iam:TagOpenIDConnectProvider on it.`,
        'aws sts get-caller-identity',
      ),
    'issuer-unreachable-for-iam': ({ issuer, host }) =>
      advice(
        `Make ${issuer} answer on port 443 from the internet, with a certificate, before the provider is created (IAM has to fetch it${host === 'HOST' ? '; HOST is that of the issuer' : ''}).`,
        sh`curl ${`https://${host}/.well-known/openid-configuration`}`,
      ),
  },
  judge: ({ want: { observedErrors, setUpRefused, setUpSimulated } }) => {
    if (setUpRefused.state === 'known') {
      const { who, action, resource = 'ROLE', error } = setUpRefused.value
      const evidence: readonly Evidence[] = [ofError(error)]
      if (action === 'iam:PassRole')
        return { status: 'fail', message: 'pass-role-denied', data: { caller: who, role: resource }, evidence }
      if (action === 'iam:TagOpenIDConnectProvider')
        return { status: 'fail', message: 'tag-provider-denied', data: { caller: who }, evidence }
    }
    const errors = observedErrors.state === 'known' ? observedErrors.value : []
    const unreached = errors.find(({ text }) => text.includes('OpenIdIdpCommunicationError'))
    if (unreached !== undefined) {
      const issuer = issuerIn(unreached.text) ?? somewhere
      const host = /^https:\/\/([^/\s]+)/.exec(issuer)?.[1] ?? 'HOST'
      return {
        status: 'fail',
        message: 'issuer-unreachable-for-iam',
        data: { issuer, host },
        evidence: [ofError(unreached)],
      }
    }
    if (setUpRefused.state !== 'known')
      return { status: 'not-applicable', reason: 'no refused call of a set-up was seen' }
    const { who, action, error } = setUpRefused.value
    const evidence: readonly Evidence[] = [ofError(error)]
    if (setUpSimulated.state === 'known' && setUpSimulated.value === 'allowed')
      return {
        status: 'pass',
        evidence: [
          ...evidence,
          { question: setUpSimulated.from, path: 'EvaluationResults[0].EvalDecision', observed: setUpSimulated.value },
        ],
      }
    return {
      status: 'undecided',
      lacks: `${who} was refused ${action}; whether that is still so was not seen`,
      lift: 'aws iam simulate-principal-policy --policy-source-arn CALLER_ARN --action-names ACTION',
      evidence,
    }
  },
})
