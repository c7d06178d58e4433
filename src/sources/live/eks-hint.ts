/** Which EKS cluster a kubeconfig means, read from its names, its plugin's arguments and its server. */
import { textAt } from '../../core/json.ts'
import type { ApiServer } from './api-server.ts'

export type EksHint = {
  readonly name?: string
  readonly region?: string
  readonly account?: string
  readonly profile?: string
  /** The server is one of EKS's own endpoints. */
  readonly endpoint: boolean
}

const region = '[a-z]{2,4}(?:-[a-z]+){1,3}-\\d{1,2}'
const arnForm = new RegExp(`^arn:[\\w-]+:eks:(${region}):(\\d{12}):cluster/([\\w-]{1,100})$`)
const eksctlForm = new RegExp(`(?:^|@)([\\w-]{1,100})\\.(${region})\\.eksctl\\.io$`)
const hostForms = [
  new RegExp(`^[0-9a-f]{32}\\.[\\w-]+\\.(${region})\\.eks\\.amazonaws\\.com(?:\\.cn)?$`, 'i'),
  new RegExp(`^[0-9a-f]{32}\\.[\\w-]+\\.eks-cluster\\.(${region})\\.api\\.aws$`, 'i'),
]

/** Pure. Several places may name the cluster; the plugin's arguments come first: they are what kubectl itself signs in with. */
export function eksHint(api: Pick<ApiServer, 'server' | 'context' | 'cluster' | 'execArgs' | 'execEnv'>): EksHint {
  const after = (...flags: readonly string[]): string | undefined => {
    for (const [index, arg] of api.execArgs.entries()) {
      if (flags.includes(arg)) return api.execArgs[index + 1]
      const joined = flags.find((flag) => arg.startsWith(`${flag}=`))
      if (joined !== undefined) return arg.slice(joined.length + 1)
    }
    return undefined
  }
  const host = URL.parse(api.server)?.hostname ?? ''
  const ofHost = hostForms.map((form) => form.exec(host)?.[1]).find((found) => found !== undefined)
  const names = [api.cluster, api.context ?? '']
  const arn = names.map((text) => arnForm.exec(text)).find((found) => found !== null)
  const eksctl = names.map((text) => eksctlForm.exec(text)).find((found) => found !== null)
  const aws = api.execArgs.includes('get-token') || after('--cluster-name', '-i', '--cluster-id') !== undefined
  const name = (aws ? after('--cluster-name', '-i', '--cluster-id') : undefined) ?? arn?.[3] ?? eksctl?.[1]
  const where =
    (aws ? after('--region') : undefined) ??
    ofHost ??
    arn?.[1] ??
    eksctl?.[2] ??
    textAt(api.execEnv, 'AWS_REGION') ??
    textAt(api.execEnv, 'AWS_DEFAULT_REGION')
  const profile = (aws ? after('--profile') : undefined) ?? textAt(api.execEnv, 'AWS_PROFILE')
  return {
    ...(name === undefined ? {} : { name }),
    ...(where === undefined ? {} : { region: where }),
    ...(arn?.[2] === undefined ? {} : { account: arn[2] }),
    ...(profile === undefined ? {} : { profile }),
    endpoint: ofHost !== undefined,
  }
}
