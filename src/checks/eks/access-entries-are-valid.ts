/** Whether every access entry of the cluster names somebody who lives, and counts. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import type { Json } from '../../core/json.ts'
import { advice } from '../../domain/advice.ts'
import { parseCaller } from '../../domain/arn.ts'
import { entriesOf, withoutPath } from '../../domain/aws-auth.ts'
import { sh } from '../../domain/shell-words.ts'
import { type AccessEntry, shownEntries } from '../../probes/eks/access-entries.ts'
import { awsAuth } from '../../probes/eks/aws-auth.ts'
import { entryPrincipals, type Principal } from '../../probes/eks/entry-principals.ts'
import { mode } from '../../probes/eks/mode.ts'
import { ofEntering } from '../../probes/eks/observed.ts'

type Named = { readonly principal: string }
/** `entry`: `there`, or `refused` where it was only asked for and EKS made none. */
type Missing = Named & { readonly entry: string }
type Typed = Named & { readonly type: string }

const unnamed = 'PRINCIPAL_ARN'
const onEntry = (verb: string, principal: string): string =>
  `aws eks ${verb}-access-entry --cluster-name CLUSTER ${sh`--principal-arn ${principal}`}`
const policies = ({ principal }: Named): string =>
  sh`aws eks list-associated-access-policies --cluster-name CLUSTER --principal-arn ${principal}`

