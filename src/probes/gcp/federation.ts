/** The provider that a workload outside GKE exchanges its token at, the token, and what the provider's rules make of it. */
import {
  absent,
  defineProbe,
  type Fact,
  type Inquiry,
  known,
  type Question,
  reading,
  unknown,
} from '../../core/fact.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import type { Evaluated, Outcome } from '../../domain/gcp-cel.ts'
import {
  audienceOfConfiguration,
  type Configuration,
  isFleet,
  providerIn,
  tokenFileOf,
} from '../../domain/gcp-credentials.ts'
import { audiencesOf, type Pool, type Provider, partsOf, readPool, readProvider } from '../../domain/gcp-provider.ts'
import { type GoogleExchange, gcp, kubernetes } from '../../domain/questions.ts'
import type { Pod } from '../../domain/workloads.ts'
import { type Issuer, issuer } from '../cluster/issuer.ts'
import { readToken, type Token } from '../cluster/minted-token.ts'
import { ownTokens } from '../workload/own-tokens.ts'
import { type GoogleAccount, googleAccount } from './account.ts'
import { heardOf, orderAtProvider, type Proof, proofOf } from './proof.ts'
import { configurationsIn } from './world.ts'

export type Federation = {
  readonly google: GoogleAccount
  /** What its pods read, where one was seen. */
  readonly configuration?: Configuration
  /** `projects/…/providers/…`, as somebody names it. */
  readonly named?: string
  readonly provider: Fact<Provider>
  readonly pool: Fact<Pool>
  readonly token: Fact<Token>
  readonly issuer: Fact<Issuer>
  /** The audience that the pod's volume asks for, which its tokens have. */
  readonly audience?: { readonly value: string; readonly from: Question; readonly byWebhook: boolean }
  /** Absent without a provider, a token, or a mapping. */
  readonly evaluated: Fact<Evaluated>
  readonly others: readonly Provider[]
  /** What Google said to a token that was minted for this; absent where none could be. */
  readonly proof: Fact<Proof>
  /** The exchange that it is the answer to. */
  readonly order?: GoogleExchange
}

export const webhookProvider = 'cloud.google.com/workload-identity-provider'
export const webhookAccount = 'cloud.google.com/service-account-email'
export const webhookAudience = 'cloud.google.com/audience'
export const webhookVolume = 'gcp-iam-token'
export const webhookDefault = 'sts.googleapis.com'

const variable = 'GOOGLE_APPLICATION_CREDENTIALS'

/** The ConfigMap behind the path that a container reads its configuration from. */
export function mapBehind(
  pod: Pod,
): { readonly name: string; readonly path: string; readonly container: string } | undefined {
  for (const container of pod.containers) {
    const path = container.env[variable]
    if (typeof path !== 'string' || path === '') continue
    const mount = container.mounts
      .filter(({ mountPath }) => path.startsWith(`${mountPath.replace(/\/+$/, '')}/`) || path === mountPath)
      .sort((a, b) => b.mountPath.length - a.mountPath.length)[0]
    const volume = pod.volumes.find(({ name }) => name === mount?.name)
    if (volume?.from?.kind === 'ConfigMap') return { name: volume.from.name, path, container: container.name }
  }
  return undefined
}

/** The configuration in a ConfigMap that one of the pods reads. */
export async function mappedConfiguration(
  pods: readonly Pod[],
  ask: Inquiry['ask'],
): Promise<Configuration | undefined> {
  for (const pod of pods) {
    const map = mapBehind(pod)
    if (map === undefined) continue
    const fact = await ask(kubernetes.get('configmaps', pod.namespace, map.name))
    const found = fact.state === 'known' ? configurationsIn(fact.value) : []
    const named = found.find(({ key }) => key !== undefined && map.path.endsWith(`/${key}`)) ?? found[0]
    if (named !== undefined) return named
  }
  return undefined
}

