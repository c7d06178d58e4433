/** Whether the collected kubeconfig signs in as somebody whom the EKS cluster knows. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { parseCaller } from '../../domain/arn.ts'
import { entriesOf, withoutPath } from '../../domain/aws-auth.ts'
import { sh } from '../../domain/shell-words.ts'
import { type Doors, doors } from '../../probes/eks/doors.ts'
import { endpoint, signedInAs, signIn } from '../../probes/eks/kubeconfig.ts'
import { ofSigningIn } from '../../probes/eks/observed.ts'

type User = { readonly user: string }
type Cluster = { readonly cluster: string }

const update = (cluster: string): string => sh`aws eks update-kubeconfig --name ${cluster}`
const whoAmI = 'aws sts get-caller-identity'

export const check = defineCheck({
  meta: {
    id: 'eks/kubeconfig-presents-a-mapped-identity',
    title: 'The kubeconfig presents an identity that the cluster knows',
    severity: 'error',
    scope: 'cluster',
    cloud: 'aws',
    section: 'Access',
    why: 'The plugin prints a token even for keys that are invalid, and EKS answers every kind of failure with the same word: Unauthorized.',
    fix: {
      safety: 'manual',
      does: 'Write the kubeconfig anew with the profile or role that is mapped, or have an administrator of the cluster make an access entry; nobody grants anything to himself.',
    },
    links: [
      'https://docs.aws.amazon.com/eks/latest/userguide/create-kubeconfig.html',
      'https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html',
      'https://github.com/kubernetes-sigs/aws-iam-authenticator/issues/174',
      'https://github.com/terraform-aws-modules/terraform-aws-eks/issues/699',
    ],
  },
  needs: { signIn },
  wants: { signedInAs, endpoint, doors, ofSigningIn },
  after: [],
  messages: {
    'command-missing': ({ user, command }: User & Cluster & { command: string }) =>
      `user ${user} runs ${command}, which is not on PATH`,
    'exec-version-removed': ({ user, apiVersion }: User & Cluster & { apiVersion: string }) =>
      `user ${user} asks for ${apiVersion}; kubectl from 1.24 on speaks v1beta1 and v1`,
    'cluster-differs': ({
      user,
      written,
      server,
      actual,
    }: User & { written: string; server: string; actual: string }) =>
      `user ${user} asks for a token for cluster ${written}; server ${server} is cluster ${actual}`,
    'keys-invalid': ({ user, code, command }: User & { code: string; command: string }) =>
      `the AWS credentials of user ${user} are refused (${code}), though ${command} printed a token`,
    'profile-is-another-identity': ({ user, actual, mapped }: User & Cluster & { actual: string; mapped: string }) =>
      `user ${user} acts as ${actual}; the cluster knows ${mapped}`,
    'not-mapped': ({ principal, cluster }: Cluster & { principal: string }) =>
      `${principal} is in no aws-auth entry and no access entry of ${cluster}`,
  },
  remedies: {
    'command-missing': ({ command, cluster }) =>
      advice(
        `Install ${command} and put it on the PATH of whoever runs kubectl, or write the kubeconfig anew for the aws command line.`,
        update(cluster),
      ),
    'exec-version-removed': ({ cluster }) =>
      advice('Write the kubeconfig anew with a current aws command line.', update(cluster)),
    'cluster-differs': ({ actual }) =>
      advice('Write the kubeconfig anew for the cluster that is meant.', update(actual)),
    'keys-invalid': () =>
      advice(
        'Sign in to AWS anew, under the profile that the kubeconfig names; the first command then prints who it is.',
        whoAmI,
      ),
    'profile-is-another-identity': ({ cluster, mapped }) =>
      advice(
        `Write the kubeconfig anew with the profile or role (--profile, --role-arn) of somebody whom the cluster knows: ${mapped}.`,
        `${update(cluster)} --profile PROFILE`,
      ),
    'not-mapped': ({ principal, cluster }) =>
      advice(
        'Have an administrator of the cluster make an access entry for it, with the path of the role and only the policies that are needed, or sign in as somebody who is mapped.',
        sh`aws eks create-access-entry --cluster-name ${cluster} --principal-arn ${principal}`,
      ),
  },
  judge: ({ have, want }) => {
    if (have.signIn.state === 'absent')
      return { status: 'not-applicable', reason: 'no kubeconfig that signs in to EKS was collected' }
    const { from, value: sign } = have.signIn
    const { user, command, server } = sign
    const texts = want.ofSigningIn.state === 'known' ? want.ofSigningIn.value : []
    const place = want.endpoint.state === 'known' ? want.endpoint.value : undefined
    const cluster = place?.name ?? sign.clusterName ?? 'CLUSTER'
    const written = (path: string, observed: string, expected?: string): Evidence => ({
      question: from,
      path,
      observed,
      ...(expected === undefined ? {} : { expected }),
    })
    const quoted = (found: (typeof texts)[number] | undefined): readonly Evidence[] =>
      found === undefined ? [] : [{ question: want.ofSigningIn.from, path: found.place, observed: found.text }]

    const plugin = command.split(/[/\\]/).at(-1) ?? command
    const gone = texts.find(({ text }) => /exec: executable \S{1,200} not found/.exec(text)?.[0].includes(plugin))
    if (gone !== undefined)
      return {
        status: 'fail',
        message: 'command-missing',
        data: { user, command, cluster },
        evidence: [written('user.exec.command', command), ...quoted(gone)],
      }
    const { apiVersion } = sign
    if (apiVersion?.endsWith('/v1alpha1'))
      return {
        status: 'fail',
        message: 'exec-version-removed',
        data: { user, apiVersion, cluster },
        evidence: [
          written('user.exec.apiVersion', apiVersion, 'client.authentication.k8s.io/v1beta1'),
          ...quoted(texts.find(({ text }) => text.includes('invalid apiVersion'))),
        ],
      }
    const sameServer = place !== undefined && hostOf(place.endpoint) === hostOf(server)
    if (sameServer && sign.clusterName !== undefined && sign.clusterName !== place.name)
      return {
        status: 'fail',
        message: 'cluster-differs',
        data: { user, written: sign.clusterName, server, actual: place.name },
        evidence: [written('user.exec.args', sign.clusterName, place.name)],
      }
    const invalid = texts.find(({ text }) => refusal.test(text))
    const code = invalid === undefined ? undefined : refusal.exec(invalid.text)?.[1]
    if (code !== undefined)
      return {
        status: 'fail',
        message: 'keys-invalid',
        data: { user, code, command: plugin },
        evidence: quoted(invalid),
      }

    const turnedAway = texts.find(({ text }) => /must be logged in|is not mapped/.test(text))
    const caller = want.signedInAs.state === 'known' ? want.signedInAs.value : undefined
    const principal = sign.role ?? (caller === undefined ? undefined : canonical(caller))
    const ways = want.doors.state === 'known' ? want.doors.value : undefined
    if (principal === undefined || ways === undefined) {
      if (turnedAway === undefined && want.signedInAs.state !== 'unknown')
        return { status: 'not-applicable', reason: 'nothing shows who signs in, or whom the cluster knows' }
      return {
        status: 'undecided',
        lacks: principal === undefined ? 'who signs in was not seen' : 'whom the cluster knows was not seen',
        lift:
          principal === undefined
            ? `${whoAmI} > caller.json, under the profile of the kubeconfig`
            : 'kubectl get configmap aws-auth -n kube-system -o yaml, and aws eks list-access-entries',
        evidence: quoted(turnedAway),
      }
    }
    const seen: readonly Evidence[] = [
      sign.role === undefined
        ? { question: want.signedInAs.from, path: 'Arn', observed: caller ?? principal }
        : written('user.exec.args', sign.role),
    ]
    if (knows(ways, principal)) return { status: 'pass', evidence: seen }
    // Who made a cluster that goes by aws-auth may always come in, and stands nowhere.
    const creatorIsSeen = ways.mode === 'API' || ways.mode === 'API_AND_CONFIG_MAP'
    if (!ways.mapIsAll || !ways.entriesAreAll || !(creatorIsSeen || turnedAway !== undefined))
      return {
        status: 'undecided',
        lacks: `whether the cluster knows ${principal} was not seen`,
        lift: 'aws eks list-access-entries --cluster-name CLUSTER, and kubectl get configmap aws-auth -n kube-system -o yaml',
        evidence: [...seen, ...quoted(turnedAway)],
      }
    const evidence = [...seen, ...quoted(turnedAway)]
    const people = peopleIn(ways)
    if (sign.profile !== undefined && sign.role === undefined && people.length > 0)
      return {
        status: 'fail',
        message: 'profile-is-another-identity',
        data: { user, cluster, actual: principal, mapped: people.join(', ') },
        evidence: [written('user.exec.env AWS_PROFILE', sign.profile), ...evidence],
      }
    return { status: 'fail', message: 'not-mapped', data: { principal, cluster }, evidence }
  },
})

const refusal =
  /\((InvalidClientTokenId|ExpiredToken|SignatureDoesNotMatch|UnrecognizedClientException)\) when calling the GetCallerIdentity operation/

const hostOf = (url: string): string | undefined => URL.parse(url)?.host.toLowerCase()

/** The role of a session, as EKS compares it; a user as it is. */
function canonical(arn: string): string {
  const caller = parseCaller(arn)
  return caller?.kind === 'session' ? `arn:${arn.split(':')[1]}:iam::${caller.account}:role/${caller.name}` : arn
}

