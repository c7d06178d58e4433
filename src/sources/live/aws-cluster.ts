/** The EKS cluster being examined, found by what the kubeconfig says of it and confirmed by its endpoint or authority. */
import type { Cluster, EKSClient } from '@aws-sdk/client-eks'
import { absent, type Fact, known, type Question, unknown } from '../../core/fact.ts'
import { type Json, textAt } from '../../core/json.ts'
import { serviceError, signIn, unseen } from './aws-answers.ts'
import type { AwsClients } from './aws-clients.ts'
import type { EksHint } from './eks-hint.ts'
import { plain } from './trouble.ts'

export type ClusterSeeker = {
  readonly clients: AwsClients
  readonly hint: EksHint
  readonly server: string
  readonly caData?: string | undefined
  /** `gitVersion` of the API server; EKS and its relatives have `-eks-` in it. */
  readonly version: (signal?: AbortSignal) => Promise<Fact<Json>>
  /** In a lab every endpoint is on loopback and proves nothing. */
  readonly lab: boolean
}

const mostClusters = 20
const mostPages = 20

/** → `{cluster}`; absent where the cluster is not on EKS. */
export async function seekCluster(
  seeker: ClusterSeeker,
  question: Question,
  signal?: AbortSignal,
): Promise<Fact<Json>> {
  const { hint, clients } = seeker
  if (hint.name === undefined && !hint.endpoint) {
    const version = await seeker.version(signal)
    if (version.state === 'unknown') return { ...version, from: question }
    const git = version.state === 'known' ? (textAt(version.value, 'gitVersion') ?? '') : ''
    if (!git.includes('-eks-')) return absent(question)
    if (!seeker.lab)
      return unknown(
        'not-collected',
        'the API server is one of EKS, but the kubeconfig does not say which cluster',
        question,
        'a context made by `aws eks update-kubeconfig`, or `aws eks describe-cluster` as a document with -f',
      )
  }
  try {
    const eks = await clients.eks()
    const cluster =
      hint.name === undefined ? await byEndpoint(eks, seeker, signal) : await describe(eks, hint.name, signal)
    if (cluster !== undefined && isTheOne(cluster, seeker)) return known({ cluster: facts(cluster) }, question)
    return unknown('forbidden', elsewhere(seeker, await eks.config.region()), question, signIn)
  } catch (error) {
    if (serviceError(error)?.code === 'ResourceNotFoundException')
      return unknown('forbidden', elsewhere(seeker, hint.region), question, signIn)
    return unseen(error, question)
  }
}

const elsewhere = ({ hint }: ClusterSeeker, region: string | undefined): string =>
  `${hint.name === undefined ? 'the cluster' : `the EKS cluster ${plain(hint.name)}`} was not found${region === undefined ? '' : ` in ${plain(region)}`} with these AWS credentials; they are probably those of another account`

async function describe(eks: EKSClient, name: string, signal: AbortSignal | undefined): Promise<Cluster | undefined> {
  const { DescribeClusterCommand } = await import('@aws-sdk/client-eks')
  const { cluster } = await eks.send(new DescribeClusterCommand({ name }), sending(signal))
  return cluster
}

async function byEndpoint(
  eks: EKSClient,
  seeker: ClusterSeeker,
  signal: AbortSignal | undefined,
): Promise<Cluster | undefined> {
  const { ListClustersCommand } = await import('@aws-sdk/client-eks')
  const { clusters = [] } = await eks.send(new ListClustersCommand({ maxResults: mostClusters }), sending(signal))
  for (const name of clusters.slice(0, mostClusters)) {
    const cluster = await describe(eks, name, signal)
    if (cluster !== undefined && isTheOne(cluster, seeker)) return cluster
  }
  return undefined
}

/** A cluster of the same name in another account or region is another cluster. */
function isTheOne(
  { endpoint, certificateAuthority, arn }: Cluster,
  { server, caData, hint, lab }: ClusterSeeker,
): boolean {
  if (lab) return true
  if (hint.account !== undefined && arn?.split(':')[4] !== hint.account) return false
  const same = URL.parse(endpoint ?? '')?.host.toLowerCase() === URL.parse(server)?.host.toLowerCase()
  const signedAlike = caData !== undefined && caData !== '' && certificateAuthority?.data === caData
  // Behind a tunnel the endpoint differs; without an authority to compare, the name that kubectl signs in with has to do.
  return same || signedAlike || (!hint.endpoint && (caData ?? '') === '')
}

const sending = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal })

function facts(cluster: Cluster): Json {
  const { name, arn, endpoint, version, status, platformVersion, identity, accessConfig, certificateAuthority } =
    cluster
  const vpcId = cluster.resourcesVpcConfig?.vpcId
  return JSON.parse(
    JSON.stringify({
      name,
      ...(vpcId === undefined ? {} : { resourcesVpcConfig: { vpcId } }),
      arn,
      endpoint,
      version,
      status,
      platformVersion,
      identity,
      accessConfig,
      certificateAuthority,
    }),
  )
}

/** → `{associations, complete}`; absent where the cluster is not on EKS. */
export async function seekAssociations(
  cluster: Fact<Json>,
  clients: AwsClients,
  question: Question,
  signal?: AbortSignal,
): Promise<Fact<Json>> {
  if (cluster.state !== 'known') return { ...cluster, from: question }
  const clusterName = textAt(cluster.value, 'cluster', 'name')
  if (clusterName === undefined) return unknown('malformed', 'the cluster has no name', question)
  try {
    const { ListPodIdentityAssociationsCommand } = await import('@aws-sdk/client-eks')
    const eks = await clients.eks()
    const associations: Json[] = []
    let nextToken: string | undefined
    for (let page = 0; page < mostPages; page += 1) {
      const input = { clusterName, maxResults: 100, ...(nextToken === undefined ? {} : { nextToken }) }
      const answer = await eks.send(new ListPodIdentityAssociationsCommand(input), sending(signal))
      for (const { namespace, serviceAccount, associationArn, associationId } of answer.associations ?? [])
        if (namespace !== undefined && serviceAccount !== undefined)
          associations.push({
            namespace,
            serviceAccount,
            ...(associationArn === undefined ? {} : { associationArn }),
            ...(associationId === undefined ? {} : { associationId }),
          })
      nextToken = answer.nextToken
      if (nextToken === undefined) return known({ associations, complete: true }, question)
    }
    return known({ associations, complete: false }, question)
  } catch (error) {
    return unseen(error, question)
  }
}