export async function configurationOf(
  google: GoogleAccount,
  pods: readonly Pod[],
  ask: Inquiry['ask'],
): Promise<Configuration | undefined> {
  const mapped = await mappedConfiguration(pods, ask)
  if (mapped !== undefined) return mapped
  const { configurations } = google.world
  const used = pods.some(({ containers }) => containers.some(({ env }) => variable in env)) || pods.length === 0
  return configurations.length === 1 && used && google.annotation === undefined ? configurations[0] : undefined
}

export const projectedFor = (pods: readonly Pod[], file: string | undefined) => {
  for (const pod of pods)
    for (const volume of pod.volumes)
      for (const token of volume.tokens) {
        const mounted = pod.containers.some(({ mounts }) =>
          mounts.some(
            ({ name, mountPath }) => name === volume.name && file === `${mountPath.replace(/\/+$/, '')}/${token.path}`,
          ),
        )
        if (mounted || volume.name === webhookVolume || providerIn(token.audience) !== undefined)
          return { pod, volume, token }
      }
  return undefined
}

const checksOfProviders = /^gcp\/(?:provider|credential|token-is-current)/

export const googleFederation = defineProbe({
  id: 'gcp/federation',
  about: 'the provider that the workload exchanges its token at',
  scope: 'service-account',
  needs: { googleAccount },
  wants: { ownTokens, issuer },
  only: 'googleAccount',
  ask: async ({ googleAccount }, { ownTokens, issuer }, { ask, subject }): Promise<Fact<Federation>> => {
    const google = googleAccount.value
    const { world, account, pods } = google
    const configuration = await configurationOf(google, pods, ask)
    const projected = projectedFor(pods, configuration === undefined ? undefined : tokenFileOf(configuration))
    const annotated = account?.annotations[webhookProvider]
    const seen =
      ownTokens.state === 'known'
        ? ownTokens.value.tokens.filter(({ kind }) => kind !== 'other' || subject.kind === 'Cluster')
        : []
    const [sole] = world.providers
    const isOwn = (provider: Provider): boolean =>
      seen.some(
        ({ audiences, issuer }) =>
          issuer === provider.issuer ||
          audiences.some((one) => audiencesOf(provider).includes(one) || one.includes('/workloadIdentityPools/')),
      ) ||
      google.heard.some(({ check }) => checksOfProviders.test(check)) ||
      subject.kind === 'Cluster' ||
      [...google.grants, ...google.openGrants].some(({ member }) => member.includes(`/${provider.pool}/`)) ||
      projected !== undefined
    const linked =
      world.providers.length === 1 && sole !== undefined && google.annotation === undefined && isOwn(sole)
        ? sole.name
        : undefined
    const named =
      providerIn(configuration === undefined ? undefined : audienceOfConfiguration(configuration)) ??
      providerIn(annotated) ??
      (projected?.volume.name === webhookVolume ? undefined : providerIn(projected?.token.audience)) ??
      linked
    const asked = google.heard.some(({ check }) => checksOfProviders.test(check))
    if (named === undefined && configuration === undefined && annotated === undefined && !asked)
      return absent(gcp.collected())
    // Fleets have no providers: their pool trusts each member cluster by itself.
    if (named === undefined && configuration !== undefined && isFleet(configuration)) return absent(gcp.collected())
    const nobody = unknown(
      'not-collected',
      'no provider that the workload uses was seen',
      gcp.workloadIdentityPoolProviders(),
      'gcloud iam workload-identity-pools providers describe PROVIDER --format json',
    )
    const provider: Fact<Provider> =
      named === undefined ? nobody : reading(await ask(gcp.provider(named)), readProvider)
    const parts = named === undefined ? undefined : partsOf(named)
    const pool: Fact<Pool> =
      parts === undefined
        ? absent(gcp.collected())
        : reading(
            await ask(gcp.pool(`projects/${parts.number}/locations/global/workloadIdentityPools/${parts.pool}`)),
            readPool,
          )
    const value =
      projected?.token.audience ??
      (annotated === undefined ? undefined : (account?.annotations[webhookAudience] ?? webhookDefault))
    const audience =
      value === undefined
        ? undefined
        : {
            value,
            from: google.fact.from,
            byWebhook: projected === undefined || projected.volume.name === webhookVolume,
          }
    const wanted = value ?? (provider.state === 'known' ? audiencesOf(provider.value)[0] : undefined)
    const fits =
      seen.find(({ audiences }) => wanted !== undefined && audiences.includes(wanted)) ??
      seen.find(({ audiences }) => audiences.some((one) => one.includes('workloadIdentityPools'))) ??
      (seen.length === 1 ? seen[0] : undefined)
    const token: Fact<Token> =
      fits !== undefined
        ? known(fits, ownTokens.from)
        : subject.kind === 'ServiceAccount' && subject.namespace !== undefined && provider.state === 'known'
          ? reading(
              await ask(kubernetes.token({ namespace: subject.namespace, name: subject.name, audience: wanted ?? '' })),
              readToken,
            )
          : unknown(
              'not-collected',
              'no token of the workload was seen',
              ownTokens.from,
              'kubectl create token NAME > token.jwt',
            )
    const who = { namespace: subject.namespace ?? '', name: subject.name }
    const order =
      subject.kind === 'ServiceAccount' && named !== undefined
        ? orderAtProvider(who, named, { provider, audience: value, configuration })
        : undefined
    const proof = await proofOf(order, ask)
    // Rules that were not seen may read what only tokens of pods have.
    const ofProof = heardOf(proof).filter(
      ({ check }) => provider.state === 'known' || check !== 'gcp/provider-admits-token-claims',
    )
    return known(
      {
        google: { ...google, heard: [...ofProof, ...google.heard] },
        proof,
        ...(order === undefined ? {} : { order }),
        ...(configuration === undefined ? {} : { configuration }),
        ...(named === undefined ? {} : { named }),
        provider,
        pool,
        token,
        issuer,
        ...(audience === undefined ? {} : { audience }),
        evaluated: await evaluated(provider, token, pods),
        others: world.providers,
      },
      provider.from,
    )
  },
})

