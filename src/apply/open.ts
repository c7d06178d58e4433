/** Opens the writers: one connection to the cluster of the kubeconfig, and each cloud with this machine's own credentials when it is first written to. */
import type { KubeFlags } from '../sources/live/kubeconfig.ts'
import { refused, type Writer, type Writers } from './writer.ts'

export type WriterSettings = {
  readonly flags: KubeFlags
  readonly version: string
  readonly env?: NodeJS.ProcessEnv | undefined
}

/** @throws LiveTrouble where the kubeconfig leads to no cluster */
export async function openWriters({ flags, version, env = process.env }: WriterSettings): Promise<Writers> {
  const [{ connect }, { pathOf }, { kubernetesWriter }] = await Promise.all([
    import('../sources/live/api-server.ts'),
    import('../sources/live/kubernetes-lists.ts'),
    import('./kubernetes.ts'),
  ])
  const api = await connect(flags, { env, version })
  const kubernetes = kubernetesWriter(api, pathOf)
  const closers: (() => void)[] = [() => api.close()]
  let aws: Promise<Writer> | undefined
  let gcp: Promise<Writer> | undefined

  const openGcp = async (): Promise<Writer> => {
    const [{ googleRest }, { readLab }, { unseenBy }, { gcpWriter }] = await Promise.all([
      import('../sources/live/gcp-rest.ts'),
      import('../sources/live/lab-hook.ts'),
      import('../sources/live/gcp-answers.ts'),
      import('./gcp-writer.ts'),
    ])
    const rest = googleRest({ env, lab: readLab(env), version })
    closers.push(() => rest.close())
    return gcpWriter(rest, unseenBy)
  }

  const openAws = async (): Promise<Writer> => {
    const [{ awsClients }, { eksHint }, { serviceError, unseen }, { awsWriter }, { iamCalls }, { eksCalls }] =
      await Promise.all([
        import('../sources/live/aws-clients.ts'),
        import('../sources/live/eks-hint.ts'),
        import('../sources/live/aws-answers.ts'),
        import('./aws-writer.ts'),
        import('./iam-calls.ts'),
        import('./eks-calls.ts'),
      ])
    const clients = awsClients({ env, hint: eksHint(api), timeoutMs: 30_000 })
    closers.push(() => clients.close())
    let signedIn: Promise<string | undefined> | undefined
    const account = (): Promise<string | undefined> => {
      signedIn ??= (async () => {
        const { GetCallerIdentityCommand } = await import('@aws-sdk/client-sts')
        const sts = await clients.sts()
        return (await sts.send(new GetCallerIdentityCommand({}))).Account
      })()
      return signedIn
    }
    const why = (error: unknown, call: string) => {
      const { why: reason, detail, lift } = unseen(error, { system: 'aws', call, input: {} })
      const answer = serviceError(error)
      if (reason === 'forbidden') return { why: answer?.message ?? detail, lift: `IAM: ${call}` }
      const said = answer === undefined ? detail : `${answer.code}: ${answer.message}`
      return lift === undefined ? { why: said } : { why: said, lift }
    }
    return awsWriter(clients, { ...iamCalls, ...eksCalls }, why, account)
  }

  let azure: Promise<Writer> | undefined
  const openAzure = async (): Promise<Writer> => {
    const [{ azureRest }, { readLab }, { azureWriter }, { azureCalls }] = await Promise.all([
      import('../sources/live/azure-rest.ts'),
      import('../sources/live/lab-hook.ts'),
      import('./azure-writer.ts'),
      import('./azure-calls.ts'),
    ])
    const rest = azureRest({ env, version, lab: readLab(env) })
    closers.push(() => rest.close())
    return azureWriter(rest, azureCalls)
  }

  return {
    place: { server: api.server, context: api.context ?? api.cluster },
    prepare: async (change, manner) => {
      if (change.system === 'kubernetes') return kubernetes.prepare(change, manner)
      if (change.system === 'azure') {
        azure ??= openAzure()
        return (await azure).prepare(change, manner)
      }
      if (change.system === 'gcp') {
        gcp ??= openGcp()
        return (await gcp).prepare(change, manner)
      }
      if (change.system !== 'aws') return refused(`${change.system} is not written to yet`)
      aws ??= openAws()
      return (await aws).prepare(change, manner)
    },
    close: () => {
      for (const one of closers) one()
    },
  }
}
