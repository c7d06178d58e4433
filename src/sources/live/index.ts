/** The live world as one source: the cluster, the internet and the clouds, each asked what belongs to it. */
import { type Fact, type Question, type Soon, type Source, unknown } from '../../core/fact.ts'
import { type Json, textAt } from '../../core/json.ts'
import { kubernetes as questions, type TokenName } from '../../domain/questions.ts'
import type { KubeFlags } from './kubeconfig.ts'
import { plain } from './trouble.ts'

export type { KubeFlags } from './kubeconfig.ts'

export type LiveOptions = {
  readonly flags: KubeFlags
  /** Many subjects: each kind is listed once in all namespaces, and events are read in all of them. */
  readonly wide?: boolean | undefined
  readonly region?: string | undefined
  /** Whether shells may be started in pods, to look at what only they see. */
  readonly exec?: boolean | undefined
  /** Milliseconds that one request may take; --request-timeout decides for the cluster. */
  readonly timeout?: number | undefined
  readonly concurrency?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly version?: string | undefined
  readonly env?: NodeJS.ProcessEnv | undefined
}

export type Live = {
  readonly source: Source
  /** Context, server and whether it is a lab, for the head of the report. */
  readonly describe: string
  /** The namespace that the flags or the kubeconfig choose. */
  readonly namespace: string
  /** Drops every token and closes every connection; whatever is asked afterwards is unknown. */
  readonly close: () => void
}

/** Milliseconds for a shell inside a pod. */
const longestLook = 10_000

/**
 * Connects and asks the API server for its version.
 * @throws LiveTrouble where there is no cluster to talk to, or it refuses the user: print its message and exit 2
 */
export async function liveSource(options: LiveOptions): Promise<Live> {
  const env = options.env ?? process.env
  const closing = new AbortController()
  const signal = options.signal === undefined ? closing.signal : AbortSignal.any([options.signal, closing.signal])
  const [{ kubernetesSource }, { oidcSource }, { observedSource }, { tokenVault }] = await Promise.all([
    import('./kubernetes.ts'),
    import('./oidc.ts'),
    import('./observed.ts'),
    import('./token-vault.ts'),
  ])
  const vault = tokenVault()
  const settings = { env, vault, signal, timeoutMs: options.timeout, version: options.version }
  const kubernetes = await kubernetesSource(options.flags, {
    ...settings,
    wide: options.wide,
    concurrency: options.concurrency,
  })
  const mint = async (token: TokenName, from?: AbortSignal): Promise<Fact<Json>> =>
    kubernetes.ask(questions.token(token), from ?? signal)
  const { api } = kubernetes
  // An error made here as the reason would hold, with its stack, everything that was read.
  const closers: (() => void)[] = [() => vault.empty(), () => closing.abort('closed'), () => kubernetes.close()]
  const close = (): void => {
    for (const one of closers) one()
  }
  try {
    const oidc = oidcSource({ ...settings, mint })
    closers.push(() => oidc.close())
    await kubernetes.preflight(signal)
    const observed = observedSource({ api, namespace: options.wide === true ? undefined : api.namespace })
    let aws: Promise<Source> | undefined
    const cloud = (): Promise<Source> => {
      aws ??= openAws()
      return aws
    }
    const openAws = async (): Promise<Source> => {
      const [{ awsSource }, { eksHint }] = await Promise.all([import('./aws.ts'), import('./eks-hint.ts')])
      const source = awsSource({
        ...settings,
        mint,
        region: options.region,
        hint: eksHint(api),
        server: api.server,
        caData: api.caData,
        version: async (from) => kubernetes.ask(questions.nonResource('/version'), from ?? signal),
        lab: oidc.lab,
      })
      closers.push(() => source.close())
      return source
    }

    let azure: Promise<Source> | undefined
    const openAzure = async (): Promise<Source> => {
      const [{ azureSource }, { azureRest }, { azureHint }, { readLab }] = await Promise.all([
        import('./azure.ts'),
        import('./azure-rest.ts'),
        import('./azure-hint.ts'),
        import('./lab-hook.ts'),
      ])
      const rest = azureRest({ ...settings, lab: readLab(env) })
      const source = azureSource({ rest, env, vault, mint, signal, hint: azureHint(api) })
      closers.push(() => source.close())
      return source
    }
    let google: Promise<Source> | undefined
    const openGoogle = async (): Promise<Source> => {
      const [{ gcpSource }, { gkeHint }, { readLab }] = await Promise.all([
        import('./gcp.ts'),
        import('./gke-hint.ts'),
        import('./lab-hook.ts'),
      ])
      const source = gcpSource({
        ...settings,
        mint,
        lab: readLab(env),
        hint: gkeHint(api),
        isGke: async () => {
          const version = await kubernetes.ask(questions.nonResource('/version'), signal)
          return version.state === 'known' && (textAt(version.value, 'gitVersion') ?? '').includes('-gke.')
        },
      })
      closers.push(() => source.close())
      return source
    }

    const look = async (question: Question, until: AbortSignal): Promise<Fact<Json>> => {
      if (options.exec !== true)
        return unknown('not-asked', '--exec was not given, so nobody looks into pods', question, '--exec')
      const { podClock } = await import('./pod-clock.ts')
      const timeoutMs = options.timeout ?? longestLook
      return podClock(question, { flags: options.flags, env, timeoutMs, signal: until, ask: kubernetes.ask })
    }

    const ask = (question: Question, own?: AbortSignal): Soon<Fact<Json>> => {
      const until = own ?? signal
      if (question.call === 'pods/exec/create') return look(question, until)
      if (question.system === 'kubernetes') return kubernetes.ask(question, until)
      if (question.system === 'oidc') return oidc.ask(question, until)
      if (question.system === 'azure') {
        azure ??= openAzure()
        return azure.then((source) => source.ask(question, until))
      }
      if (question.system === 'aws') return cloud().then((source) => source.ask(question, until))
      if (question.system === 'gcp') {
        google ??= openGoogle()
        return google.then((source) => source.ask(question, until))
      }
      return observed.ask(question, until)
    }
    const context = api.context === undefined ? `cluster ${plain(api.cluster)}` : `context ${plain(api.context)}`
    const describe = `${context} (${api.server})${oidc.lab ? ', a lab in place of the internet' : ''}`
    return { source: { name: describe, ask }, describe, namespace: api.namespace, close }
  } catch (error) {
    close()
    throw error
  }
}
