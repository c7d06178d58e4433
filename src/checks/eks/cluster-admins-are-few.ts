/** Whether somebody is mapped past RBAC, by keys that do not expire, or a whole account at once. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { type AuthEntry, entriesOf } from '../../domain/aws-auth.ts'
import { awsAuthInForce } from '../../probes/eks/mode.ts'

const edit = 'kubectl edit configmap/aws-auth -n kube-system'
type Named = { readonly principals: string }

export const check = defineCheck({
  meta: {
    id: 'eks/cluster-admins-are-few',
    title: 'Everybody is mapped within the reach of RBAC',
    severity: 'warning',
    scope: 'cluster',
    cloud: 'aws',
    section: 'Access',
    why: 'Group system:masters passes RBAC by, so nothing restricts it and no binding can be taken away; keys of IAM users do not expire.',
    fix: {
      safety: 'manual',
      does: 'Bind a group of your own to ClusterRole cluster-admin and map the people to that, by roles; nobody loses access before that works.',
    },
    links: [
      'https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html',
      'https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html',
      'https://container.training/',
    ],
  },
  needs: { awsAuthInForce },
  wants: {},
  after: [],
  messages: {
    'system-masters': ({ principals }: Named) =>
      `aws-auth maps ${principals} to system:masters, which no RBAC rule can restrict`,
    'iam-users': ({ principals }: Named) => `aws-auth maps IAM users ${principals}, whose keys do not expire`,
    'whole-accounts': ({ accounts }: { accounts: string }) => `mapAccounts admits every principal of ${accounts}`,
  },
  remedies: {
    'system-masters': ({ principals }) =>
      advice(
        `Bind a group of your own to cluster-admin, then write it in the place of system:masters for ${principals}; see that one of them comes in by it before the last is changed.`,
        'kubectl create clusterrolebinding cluster-operators --clusterrole=cluster-admin --group=cluster-operators',
        edit,
      ),
    'iam-users': ({ principals }) =>
      advice(
        `Map a role with the same groups, let the people behind ${principals} assume it, and take the users out when that works.`,
        edit,
      ),
    'whole-accounts': ({ accounts }) =>
      advice(
        `Map the roles that are meant one by one, then take ${accounts} out of mapAccounts: RBAC grants whatever is bound to the ARN of anybody there.`,
        edit,
      ),
  },
  judge: ({ have }) => {
    if (have.awsAuthInForce.state === 'absent')
      return { status: 'not-applicable', reason: 'there is no aws-auth that is read' }
    const { value, from } = have.awsAuthInForce
    const users = entriesOf(value, 'mapUsers')
    const people = [...entriesOf(value, 'mapRoles'), ...users]
    const masters = people.filter(({ groups }) => groups.includes('system:masters'))
    const accounts = namesOf(entriesOf(value, 'mapAccounts'))
    const seen = (path: string, observed: string): readonly Evidence[] => [{ question: from, path, observed }]
    const ofMasters = namesOf(masters)
    if (ofMasters !== '')
      return {
        status: 'fail',
        message: 'system-masters',
        data: { principals: ofMasters },
        evidence: [
          ...masters.map(
            ({ section, index, groups }): Evidence => ({
              question: from,
              path: `data.${section}[${index}].groups`,
              observed: [...groups],
            }),
          ),
          ...(namesOf(users) === '' ? [] : seen('data.mapUsers', namesOf(users))),
          ...(accounts === '' ? [] : seen('data.mapAccounts', accounts)),
        ],
      }
    const ofUsers = namesOf(users)
    if (ofUsers !== '')
      return {
        status: 'fail',
        message: 'iam-users',
        data: { principals: ofUsers },
        evidence: seen('data.mapUsers', ofUsers),
      }
    if (accounts !== '')
      return {
        status: 'fail',
        message: 'whole-accounts',
        data: { accounts },
        evidence: seen('data.mapAccounts', accounts),
      }
    const broken = Object.values(value).some(({ state }) => state !== 'read' && state !== 'left-out')
    if (broken) return { status: 'not-applicable', reason: 'a section of aws-auth does not parse and is not read' }
    return {
      status: 'pass',
      evidence: [
        { question: from, path: 'data.mapRoles[].groups', observed: [...new Set(people.flatMap((one) => one.groups))] },
      ],
    }
  },
})

/** Each once, as written. */
const namesOf = (entries: readonly AuthEntry[]): string =>
  [...new Set(entries.flatMap(({ arn }) => arn ?? []))].join(', ')
