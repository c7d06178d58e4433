/** The ConfigMap of a gcsfuse volume in external mode, and whether the provider admits what the driver asks for; absent without that mode. */
import { absent, defineProbe, type Fact, known, unknown } from '../../core/fact.ts'
import { listAt, textAt, textsAt } from '../../core/json.ts'
import { gcp, kubernetes } from '../../domain/questions.ts'
import { scene } from './scene.ts'

export type ExternalCredential = {
  readonly keys: number
  /** What the driver asks for and what the provider allows, where that does not hold it. */
  readonly refused?: { readonly audience: string; readonly allowed: string }
}

export const externalCredential = defineProbe({
  id: 'storage/external-credential',
  about: 'the credential configuration of the volume',
  scope: 'pod',
  needs: {},
  wants: { scene },
  ask: async (_have, { scene }, { ask }): Promise<Fact<ExternalCredential>> => {
    const pod = scene.state === 'known' ? scene.value.pod : undefined
    const name = pod?.annotations['gke-gcsfuse/workload-identity-credential-configmap']
    if (pod === undefined || name === undefined) return absent(scene.from)
    const answer = await ask(kubernetes.get('configmaps', pod.namespace, name))
    if (answer.state !== 'known') return answer
    const keys = listAt(answer.value, 'keys').length
    const audience = textsAt(answer.value, 'mounterOptions')
      .find((one) => one.startsWith('audience='))
      ?.slice('audience='.length)
    if (audience === undefined || keys !== 1) return known({ keys }, answer.from)
    const asked = `https:${audience}`
    const providers = await ask(gcp.workloadIdentityPoolProviders())
    if (providers.state === 'unknown') return providers
    const own = providers.state === 'known' ? listAt(providers.value, 'providers') : []
    const provider = own.find((one) => audience.endsWith(`/${textAt(one, 'name') ?? '?'}`))
    if (provider === undefined)
      return unknown(
        'not-collected',
        'the provider that the configuration names was not seen',
        gcp.workloadIdentityPoolProviders(),
      )
    const allowed = textsAt(provider, 'oidc', 'allowedAudiences')
    // Without a list of its own it takes its own name, in both forms.
    return known(
      allowed.length === 0 || allowed.includes(asked)
        ? { keys }
        : { keys, refused: { audience: asked, allowed: allowed.join(', ') } },
      answer.from,
    )
  },
})
