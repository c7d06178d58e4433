/** The AWS SDK's clients, each made when it is first needed, with the standard credential chain and bounded requests. */
import { readFileSync, statSync } from 'node:fs'
import { Agent } from 'node:https'
import { getCACertificates } from 'node:tls'
import type { EC2Client } from '@aws-sdk/client-ec2'
import type { EKSClient } from '@aws-sdk/client-eks'
import type { IAMClient } from '@aws-sdk/client-iam'
import type { S3Client } from '@aws-sdk/client-s3'
import type { STSClient } from '@aws-sdk/client-sts'
import type { EksHint } from './eks-hint.ts'
import { codeOf, LiveTrouble, plain } from './trouble.ts'

export type AwsClients = {
  readonly iam: () => Promise<IAMClient>
  readonly sts: () => Promise<STSClient>
  readonly eks: () => Promise<EKSClient>
  /** In the region of the machine, which its node tells. */
  readonly ec2: (region: string) => Promise<EC2Client>
  /** Follows a bucket into whichever region it is in. */
  readonly s3: () => Promise<S3Client>
  /** STS without credentials, where the workload would ask: the region of the cluster, in the partition of the role. */
  readonly exchange: (partition: string) => Promise<STSClient>
  readonly close: () => void
}

export type AwsClientSettings = {
  readonly env: NodeJS.ProcessEnv
  readonly region?: string | undefined
  readonly hint: EksHint
  readonly timeoutMs: number
  /** Those of a session that was just got, in the place of the standard chain. */
  readonly credentials?: SessionCredentials | undefined
}

/** Held by whoever was handed them, in memory, and by nothing that is printed or kept. */
export type SessionCredentials = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

const homeOf: { readonly [partition: string]: string } = {
  aws: 'us-east-1',
  'aws-cn': 'cn-north-1',
  'aws-us-gov': 'us-gov-west-1',
}

const partitionOf = (region: string): string =>
  region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'

/** `region`: where one is known; `timeoutMs`: for one request. Nothing is connected to before the first call. */
export function awsClients({ env, region, hint, timeoutMs, credentials }: AwsClientSettings): AwsClients {
  const open: { destroy: () => void }[] = []
  let agent: Agent | undefined

  const shared = () => {
    agent ??= new Agent({ keepAlive: true, maxSockets: 16, ...authorities(env), ...proxy(env) })
    return {
      retryMode: 'adaptive',
      maxAttempts: 3,
      requestHandler: {
        httpsAgent: agent,
        connectionTimeout: Math.min(timeoutMs, 10_000),
        requestTimeout: timeoutMs,
        throwOnRequestTimeout: true,
      },
      ...(credentials === undefined ? {} : { credentials }),
      // The profile that kubectl signs in with, where the person has not chosen one.
      ...(hint.profile !== undefined && (env.AWS_PROFILE ?? env.AWS_ACCESS_KEY_ID ?? '') === ''
        ? { profile: hint.profile }
        : {}),
    } as const
  }

  /** Made once, when it is first asked for, and closed with the others. */
  const lazy = <T extends { destroy: () => void }>(make: () => Promise<T>): (() => Promise<T>) => {
    let held: Promise<T> | undefined
    return () => {
      held ??= make().then((client) => {
        open.push(client)
        return client
      })
      return held
    }
  }
  const exchanges = new Map<string, () => Promise<STSClient>>()
  const machines = new Map<string, () => Promise<EC2Client>>()

  const fromProfile = async (): Promise<string | undefined> => {
    const { STSClient } = await import('@aws-sdk/client-sts')
    const client = new STSClient(shared())
    try {
      return await client.config.region()
    } catch {
      return undefined
    } finally {
      client.destroy()
    }
  }
  const chosen = region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined)
  let usual: Promise<string> | undefined
  const usualRegion = (): Promise<string> => {
    usual ??= (async () => chosen ?? (await fromProfile()) ?? hint.region ?? 'us-east-1')()
    return usual
  }
  const clusterRegion = async (): Promise<string> => region ?? hint.region ?? (await usualRegion())

  return {
    iam: lazy(async () => {
      const { IAMClient } = await import('@aws-sdk/client-iam')
      return new IAMClient({ ...shared(), region: await usualRegion() })
    }),
    sts: lazy(async () => {
      const { STSClient } = await import('@aws-sdk/client-sts')
      return new STSClient({ ...shared(), region: await usualRegion() })
    }),
    eks: lazy(async () => {
      const { EKSClient } = await import('@aws-sdk/client-eks')
      return new EKSClient({ ...shared(), region: await clusterRegion() })
    }),
    s3: lazy(async () => {
      const { S3Client } = await import('@aws-sdk/client-s3')
      return new S3Client({ ...shared(), region: await usualRegion(), followRegionRedirects: true })
    }),
    ec2: (region) => {
      const held = machines.get(region)
      if (held !== undefined) return held()
      const made = lazy(async () => {
        const { EC2Client } = await import('@aws-sdk/client-ec2')
        return new EC2Client({ ...shared(), region: region === '' ? await clusterRegion() : region })
      })
      machines.set(region, made)
      return made()
    },
    exchange: (partition) => {
      const held = exchanges.get(partition)
      if (held !== undefined) return held()
      const made = lazy(async () => {
        const { STSClient } = await import('@aws-sdk/client-sts')
        const near = await clusterRegion()
        const region = partitionOf(near) === partition ? near : (homeOf[partition] ?? near)
        return new STSClient({ ...shared(), region })
      })
      exchanges.set(partition, made)
      return made()
    },
    close: () => {
      for (const client of open) client.destroy()
      agent?.destroy()
    },
  }
}

/** The JavaScript SDK does not read AWS_CA_BUNDLE by itself; the command line and botocore do. */
function authorities(env: NodeJS.ProcessEnv): { readonly ca?: string[] } {
  const file = env.AWS_CA_BUNDLE
  if (file === undefined || file === '') return {}
  try {
    if (statSync(file).size > 4 << 20) throw new Error('too large')
    return { ca: [...getCACertificates('default'), readFileSync(file, 'utf8')] }
  } catch (error) {
    throw new LiveTrouble(
      `AWS_CA_BUNDLE names ${plain(file)}, which cannot be read (${codeOf(error) || 'too large'})`,
      'so AWS was not asked',
      'correct or unset AWS_CA_BUNDLE',
    )
  }
}

const proxy = (env: NodeJS.ProcessEnv): { readonly proxyEnv?: NodeJS.ProcessEnv } =>
  (env.HTTPS_PROXY ?? env.https_proxy ?? '') === '' ? {} : { proxyEnv: env }
