/** Whether STS is switched on in the region that the workload asks. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { type Account, accountOf, advice, podsOf } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofAnswer } from '../../probes/aws/evidence.ts'
import { exchange } from '../../probes/aws/exchange.ts'
import { roleReference } from '../../probes/aws/role-reference.ts'
import { inactiveRegion, regionAnswer } from '../../probes/aws/sts-region.ts'

type Region = Account & { readonly region: string; readonly account: string }

const somewhere = 'the region asked'
const nobody = 'the account of the role'

const activate = (data: Region): string =>
  advice(
    `Have an administrator of ${data.account === nobody ? data.account : `account ${data.account}`} switch STS on in ${data.region} (IAM console, Account settings, Endpoints; an opt-in region is enabled first), or have the workload ask a region that is on: AWS_REGION in its pod template.`,
    ...(data.region === somewhere
      ? ['aws account list-regions']
      : [sh`aws account get-region-opt-status --region-name ${data.region}`]),
    podsOf(data),
  )

export const check = defineCheck({
  meta: {
    id: 'aws/sts-region-active',
    title: 'STS is active in the region that the workload asks',
    severity: 'error',
    scope: 'service-account',
    cloud: 'aws',
    section: 'Trust',
    why: 'STS in a region that is off for an account knows neither its roles nor its providers.',
    fix: {
      safety: 'manual',
      does: 'Activate the region in the account that owns the role, or have the workload ask another region.',
    },
    links: [
      'https://github.com/fluxcd/source-controller/pull/1552',
      'https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html',
    ],
  },
  needs: {},
  wants: { regionAnswer, inactiveRegion, roleReference, exchange },
  after: ['aws/oidc-provider-registered'],
  messages: {
    'region-disabled': ({ region, account }: Region) =>
      `STS is switched off in ${region} for ${account === nobody ? account : `account ${account}`}`,
    'region-inactive': ({ account, issuer }: Region & { issuer: string }) =>
      `account ${account} has the provider for ${issuer}, yet STS does not find it: STS is not active in the region asked, for the account that owns the role`,
    'global-token-refused': ({ region }: Region) =>
      `${region} is an opt-in region and refuses sessions of the global endpoint (GlobalEndpointTokenVersion 1)`,
  },
  remedies: {
    'region-disabled': activate,
    'region-inactive': activate,
    'global-token-refused': (data) =>
      advice(
        'Have the workload ask the regional endpoint: annotate the ServiceAccount, then restart what runs as it (the last command lists the pods). An administrator of the account can also make sessions of the global endpoint count everywhere.',
        sh`kubectl annotate serviceaccount/${data.serviceAccount} -n ${data.namespace} eks.amazonaws.com/sts-regional-endpoints=true --overwrite`,
        podsOf(data),
      ),
  },
  judge: ({ want: { regionAnswer, inactiveRegion, roleReference, exchange }, subject }) => {
    const arn = roleReference.state === 'known' ? roleReference.value.arn : undefined
    if (regionAnswer.state === 'known') {
      const { kind, region = somewhere, account = arn?.account ?? nobody, answer } = regionAnswer.value
      const data: Region = { ...accountOf(subject), region, account }
      const evidence: readonly Evidence[] = [ofAnswer(answer)]
      if (kind === 'disabled') return { status: 'fail', message: 'region-disabled', data, evidence }
      if (inactiveRegion.state === 'known') {
        const { account: owner, issuer, from } = inactiveRegion.value
        return {
          status: 'fail',
          message: 'region-inactive',
          data: { ...data, account: owner, issuer },
          evidence: [{ question: from, path: 'OpenIDConnectProviderList', observed: issuer }, ...evidence],
        }
      }
      if (kind === 'token-refused') return { status: 'fail', message: 'global-token-refused', data, evidence }
    }
    if (exchange.state === 'known' && exchange.value.outcome === 'exchanged')
      return {
        status: 'pass',
        evidence: [{ question: exchange.from, path: 'endpoint', observed: exchange.value.endpoint }],
      }
    return { status: 'not-applicable', reason: 'STS said nothing that is a matter of its region' }
  },
})
