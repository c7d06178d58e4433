/** Whether the role that the ServiceAccount names is there, under exactly this ARN. */
import { defineCheck } from '../../core/check.ts'
import { accountOf, advice, type Binding, listRoles, setRole, unnamed } from '../../domain/advice.ts'
import { parseRoleArn } from '../../domain/arn.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofReference } from '../../probes/aws/evidence.ts'
import { role, roleTwins } from '../../probes/aws/role.ts'
import { roleReference } from '../../probes/aws/role-reference.ts'

type Differs = Binding & { readonly actual: string; readonly observed: string; readonly arn: string }

const asItIs = (data: Differs): string => {
  const { words, commands } = setRole(data, data.arn)
  return advice(`Name the role as IAM has it: ${words}.`, ...commands)
}

export const check = defineCheck({
  meta: {
    id: 'aws/role-exists',
    title: 'The role exists under exactly this ARN',
    severity: 'error',
    scope: 'service-account',
    cloud: 'aws',
    section: 'Workload',
    why: 'STS answers AccessDenied to an ARN that is not exactly that of a role, word for word as to a wrong trust policy.',
    fix: {
      safety: 'review',
      does: 'Annotate the ServiceAccount with the real ARN where only case or path differ. A missing role is described here, never created.',
    },
    links: [
      'https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_roles.html',
      'https://github.com/uswitch/kiam/issues/33',
    ],
  },
  only: { probe: roleReference, otherwise: 'the ServiceAccount names no role' },
  needs: { roleReference },
  wants: { role, roleTwins },
  after: ['aws/role-arn-valid'],
  messages: {
    'name-case-differs': ({ actual, observed }: Differs) =>
      `the role is called ${actual}, the ARN says ${observed}; role names are compared with regard to case`,
    'path-differs': ({ actual, observed }: Differs) =>
      `the ARN ${observed} and the role ${actual} have different paths`,
    missing: ({ account, name }: Binding & { account: string; name: string }) =>
      `account ${account} has no role ${name}; STS answers as if the trust policy were wrong`,
  },
  remedies: {
    'name-case-differs': asItIs,
    'path-differs': asItIs,
    missing: (data) => {
      const { words, commands } = setRole(data, unnamed.roleArn)
      return advice(
        `Have whoever owns account ${data.account} create role ${data.name}, with a trust policy for this ServiceAccount. If another role is meant (${unnamed.roleArn}: one of the list), ${words}.`,
        listRoles,
        ...commands,
      )
    },
  },
  judge: ({ have: { roleReference }, want: { role, roleTwins }, subject }) => {
    if (roleReference.state === 'absent')
      return { status: 'not-applicable', reason: 'the ServiceAccount names no role' }
    const { value, arn, via, key } = roleReference.value
    const binding: Binding = { ...accountOf(subject), via, key }
    if (arn === undefined)
      return {
        status: 'undecided',
        lacks: `${value === '' ? 'the role of the association' : value} cannot be looked up`,
      }
    const seen = role.state === 'known' ? role.value.arn : roleTwins.state === 'known' ? roleTwins.value[0] : undefined
    const actual = seen === undefined ? undefined : parseRoleArn(seen)
    const evidence = [
      ...ofReference(roleReference).map((one) => ({
        ...one,
        ...(seen === undefined ? {} : { expected: seen, words: { observed: 'names', expected: 'exists' } }),
      })),
      { question: role.from, path: 'Role.Arn', observed: seen ?? null },
    ]
    if (actual !== undefined && seen !== undefined && actual.name !== arn.name)
      return {
        status: 'fail',
        message: 'name-case-differs',
        data: { ...binding, actual: actual.name, observed: arn.name, arn: seen },
        evidence,
      }
    if (actual !== undefined && actual.path !== arn.path && seen !== undefined)
      return {
        status: 'fail',
        message: 'path-differs',
        data: { ...binding, actual: seen, observed: value, arn: seen },
        evidence,
      }
    if (role.state === 'absent')
      return {
        status: 'fail',
        message: 'missing',
        data: { ...binding, account: arn.account, name: arn.name },
        evidence,
      }
    // A trust policy stands for the role that it is named after, but does not say which path the role has.
    if (role.state === 'known' && seen === undefined && arn.path !== '/')
      return {
        status: 'undecided',
        lacks: `only the trust policy was seen, which does not say that the role has the path ${arn.path}`,
        lift: sh`aws iam get-role --role-name ${arn.name}`,
      }
    return { status: 'pass', evidence }
  },
})