const same = (a: string, b: string): boolean => withoutPath(a).toLowerCase() === withoutPath(b).toLowerCase()

/** A role's path is lost on the way, so its name has to do. */
function knows({ map, entries }: Doors, principal: string): boolean {
  if (entries.some((entry) => same(entry.principal, principal))) return true
  if (map === undefined) return false
  const bare = withoutPath(principal).toLowerCase()
  const mapped = [...entriesOf(map, 'mapRoles'), ...entriesOf(map, 'mapUsers')]
  return (
    mapped.some(({ arn }) => arn?.toLowerCase() === bare) ||
    entriesOf(map, 'mapAccounts').some(({ arn }) => arn !== undefined && arn === principal.split(':')[4])
  )
}

/** Whom the cluster knows beside its machines. */
function peopleIn({ map, entries }: Doors): readonly string[] {
  const mapped = map === undefined ? [] : [...entriesOf(map, 'mapRoles'), ...entriesOf(map, 'mapUsers')]
  const ofMap = mapped.flatMap(({ arn, username }) =>
    arn === undefined || username?.startsWith('system:node:') ? [] : [arn],
  )
  const ofEntries = entries.flatMap(({ principal, described }) =>
    described === undefined || described.type === 'STANDARD' ? [principal] : [],
  )
  return [...new Set([...ofMap, ...ofEntries])].slice(0, 10)
}