export const check = defineCheck({
  meta: {
    id: 'eks/access-entries-are-valid',
    title: 'Every access entry names a living principal and is in force',
    severity: 'error',
    scope: 'cluster',
    cloud: 'aws',
    section: 'Access',
    why: 'An access entry is bound to the id of a role, not to its name: once the role is made anew, the entry looks right and admits nobody.',
    fix: {
      safety: 'review',
      does: 'Delete and make anew the one entry with the same groups and policies, or make the missing one; authenticationMode only goes towards API, and that is for a person to decide.',
    },
    links: [
      'https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html',
      'https://github.com/aws/containers-roadmap/issues/2441',
      'https://github.com/terraform-aws-modules/terraform-aws-eks/issues/2969',
      'https://github.com/terraform-aws-modules/terraform-aws-eks/issues/2968',
      'https://github.com/eksctl-io/eksctl/issues/7446',
    ],
  },
  needs: { shownEntries },
  wants: { entryPrincipals, mode, awsAuth, ofEntering },
  after: [],
  messages: {
    'principal-recreated': ({ principal, created, recreated }: Named & { created: string; recreated: string }) =>
      `access entry ${principal} dates from ${created}; the role was made anew on ${recreated}: the entry is dead, although it looks right`,
    'path-left-out': ({ principal, actual }: Named & { actual: string }) =>
      `access entry ${principal} leaves out the path; the role is ${actual}`,
    'session-arn': ({ principal }: Named & { canonical: string }) =>
      `access entry ${principal} is a session; entries take IAM users and roles`,
    'principal-missing': ({ principal }: Missing) => `access entry ${principal} names a role that does not exist`,
    'type-takes-no-groups': ({ principal, type, extra }: Typed & { extra: string }) =>
      `access entry ${principal} of type ${type} has ${extra}; only STANDARD takes groups and policies`,
    'entries-ignored': (_: { observed: string }) =>
      'authenticationMode is CONFIG_MAP: access entries can be neither made nor used',
    'aws-auth-ignored': ({ principals }: { principals: string; first: string }) =>
      `authenticationMode is API: aws-auth is not read, and ${principals} have no access entry`,
    'already-there': ({ principal }: Named) => `access entry ${principal} exists already`,
  },
  remedies: {
    'principal-recreated': (data) =>
      advice(
        'Note the groups and policies of the entry, delete it, and make it anew with them: it is bound to the new role then.',
        onEntry('describe', data.principal),
        policies(data),
        onEntry('delete', data.principal),
        onEntry('create', data.principal),
      ),
    'path-left-out': ({ principal, actual }) =>
      advice(
        'Make the entry for the whole ARN, with the groups and policies of the other one, then delete that: entries take the path, unlike aws-auth.',
        onEntry('describe', principal),
        onEntry('create', actual),
        onEntry('delete', principal),
      ),
    'session-arn': ({ canonical }) =>
      advice(
        `Make the entry for the role, with its path where it has one (${canonical}).`,
        onEntry('create', canonical),
      ),
    'principal-missing': ({ principal, entry }) =>
      entry === 'refused'
        ? advice(
            'Write the ARN of a role or user that exists, with its path, where the entry is asked for.',
            'aws iam list-roles --query "Roles[].Arn"',
          )
        : advice(
            'Delete the entry: it would not count for a new role of the same name either.',
            onEntry('describe', principal),
            onEntry('delete', principal),
          ),
    'type-takes-no-groups': ({ principal, type, extra }) =>
      advice(
        `Make an entry of type STANDARD for a role of its own, with ${extra}, and leave this one of type ${type} to machines.`,
        onEntry('describe', principal),
      ),
    'entries-ignored': () =>
      advice(
        'Map the principal in aws-auth, or have the owner of the cluster decide on API_AND_CONFIG_MAP: that way there is no going back.',
        'kubectl edit configmap/aws-auth -n kube-system',
        'aws eks update-cluster-config --name CLUSTER --access-config authenticationMode=API_AND_CONFIG_MAP',
      ),
    'aws-auth-ignored': ({ first }) =>
      advice(
        'Make an access entry for each of them that is still wanted, with its path, and take the others out of aws-auth.',
        onEntry('create', first),
      ),
    'already-there': ({ principal }) =>
      advice(
        'Import the entry into whatever was to make it (or leave it out there): it is there and needs nothing.',
        onEntry('describe', principal),
      ),
  },
  judge: ({ have, want }) => {
    const texts = want.ofEntering.state === 'known' ? want.ofEntering.value : []
    const said = want.mode.state === 'known' ? want.mode.value : undefined
    const shown = have.shownEntries.state === 'known' ? have.shownEntries.value : undefined
    const principals = new Map<string, Principal>()
    if (want.entryPrincipals.state === 'known')
      for (const one of want.entryPrincipals.value) principals.set(one.principal, one)
    const { from } = have.shownEntries

    const words = (shown?.entries ?? []).map((entry) => wordOn(entry, principals.get(entry.principal)))
    const faults = words.flatMap((word) => (word !== undefined && 'fault' in word ? [word] : []))
    const worst = order.flatMap((message) => faults.find(({ fault }) => fault.message === message) ?? [])[0]
    if (worst !== undefined)
      return { status: 'fail', ...worst.fault, evidence: [{ question: from, path: 'accessEntry', ...worst.seen }] }

    const quote = ({ text, place }: (typeof texts)[number]): readonly Evidence[] => [
      { question: want.ofEntering.from, path: place, observed: text },
    ]
    const refused = texts.find(({ text }) => text.includes('authentication mode must be set to one of'))
    if (refused !== undefined && (said === undefined || said === 'CONFIG_MAP'))
      return { status: 'fail', message: 'entries-ignored', data: { observed: 'refused' }, evidence: quote(refused) }

    if (said === 'API' && shown?.complete === true && want.awsAuth.state === 'known') {
      const held = new Set(shown.entries.map(({ principal }) => withoutPath(principal).toLowerCase()))
      const mapped = [...entriesOf(want.awsAuth.value, 'mapRoles'), ...entriesOf(want.awsAuth.value, 'mapUsers')]
      const lost = mapped.flatMap(({ arn }) =>
        arn === undefined || held.has(withoutPath(arn).toLowerCase()) ? [] : [arn],
      )
      const [first] = lost
      if (first !== undefined)
        return {
          status: 'fail',
          message: 'aws-auth-ignored',
          data: { principals: [...new Set(lost)].join(', '), first },
          evidence: [
            { question: want.mode.from, path: 'cluster.accessConfig.authenticationMode', observed: said },
            { question: want.awsAuth.from, path: 'data', observed: lost },
          ],
        }
    }

    const nobody = texts.find(({ text }) => text.includes('principalArn is invalid: invalid principal'))
    if (nobody !== undefined)
      return {
        status: 'fail',
        message: 'principal-missing',
        data: { principal: principalIn(nobody.text), entry: 'refused' },
        evidence: quote(nobody),
      }
    const inUse = texts.find(({ text }) => text.includes('access entry resource is already in use'))
    if (inUse !== undefined)
      return {
        status: 'fail',
        message: 'already-there',
        data: { principal: principalIn(inUse.text) },
        evidence: quote(inUse),
      }
    const unmapped = texts.find(({ text }) => text.includes('is not mapped'))
    if (shown === undefined)
      return unmapped === undefined
        ? { status: 'not-applicable', reason: 'there are no access entries to look at' }
        : {
            status: 'undecided',
            lacks: 'the access entries of the cluster were not seen',
            lift: list,
            evidence: quote(unmapped),
          }
    const open = words.flatMap((word) => (word !== undefined && 'open' in word ? [word.open] : []))[0]
    if (open !== undefined) return { status: 'undecided', ...open }
    if (!shown.complete)
      return { status: 'undecided', lacks: 'whether there are other access entries was not seen', lift: list }
    const evidence = [
      { question: from, path: 'accessEntries', observed: shown.entries.map(({ principal }) => principal) },
    ]
    return { status: 'pass', evidence }
  },
})