/** Tokens that somebody asked for are bound to no pod; those of pods say which one they are of. */
function asOfPod(claims: JsonObject, [pod]: readonly Pod[]): JsonObject {
  const own = claims['kubernetes.io']
  if (!isObject(own) || own.pod !== undefined || pod?.uid === undefined) return claims
  const node = own.node === undefined && pod.node !== undefined ? { node: { name: pod.node, uid: '' } } : {}
  return { ...claims, 'kubernetes.io': { ...own, pod: { name: pod.name, uid: pod.uid }, ...node } }
}

const onlyOfPods = /^assertion\['kubernetes\.io'\](?:\.|\[')(?:pod|node)\b/

/** What only tokens of pods have is not missing for being missing in another one. */
const unlessOfPods = (outcome: Outcome): Outcome =>
  outcome.state === 'missing' && onlyOfPods.test(outcome.claim)
    ? { state: 'unknown', why: `the token at hand is bound to no pod, and only those that are have ${outcome.claim}` }
    : outcome

async function evaluated(provider: Fact<Provider>, token: Fact<Token>, pods: readonly Pod[]): Promise<Fact<Evaluated>> {
  if (provider.state !== 'known') return provider
  if (token.state !== 'known') return token
  const own = token.value.claims['kubernetes.io']
  const isOfPod = !isObject(own) || own.pod !== undefined
  const claims = asOfPod(token.value.claims, pods)
  // The evaluator is large, and few workloads need it.
  const { evaluateProvider } = await import('../../domain/gcp-cel.ts')
  const found = evaluateProvider(provider.value.mapping, provider.value.condition, claims)
  if (isOfPod) return known(found, provider.from)
  const mapped = Object.fromEntries(Object.entries(found.mapped).map(([key, one]) => [key, unlessOfPods(one)]))
  const condition = found.condition === undefined ? {} : { condition: unlessOfPods(found.condition) }
  return known({ ...found, mapped, ...condition }, provider.from)
}
