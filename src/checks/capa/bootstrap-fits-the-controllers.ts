/** Whether the trust policy that clusterawsadm is to make admits the controllers where they really run. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { at } from '../../core/json.ts'
import { advice } from '../../domain/advice.ts'
import { parseRoleArn } from '../../domain/arn.ts'
import { evaluateTrustPolicy } from '../../domain/aws-trust-policy.ts'
import { findControllers } from '../../domain/capa-advice.ts'
import { issuersOf, placeholderIn, subjectsOf } from '../../domain/capa-bootstrap.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import {
  bootstrap,
  bootstrapAccounts,
  bootstrapDeployments,
  bootstrapIssuer,
  roleWorkRefused,
} from '../../probes/capa/bootstrap.ts'

const again =
  'then have the owner of the account run clusterawsadm bootstrap iam create-cloudformation-stack --config with the file'
const unique = (all: readonly string[]): readonly string[] => [...new Set(all)]
const accountIn = (subject: string): readonly [string, string] => {
  const [, , namespace = '', name = ''] = subject.split(':')
  return [namespace, name]
}

type Trusts = { readonly trusted: string; readonly actual: string }
const replace = (trusted: string, actual: string): string =>
  advice(
    `Write ${actual} in the place of ${trusted} in clusterAPIControllers.trustStatements, keep the other subjects and add no star, ${again}.`,
    findControllers,
  )

export const check = defineCheck({
  meta: {
    id: 'capa/bootstrap-fits-the-controllers',
    title: 'The AWSIAMConfiguration trusts the controllers where they really run',
    severity: 'error',
    scope: 'object',
    kinds: ['AWSIAMConfiguration'],
    cloud: 'aws',
    section: 'Cluster API',
    why: 'The document is written before the controllers are installed, often with the namespace of an example.',
    fix: {
      safety: 'review',
      does: 'Rewrite the one subject or issuer in trustStatements and make the stack again with clusterawsadm; the other subjects stay, and no wildcard is added.',
    },
    links: [
      'https://github.com/kubernetes-sigs/cluster-api-provider-aws/issues/3554',
      'https://github.com/kubernetes-sigs/cluster-api-provider-aws/issues/2385',
    ],
  },
  only: { probe: bootstrap, otherwise: 'it is no AWSIAMConfiguration' },
  needs: { bootstrap },
  wants: { bootstrapAccounts, bootstrapDeployments, bootstrapIssuer, roleWorkRefused },
  after: [],
  messages: {
    'placeholder-left': ({ path, value }: { path: string; value: string }) =>
      `${path} still holds the placeholder ${value}`,
    'namespace-differs': ({ trusted, actual }: Trusts) =>
      `the statement trusts ${trusted}; the controllers run as ${actual}`,
    'service-account-differs': ({ trusted, actual }: Trusts) =>
      `the statement trusts ${trusted}; the controllers run as ${actual}`,
    'issuer-differs': ({ trusted, issuer }: { trusted: string; issuer: string }) =>
      `the statement trusts issuer ${trusted}; this cluster issues ${issuer}`,
    'no-web-identity-statement': ({ serviceAccount, roleARN }: { serviceAccount: string; roleARN: string }) =>
      `ServiceAccount ${serviceAccount} carries role ${roleARN}, but no statement allows sts:AssumeRoleWithWebIdentity`,
    'iam-role-creation-off': ({ value }: { value: string }) =>
      `the controllers run with EKSEnableIAM, but eks.iamRoleCreation is ${value}: their role may not make or read roles`,
  },
  remedies: {
    'placeholder-left': ({ path }) =>
      advice(
        `Write what belongs there into ${path}: the issuer of the cluster is printed by the command; ${again}.`,
        'kubectl get --raw /.well-known/openid-configuration',
      ),
    'namespace-differs': ({ trusted, actual }) => replace(trusted, actual),
    'service-account-differs': ({ trusted, actual }) => replace(trusted, actual),
    'issuer-differs': ({ trusted, issuer }) => replace(trusted, issuer),
    'no-web-identity-statement': ({ serviceAccount }) =>
      advice(
        `Add a statement to clusterAPIControllers.trustStatements that allows sts:AssumeRoleWithWebIdentity to the OIDC provider of the cluster for the token of ${serviceAccount} and audience sts.amazonaws.com, ${again}.`,
        'kubectl get --raw /.well-known/openid-configuration',
      ),
    'iam-role-creation-off': () =>
      advice(
        `Set eks.iamRoleCreation to true, ${again}; or take EKSEnableIAM out of the feature gates of the controllers.`,
        findControllers,
      ),
  },
  judge: ({ have, want: { bootstrapAccounts, bootstrapDeployments, bootstrapIssuer, roleWorkRefused } }) => {
    if (have.bootstrap.state === 'absent') return { status: 'not-applicable', reason: 'it is no AWSIAMConfiguration' }
    const { value, from } = have.bootstrap
    const { spec, web, account, roleName } = value
    const left = placeholderIn(spec)
    if (left !== undefined)
      return {
        status: 'fail',
        message: 'placeholder-left',
        data: left,
        evidence: [{ question: from, path: left.path, observed: left.value }],
      }
    const accounts = bootstrapAccounts.state === 'known' ? bootstrapAccounts.value.items : []
    const deployments = bootstrapDeployments.state === 'known' ? bootstrapDeployments.value.items : []
    const runners = unique([
      ...deployments.map((one) => `system:serviceaccount:${one.namespace}:${one.serviceAccount}`),
      ...(deployments.length > 0 ? [] : accounts.map((one) => `system:serviceaccount:${one.namespace}:${one.name}`)),
    ])
    if (web.length === 0) {
      const carrier = accounts.find(({ role }) => {
        const arn = role === undefined ? undefined : parseRoleArn(role)
        return arn !== undefined && arn.account === account && arn.name === roleName
      })
      if (account === undefined || carrier?.role === undefined)
        return { status: 'not-applicable', reason: 'it trusts no web identity, and nothing shows that it has to' }
      return {
        status: 'fail',
        message: 'no-web-identity-statement',
        data: { serviceAccount: `${carrier.namespace}/${carrier.name}`, roleARN: carrier.role },
        evidence: [
          { question: from, path: 'spec.clusterAPIControllers.trustStatements', observed: value.statements.length },
          { question: bootstrapAccounts.from, path: 'metadata.annotations', observed: carrier.role },
        ],
      }
    }
    const subjects = unique(subjectsOf(web))
    const seen: Evidence = {
      question: from,
      path: 'spec.clusterAPIControllers.trustStatements',
      observed: [...subjects],
    }
    const policy = { Version: '2012-10-17', Statement: web }
    const decide = (sub: string, issuer?: string) =>
      evaluateTrustPolicy(policy, {
        sub,
        aud: 'sts.amazonaws.com',
        ...(issuer === undefined ? {} : { issuer }),
        unknown: ['accountId', ...(issuer === undefined ? ['issuer'] : []), '*'],
      })
    const fits = (sub: string): boolean => ['allow', 'depends'].includes(decide(sub).decision)
    const creation = at(spec, 'eks', 'iamRoleCreation')
    const creationOff = (seenDeployments: typeof deployments) => {
      const enabled = seenDeployments.some(({ gates }) => /(?:^|,)EKSEnableIAM=true(?:,|$)/.test(gates))
      if (creation === true || !(enabled || roleWorkRefused.state === 'known')) return undefined
      const told: Evidence =
        roleWorkRefused.state === 'known'
          ? ofError(roleWorkRefused.value)
          : { question: bootstrapDeployments.from, path: 'args', observed: 'EKSEnableIAM=true' }
      return {
        status: 'fail',
        message: 'iam-role-creation-off',
        data: { value: creation === undefined ? 'not set' : JSON.stringify(creation) },
        evidence: [
          { question: from, path: 'spec.eks.iamRoleCreation', observed: creation ?? null, expected: true },
          told,
        ],
      } as const
    }
    if (runners.length === 0 && roleWorkRefused.state === 'known') {
      const off = creationOff([])
      if (off !== undefined) return off
    }
    if (runners.length === 0)
      return {
        status: 'undecided',
        lacks: 'the controllers were not seen, so nobody knows as whom they run',
        lift: findControllers,
        evidence: [seen],
      }
    const runner = runners.find(fits)
    if (runner === undefined) {
      const [actual = ''] = runners
      const [, name] = accountIn(actual)
      const of: Evidence = {
        question: deployments.length > 0 ? bootstrapDeployments.from : bootstrapAccounts.from,
        path: 'items[].metadata',
        observed: actual,
      }
      const elsewhere = subjects.find((one) => accountIn(one)[1] === name)
      const trusted = elsewhere ?? subjects[0]
      if (trusted === undefined || runners.some((one) => subjects.includes(one)))
        return {
          status: 'undecided',
          lacks: 'the statements refuse the token for another reason than its subject',
          evidence: [seen, of],
        }
      return {
        status: 'fail',
        message: elsewhere === undefined ? 'service-account-differs' : 'namespace-differs',
        data: { trusted, actual },
        evidence: [seen, of],
      }
    }
    if (bootstrapIssuer.state === 'known') {
      const issuer = bootstrapIssuer.value
      const own = issuer.replace(/^https:\/\//, '')
      const trusted = issuersOf(web)
      if (trusted.length > 0 && !trusted.includes(own))
        return {
          status: 'fail',
          message: 'issuer-differs',
          data: { trusted: trusted.join(', '), issuer: own },
          evidence: [seen, { question: bootstrapIssuer.from, path: 'issuer', observed: issuer }],
        }
    }
    const off = creationOff(deployments)
    if (off !== undefined) return off
    if (decide(runner).decision === 'depends' && bootstrapIssuer.state !== 'known')
      return { status: 'undecided', lacks: "the issuer of the cluster's tokens was not seen", evidence: [seen] }
    return { status: 'pass', evidence: [seen] }
  },
})