const list = 'aws eks list-access-entries --cluster-name CLUSTER > access-entries.json'
const principalIn = (text: string): string =>
  /arn:aws[a-z0-9-]*:iam::\d{12}:(?:role|user)\/[\w+=,.@/-]{1,512}/.exec(text)?.[0] ?? unnamed
const day = (time: number): string => new Date(time).toISOString()

/** In order of precedence. */
const order = [
  'principal-recreated',
  'path-left-out',
  'session-arn',
  'principal-missing',
  'type-takes-no-groups',
] as const

type Fault =
  | { readonly message: 'principal-recreated'; readonly data: Named & { created: string; recreated: string } }
  | { readonly message: 'path-left-out'; readonly data: Named & { actual: string } }
  | { readonly message: 'session-arn'; readonly data: Named & { canonical: string } }
  | { readonly message: 'principal-missing'; readonly data: Missing }
  | { readonly message: 'type-takes-no-groups'; readonly data: Typed & { extra: string } }
type Word =
  | { readonly fault: Fault; readonly seen: { readonly observed: Json; readonly expected?: Json } }
  | { readonly open: { readonly lacks: string; readonly lift: string } }

/** What is wrong with one entry, or what of it was not seen. */
export function wordOn({ principal, described, unseen }: AccessEntry, who: Principal | undefined): Word | undefined {
  const created = described?.created
  const recreated = who?.created
  const isRole = principal.includes(':role/')
  if (created !== undefined && recreated !== undefined && recreated > created && isRole) {
    const data = { principal, created: day(created), recreated: day(recreated) }
    return {
      fault: { message: 'principal-recreated', data },
      seen: { observed: data.created, expected: `not before ${data.recreated}` },
    }
  }
  const actual = who?.arn
  if (actual !== undefined && actual !== principal && withoutPath(actual) === principal)
    return {
      fault: { message: 'path-left-out', data: { principal, actual } },
      seen: { observed: principal, expected: actual },
    }
  const caller = parseCaller(principal)
  if (caller?.kind === 'session') {
    const canonical = `arn:${principal.split(':')[1]}:iam::${caller.account}:role/${caller.name}`
    return {
      fault: { message: 'session-arn', data: { principal, canonical } },
      seen: { observed: principal, expected: canonical },
    }
  }
  if (who?.missing === true && isRole)
    return {
      fault: { message: 'principal-missing', data: { principal, entry: 'there' } },
      seen: { observed: principal },
    }
  // EKS itself gives the entries of machines their groups.
  const extra = (described?.groups ?? []).filter((group) => !group.startsWith('system:'))
  if (described !== undefined && described.type !== 'STANDARD' && extra.length > 0)
    return {
      fault: {
        message: 'type-takes-no-groups',
        data: { principal, type: described.type, extra: `the groups ${extra.join(', ')}` },
      },
      seen: { observed: extra, expected: [] },
    }
  const hidden = unseen ?? who?.unseen
  if (hidden === undefined && described !== undefined) return undefined
  return {
    open: {
      lacks: hidden?.detail ?? `access entry ${principal} was not seen`,
      lift: hidden?.lift ?? onEntry('describe', principal),
    },
  }
}
