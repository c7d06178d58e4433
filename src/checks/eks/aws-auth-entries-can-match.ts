/** Whether every entry of ConfigMap aws-auth can match somebody who calls. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { awsAuthFaults, entriesOf } from '../../domain/aws-auth.ts'
import { sh } from '../../domain/shell-words.ts'
import { awsAuth, awsAuthElsewhere } from '../../probes/eks/aws-auth.ts'
import { ofAwsAuth } from '../../probes/eks/observed.ts'

type Entry = { readonly section: string; readonly index: number }
type Written = Entry & { readonly written: string }
type Renamed = Written & { readonly canonical: string }

const edit = 'kubectl edit configmap/aws-auth -n kube-system'
/** Whoever edits may be among those who are mapped. */
const care = 'Keep the text of before, and leave the entry by which you yourself come in as it is'

export const check = defineCheck({
  meta: {
    id: 'eks/aws-auth-entries-can-match',
    title: 'Every entry of aws-auth can match a caller',
    severity: 'error',
    scope: 'cluster',
    cloud: 'aws',
    section: 'Access',
    why: 'EKS passes over an entry that it cannot use, or a whole section, without a word; whoever was meant is unauthorized.',
    fix: {
      safety: 'review',
      does: 'Rewrite the one entry (without path, brackets or a second copy) and keep the text of before; a section that does not parse is for a person, and the entry of whoever edits stays as it is.',
    },
    links: [
      'https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html',
      'https://github.com/kubernetes-sigs/aws-iam-authenticator/issues/268',
      'https://github.com/kubernetes-sigs/aws-iam-authenticator/issues/153',
      'https://github.com/kubernetes-sigs/aws-iam-authenticator/issues/436',
      'https://github.com/aws/containers-roadmap/issues/474',
      'https://github.com/opstrace/opstrace/pull/112',
    ],
  },
  needs: { awsAuth },
  wants: { awsAuthElsewhere, ofAwsAuth },
  after: [],
  messages: {
    'in-another-place': ({ namespace, name }: { namespace: string; name: string }) =>
      `ConfigMap ${namespace}/${name} is never read; the only one is kube-system/aws-auth`,
    'section-not-text': ({ section, type }: { section: string; type: string }) =>
      `${section} is ${type}; it must be one text (write "${section}: |")`,
    'section-does-not-parse': ({ section, line, reason }: { section: string; line: number; reason: string }) =>
      `${section} does not parse at its line ${line} (${reason}): all of its entries are ignored`,
    'section-not-a-list': ({ section, type }: { section: string; type: string }) =>
      `${section} holds ${type}, not a list of entries: all of it is ignored`,
    'arn-missing': ({ key, ...entry }: Entry & { key: string }) => `${at(entry)} has no ${key} and is skipped`,
    'role-path': ({ written, canonical, ...entry }: Renamed) =>
      `${at(entry)} maps ${written}; callers arrive as ${canonical}, without the path`,
    'instance-profile': ({ written, ...entry }: Written) =>
      `${at(entry)} maps instance profile ${written}; map the role in it`,
    'session-arn': ({ written, canonical, ...entry }: Renamed) =>
      `${at(entry)} maps session ${written}; callers arrive as ${canonical}`,
    wildcard: ({ written, ...entry }: Written) => `${at(entry)} maps ${written}; there are no wildcards`,
    'placeholder-left': ({ value, ...entry }: Entry & { value: string }) =>
      `${at(entry)} still holds ${value} in angle brackets`,
    'username-empty': (entry: Entry) => `${at(entry)} has an empty username`,
    'mapped-twice': ({
      arn,
      first,
      second,
      username,
    }: {
      arn: string
      first: string
      second: string
      username: string
    }) => `${arn} is mapped at ${first} and at ${second}; the second wins with username ${username}`,
  },
  remedies: {
    'in-another-place': ({ namespace, name }) =>
      advice(
        'Put its entries beside those of kube-system/aws-auth, where the nodes stand too; delete the other ConfigMap when they work.',
        sh`kubectl get configmap/${name} -n ${namespace} -o yaml`,
        edit,
      ),
    'section-not-text': ({ section }) =>
      advice(`Write "${section}: |" in the manifest, with the entries indented below it, and apply it anew.`, edit),
    'section-does-not-parse': ({ section, line }) =>
      advice(`Put line ${line} of ${section} right; until then nobody of the whole section gets in. ${care}.`, edit),
    'section-not-a-list': ({ section }) =>
      advice(`Write ${section} as a list: each entry begins with "- ". ${care}.`, edit),
    'arn-missing': ({ key, ...entry }) => advice(`Give ${at(entry)} its ${key}, or take the entry out. ${care}.`, edit),
    'role-path': ({ canonical, ...entry }) => advice(`Write ${canonical} as rolearn of ${at(entry)}. ${care}.`, edit),
    'instance-profile': ({ written, ...entry }) =>
      advice(
        `Write the ARN of the role that the first command prints, without its path, as rolearn of ${at(entry)}. ${care}.`,
        sh`aws iam get-instance-profile --instance-profile-name ${written.split('/').at(-1) || 'NAME'} --query InstanceProfile.Roles[].Arn`,
        edit,
      ),
    'session-arn': ({ canonical, ...entry }) =>
      advice(`Write ${canonical} in ${at(entry)}: it admits every session of the role. ${care}.`, edit),
    wildcard: (entry) =>
      advice(
        `Write one entry for each role or user in the place of ${at(entry)}; for a set of people, let all assume one role and map that. ${care}.`,
        edit,
      ),
    'placeholder-left': ({ value, ...entry }) =>
      advice(`Write what is meant by ${value} in ${at(entry)}, without the brackets. ${care}.`, edit),
    'username-empty': (entry) =>
      advice(`Give ${at(entry)} a username: any text that tells who it was in the audit log. ${care}.`, edit),
    'mapped-twice': ({ first, second }) =>
      advice(`Keep one of ${first} and ${second}, with all groups that are meant. ${care}.`, edit),
  },
  judge: ({ have, want }) => {
    const { awsAuthElsewhere: other, ofAwsAuth: observed } = want
    if (other.state === 'known')
      return {
        status: 'fail',
        message: 'in-another-place',
        data: other.value,
        evidence: [
          {
            question: other.from,
            path: 'metadata.namespace',
            observed: other.value.namespace,
            expected: 'kube-system',
          },
        ],
      }
    const texts = observed.state === 'known' ? observed.value : []
    const told: readonly Evidence[] = texts.map(({ text, place }) => ({
      question: observed.from,
      path: place,
      observed: text,
    }))
    if (have.awsAuth.state === 'absent')
      return texts.length === 0
        ? { status: 'not-applicable', reason: 'there is no ConfigMap kube-system/aws-auth to look at' }
        : {
            status: 'undecided',
            lacks: 'ConfigMap kube-system/aws-auth was not seen',
            lift: 'kubectl get configmap aws-auth -n kube-system -o yaml > aws-auth.yaml',
            evidence: told,
          }
    const { value, from } = have.awsAuth
    const [fault, ...others] = awsAuthFaults(value)
    const seen = (one: typeof fault): readonly Evidence[] =>
      one === undefined ? [] : [{ question: from, path: `data.${pathOf(one.data)}`, observed: whatOf(one) }]
    const hidden = [...entriesOf(value, 'mapRoles'), ...entriesOf(value, 'mapUsers')].find(
      ({ arn }) => arn !== undefined && withoutAccount.test(arn),
    )?.arn
    if (fault === undefined && hidden !== undefined)
      return {
        status: 'undecided',
        lacks: `the account in ${hidden} is left out: nobody can match that as it stands, unless it was hidden`,
        evidence: told,
      }
    if (fault === undefined)
      return { status: 'pass', evidence: [{ question: from, path: 'data', observed: Object.keys(value) }] }
    const evidence = [...seen(fault), ...others.slice(0, 20).flatMap(seen), ...told]
    return { status: 'fail', ...fault, evidence }
  },
})

/** An ARN of IAM whose account is not 12 digits. */
const withoutAccount = /^arn:aws[\w-]{0,20}:(?:iam|sts)::(?!\d{12}:)/

const at = ({ section, index }: Entry): string => `${section}[${index}]`

const pathOf = (data: { readonly section?: string; readonly index?: number; readonly second?: string }): string =>
  data.second ??
  (data.index === undefined ? (data.section ?? '') : at({ section: data.section ?? '', index: data.index }))

const whatOf = ({ message, data }: NonNullable<ReturnType<typeof awsAuthFaults>[number]>): string =>
  'written' in data ? data.written : 'value' in data ? data.value : 'arn' in data ? data.arn : message
