/** Whether the workload's role may go on to a further one. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, changeTrust } from '../../domain/advice.ts'
import { chainTrust, meantFor } from '../../domain/aws-chain.ts'
import { sh } from '../../domain/shell-words.ts'
import { chain, targetRole } from '../../probes/aws/chain.ts'
import { ofError } from '../../probes/aws/evidence.ts'

type Pair = {
  readonly source: string
  readonly target: string
  readonly targetName: string
  readonly sourceName: string
}

const trust = ({ targetName }: Pair, sentence: string): string =>
  advice(
    `${sentence} in the trust policy of ${targetName} (with credentials of its account), and change nothing else in it.`,
    ...changeTrust(targetName),
  )
const allow = ({ target }: Pair): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: target }],
  })
const grant = (data: Pair, sentence: string): string =>
  advice(
    sentence,
    sh`aws iam put-role-policy --role-name ${data.sourceName} --policy-name ${`assume-${data.targetName}`.slice(0, 128)} --policy-document ${allow(data)}`,
  )

export const check = defineCheck({
  meta: {
    id: 'aws/role-chain-allowed',
    title: 'The role may assume the further role',
    severity: 'error',
    scope: 'service-account',
    cloud: 'aws',
    section: 'Permissions',
    why: 'A chain of roles takes a trust policy at its end and, across accounts, a permission at its beginning.',
    fix: {
      safety: 'review',
      does: "Add sts:TagSession or the source role's ARN to the trust policy of the target, or a policy with sts:AssumeRole on exactly this target to the source; an account root or a star is never trusted, an ExternalId condition never dropped.",
    },
    links: [
      'https://github.com/langwatch/langwatch/issues/7053',
      'https://github.com/mattrobinsonsre/terrapod/pull/1546',
      'https://github.com/grafana/grafana/issues/127716',
      'https://github.com/cert-manager/cert-manager/issues/5893',
      'https://github.com/cloud-custodian/cloud-custodian/issues/9879',
      'https://github.com/terraform-redhat/terraform-provider-rhcs/issues/41',
    ],
  },
  only: { probe: chain, otherwise: 'no further role was seen' },
  needs: {},
  wants: { chain, targetRole },
  after: [],
  messages: {
    'assumes-itself': ({ source }: Pair) =>
      `${source} is told to assume itself; the explicit role setting is superfluous`,
    'external-id-missing': ({ target, wanted, actual }: Pair & { wanted: string; actual: string }) =>
      `${target} wants external id ${wanted}, the caller sends ${actual}`,
    'tag-session-denied': ({ target }: Pair) =>
      `session tags travel along the chain, and the trust policy of ${target} does not allow sts:TagSession`,
    'trusted-principal-deleted': ({ target, id }: Pair & { id: string }) =>
      `${target} trusts ${id}, the id of a deleted role or user`,
    'trusted-arn-differs': ({ target, observed, source }: Pair & { observed: string }) =>
      `${target} trusts ${observed}, the role is ${source}`,
    'target-does-not-trust': ({ source, target }: Pair) =>
      `the trust policy of ${target} names neither ${source} nor its account`,
    'source-not-allowed': ({ source, target }: Pair) => `no policy of ${source} allows sts:AssumeRole on ${target}`,
    'assume-role-denied': ({ source, target }: Pair) =>
      `${source} may not assume ${target}; the policies of the two were not seen`,
  },
  remedies: {
    'assumes-itself': ({ sourceName }) =>
      advice(
        `Take the role setting (role_arn, assumeRole or the like) out of the configuration of the application: the workload already acts as ${sourceName}.`,
      ),
    'external-id-missing': ({ wanted, targetName }) =>
      advice(
        `Have the caller send external id ${wanted}: in the assume-role setting of the application, or with externalId of the Pod Identity association. The condition in the trust policy of ${targetName} stays.`,
      ),
    'tag-session-denied': (data) =>
      trust(data, `Add sts:TagSession beside sts:AssumeRole in the statement that names ${data.source}`),
    'trusted-principal-deleted': (data) => trust(data, `Write ${data.source} in the place of ${data.id}`),
    'trusted-arn-differs': (data) => trust(data, `Write ${data.source} in the place of ${data.observed}`),
    'target-does-not-trust': (data) =>
      trust(data, `Add ${data.source} as a principal of a statement that allows sts:AssumeRole`),
    'source-not-allowed': (data) =>
      grant(data, `Allow role ${data.sourceName} to assume exactly this role, with credentials of its account.`),
    'assume-role-denied': (data) =>
      advice(
        `Have whoever may read role ${data.targetName} save it, and look again with -f target.json among the documents; without that nobody can tell which of the two sides refuses.`,
        sh`aws iam get-role --role-name ${data.targetName} > target.json`,
      ),
  },
  judge: ({ want: { chain, targetRole } }) => {
    if (chain.state !== 'known') return { status: 'not-applicable', reason: 'no further role was seen' }
    const { source, sourceText, targetText, target, externalId, tags, refused } = chain.value
    const data: Pair = {
      source: sourceText,
      target: targetText,
      targetName: target?.name ?? 'TARGET_ROLE',
      sourceName: source.name,
    }
    const told: readonly Evidence[] =
      refused === undefined
        ? [{ question: chain.from, path: 'associations', observed: targetText }]
        : [ofError(refused.error)]
    if (target !== undefined && target.name === source.name && target.account === source.account)
      return { status: 'fail', message: 'assumes-itself', data, evidence: told }
    if (targetRole.state === 'known') {
      const { by, externalIds, tags: tagged, principals, deleted } = chainTrust(targetRole.value.policy, source)
      const path = 'Role.AssumeRolePolicyDocument'
      const evidence: readonly Evidence[] = [
        {
          question: targetRole.from,
          path,
          observed: [...principals],
          expected: sourceText,
          words: { observed: 'trusts', expected: 'is assumed by' },
        },
        ...told,
      ]
      if (by !== undefined) {
        const [wanted] = externalIds
        if (wanted !== undefined && !(externalId !== undefined && externalIds.includes(externalId)))
          return {
            status: 'fail',
            message: 'external-id-missing',
            data: { ...data, wanted, actual: externalId ?? (refused === undefined ? 'none' : 'none or another one') },
            evidence,
          }
        if (tags && !tagged) return { status: 'fail', message: 'tag-session-denied', data, evidence }
        const crosses = target?.account !== source.account
        if (refused !== undefined)
          return crosses || by === 'account'
            ? { status: 'fail', message: 'source-not-allowed', data, evidence }
            : {
                status: 'undecided',
                lacks: `${targetText} trusts the role, and AWS refused all the same: a policy denies it, or the trust is newer`,
                evidence,
              }
        return crosses || by === 'account'
          ? {
              status: 'undecided',
              lacks: `whether a policy of ${sourceText} allows sts:AssumeRole on ${targetText} was not seen`,
              lift: sh`aws iam list-role-policies --role-name ${source.name}`,
              evidence,
            }
          : { status: 'pass', evidence }
      }
      const [gone] = deleted
      if (gone !== undefined)
        return { status: 'fail', message: 'trusted-principal-deleted', data: { ...data, id: gone }, evidence }
      const meant = meantFor(principals, source)
      if (meant !== undefined)
        return { status: 'fail', message: 'trusted-arn-differs', data: { ...data, observed: meant }, evidence }
      return { status: 'fail', message: 'target-does-not-trust', data, evidence }
    }
    if (refused === undefined) return { status: 'undecided', lacks: `the trust policy of ${targetText} was not seen` }
    if (refused.action === 'sts:TagSession')
      return { status: 'fail', message: 'tag-session-denied', data, evidence: told }
    if (refused.lacking === 'identity-based')
      return { status: 'fail', message: 'source-not-allowed', data, evidence: told }
    return { status: 'fail', message: 'assume-role-denied', data, evidence: told }
  },
})
