/** Which audiences a pod's clouds take, where the default of the mechanism is not what its volumes ask for. */
import { defineProbe, type Fact, known, type Soon } from '../../core/fact.ts'
import { textsAt } from '../../core/json.ts'
import { audienceAnnotation, azureClientAnnotation, bindingAudience, roleAnnotation } from '../../domain/audiences.ts'
import { usesBinding } from '../../domain/azure-pods.ts'
import { withoutScheme } from '../../domain/issuer-url.ts'
import { aws } from '../../domain/questions.ts'
import { type Mechanism, mechanisms, tokenFilesOf } from '../../domain/token-files.ts'
import { apiServer } from '../cluster/api-server.ts'
import { issuer } from '../cluster/issuer.ts'
import { keysAreManaged } from '../cluster/own-keys.ts'
import { azureCredentials, type GoogleProvider, googleProviders } from '../cluster/registrations.ts'
import { pod } from './pod.ts'
import { serviceAccount } from './service-account.ts'

export type AcceptedAudiences = {
  /** What each cloud's own list holds, else its defaults; the first is what a message expects. */
  readonly of: { readonly [M in Mechanism]: readonly string[] }
  readonly google: readonly GoogleProvider[]
  /** Why the providers could not be seen, where somebody looked. */
  readonly googleUnseen?: string
  /** Mechanisms that the ServiceAccount asks its webhook for; undefined where the account was not seen. */
  readonly asked?: readonly Mechanism[]
  /** Lifetime that an annotation asks the Azure webhook for. */
  readonly azureLifetime?: number
  /** The audience of a token for which none is named. */
  readonly apiServer?: string
  /** Whether that was seen, or is so wherever somebody else runs the API server; by default it is the issuer. */
  readonly apiServerCertain: boolean
}

const lifetimeAnnotation = 'azure.workload.identity/service-account-token-expiration'

/** Never unknown: what was not seen leaves the defaults. */
export const acceptedAudiences = defineProbe({
  id: 'workload/accepted-audiences',
  about: 'the audiences that the clouds take',
  scope: 'pod',
  needs: { pod },
  wants: { serviceAccount, issuer, keysAreManaged, apiServer, googleProviders, azureCredentials },
  only: 'pod',
  ask: (
    { pod },
    { serviceAccount, issuer, keysAreManaged, apiServer, googleProviders, azureCredentials },
    inquiry,
  ): Soon<Fact<AcceptedAudiences>> => {
    const account = serviceAccount.state === 'known' ? serviceAccount.value : undefined
    const annotated = account?.annotations[audienceAnnotation]
    const role = account?.annotations[roleAnnotation]
    const asked: Mechanism[] = []
    if (role !== undefined) asked.push('web-identity')
    if (
      account?.annotations[azureClientAnnotation] !== undefined ||
      pod.value.labels['azure.workload.identity/use'] === 'true'
    )
      asked.push('azure')
    const lifetime = Number(
      pod.value.annotations[lifetimeAnnotation] ?? account?.annotations[lifetimeAnnotation] ?? Number.NaN,
    )
    const own =
      apiServer.state === 'known'
        ? (apiServer.value.audiences[0] ?? apiServer.value.issuers[0])
        : issuer.state === 'known'
          ? issuer.value.issuer
          : undefined
    const credentials =
      azureCredentials.state === 'known'
        ? azureCredentials.value.items.filter(
            ({ subject }) => subject === `system:serviceaccount:${pod.value.namespace}:${pod.value.serviceAccount}`,
          )
        : []
    const inCredentials =
      credentials.length === 0 ? [] : [...new Set(credentials.flatMap(({ audiences }) => audiences))]
    const china = role?.startsWith('arn:aws-cn:') ? ['sts.amazonaws.com.cn'] : []
    const finish = (listed: readonly string[]): Fact<AcceptedAudiences> =>
      known(
        {
          of: {
            'web-identity': [
              ...(annotated ? [annotated] : []),
              ...listed,
              ...mechanisms['web-identity'].audiences,
              ...china,
            ],
            'pod-identity': mechanisms['pod-identity'].audiences,
            // The token of a binding is for the cluster's own proxy, and for no credential.
            azure: usesBinding(pod.value)
              ? [bindingAudience]
              : inCredentials.length > 0
                ? inCredentials
                : mechanisms.azure.audiences,
          },
          google: googleProviders.state === 'known' ? googleProviders.value.items : [],
          ...(googleProviders.state === 'unknown' &&
          googleProviders.why !== 'not-collected' &&
          googleProviders.why !== 'not-asked'
            ? { googleUnseen: googleProviders.detail }
            : {}),
          ...(account === undefined ? {} : { asked }),
          ...(Number.isNaN(lifetime) ? {} : { azureLifetime: lifetime }),
          ...(own === undefined ? {} : { apiServer: own }),
          apiServerCertain: apiServer.state === 'known' || (keysAreManaged.state === 'known' && keysAreManaged.value),
        },
        pod.from,
      )
    // Only an audience that is neither the default nor annotated makes the provider's own list matter.
    const unusual = tokenFilesOf(pod.value).some(
      ({ mechanism, source }) =>
        mechanism === 'web-identity' &&
        source?.audience !== undefined &&
        source.audience !== (annotated ?? mechanisms['web-identity'].audiences[0]),
    )
    if (!unusual || issuer.state !== 'known') return finish([])
    const [, partition, number] = /^arn:([a-z0-9-]+):iam::(\d{12}):/.exec(roleOf(pod.value, role)) ?? []
    if (number === undefined) return finish([])
    const arn = `arn:${partition}:iam::${number}:oidc-provider/${withoutScheme(issuer.value.issuer)}`
    const soon = inquiry.ask(aws.oidcProvider(arn))
    const listed = (fact: Awaited<typeof soon>): readonly string[] =>
      fact.state === 'known' ? textsAt(fact.value, 'ClientIDList') : []
    return soon instanceof Promise ? soon.then((fact) => finish(listed(fact))) : finish(listed(soon))
  },
})

const roleOf = (
  pod: { readonly containers: readonly { readonly env: { readonly [name: string]: string | null } }[] },
  annotated: string | undefined,
): string => annotated ?? pod.containers.map(({ env }) => env.AWS_ROLE_ARN).find((one) => typeof one === 'string') ?? ''
