/** Nodes that run images from Amazon ECR: which registries, what their kubelets are told, what their role allows, and what was refused. */
import {
  absent,
  defineProbe,
  type Fact,
  known,
  onward,
  type Question,
  type Soon,
  type Unknown,
} from '../../core/fact.ts'
import { at, isList, isObject, type Json, listAt, textAt, textsAt } from '../../core/json.ts'
import { documents, kubernetes, seen } from '../../domain/questions.ts'
import { type ObservedError, observedErrors } from '../cluster/observed-errors.ts'
import { minorOf } from './components.ts'

export const registryIn = (text: string): string | undefined =>
  /\b(\d{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]{5,30}\.amazonaws\.com(?:\.cn)?)\//.exec(text)?.[1]

type Use = { readonly registry: string; readonly image: string; readonly pod: string }

const usesOf = (pod: Json): readonly Use[] => {
  // Whoever brings a pull secret does not lean on the node.
  if (listAt(pod, 'spec', 'imagePullSecrets').length > 0) return []
  return [...listAt(pod, 'spec', 'containers'), ...listAt(pod, 'spec', 'initContainers')].flatMap((one) => {
    const image = textAt(one, 'image') ?? ''
    const registry = image.includes('.dkr.ecr') ? registryIn(image) : undefined
    const name = `${textAt(pod, 'metadata', 'namespace') ?? 'default'}/${textAt(pod, 'metadata', 'name') ?? ''}`
    return registry === undefined ? [] : [{ registry, image, pod: name }]
  })
}

/** By node, the first image from ECR that it runs; absent where none does. */
const usesByNode = defineProbe({
  id: 'cloud-provider/ecr-uses',
  about: 'which nodes run images from ECR',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, { subject, ask }): Soon<Fact<ReadonlyMap<string, Use>>> => {
    const question = kubernetes.list('pods')
    if (subject.whole !== true) return absent(question)
    return onward(ask(question), (answer): Fact<ReadonlyMap<string, Use>> => {
      const found = new Map<string, Use>()
      for (const pod of answer.state === 'known' ? listAt(answer.value, 'items') : []) {
        const node = textAt(pod, 'spec', 'nodeName')
        const use = node === undefined || found.has(node) ? undefined : usesOf(pod)[0]
        if (node !== undefined && use !== undefined) found.set(node, use)
      }
      return found.size === 0 ? absent(question) : known(found, question)
    })
  },
})

export type EcrUse = Use & { readonly node: string; readonly minor?: number }

/** Absent for a node that runs no image from ECR; the cluster is never one. */
export const ecrUse = defineProbe({
  id: 'cloud-provider/ecr-use',
  about: 'which registry of ECR the node pulls from',
  scope: 'node',
  needs: {},
  wants: { usesByNode },
  ask: (_have, { usesByNode }, { subject, ask }): Soon<Fact<EcrUse>> => {
    const question = kubernetes.get('nodes', undefined, subject.name)
    const use = usesByNode.state === 'known' ? usesByNode.value.get(subject.name) : undefined
    if (subject.kind !== 'Node' || subject.whole !== true || use === undefined) return absent(question)
    return onward(ask(question), (answer): Fact<EcrUse> => {
      const minor =
        answer.state === 'known' ? minorOf(textAt(answer.value, 'status', 'nodeInfo', 'kubeletVersion')) : undefined
      return known({ ...use, node: subject.name, ...(minor === undefined ? {} : { minor }) }, usesByNode.from)
    })
  },
})

export type Providers = {
  /** Whether the kubelet is told of a plugin at all; left out where its flags were not seen. */
  readonly told?: boolean
  /** What the plugin answers for; left out where its configuration was not seen. */
  readonly matchImages?: readonly string[]
  readonly from: Question
}

/** From documents only: no API tells a kubelet's flags without more permission than a look is worth. Absent where nothing was handed over. */
export const credentialProviders = defineProbe({
  id: 'cloud-provider/credential-providers',
  about: "the kubelet's image credential providers",
  scope: 'node',
  needs: {},
  wants: { ecrUse },
  ask: async (_have, { ecrUse }, { ask }): Promise<Fact<Providers>> => {
    const question = documents.ofKind('ComponentFlags')
    if (ecrUse.state !== 'known') return absent(question)
    const [flags, configs] = await Promise.all([ask(question), ask(documents.ofKind('CredentialProviderConfig'))])
    const unseen = [flags, configs].find(
      (one): one is Unknown => one.state === 'unknown' && one.why !== 'not-collected',
    )
    if (unseen !== undefined) return unseen
    const kubelets = (flags.state === 'known' ? listAt(flags.value, 'items') : [])
      .flatMap((one) => listAt(one, 'components'))
      .filter((one) => textAt(one, 'component') === 'kubelet')
      .filter((one) => [undefined, ecrUse.value.node].includes(textAt(one, 'node')))
    const providers = (configs.state === 'known' ? listAt(configs.value, 'items') : []).flatMap((one) =>
      listAt(one, 'providers'),
    )
    if (kubelets.length === 0 && providers.length === 0) return absent(question)
    const told = kubelets.some((one) => textAt(at(one, 'flags'), 'image-credential-provider-config') !== undefined)
    return known(
      {
        ...(kubelets.length > 0 ? { told } : {}),
        ...(providers.length > 0 ? { matchImages: providers.flatMap((one) => textsAt(one, 'matchImages')) } : {}),
        from: kubelets.length > 0 ? question : documents.ofKind('CredentialProviderConfig'),
      },
      question,
    )
  },
})

export const ecrActions = [
  'ecr:GetAuthorizationToken',
  'ecr:BatchCheckLayerAvailability',
  'ecr:GetDownloadUrlForLayer',
  'ecr:BatchGetImage',
]

export type EcrRole = { readonly role: string; readonly lacks: readonly string[] }

const covers = (pattern: string, action: string): boolean => {
  const own = pattern.toLowerCase()
  const wanted = action.toLowerCase()
  return own === wanted || (own.endsWith('*') && wanted.startsWith(own.slice(0, -1)))
}

/** What the workers' role does not allow, where its policy was handed over; absent where it was not. */
export const ecrRole = defineProbe({
  id: 'cloud-provider/ecr-role',
  about: "what the nodes' role allows in ECR",
  scope: 'node',
  needs: {},
  wants: { ecrUse },
  ask: async (_have, { ecrUse }, { ask }): Promise<Fact<EcrRole>> => {
    const question = documents.ofKind('IAMRole')
    if (ecrUse.state !== 'known') return absent(question)
    const answer = await ask(question)
    if (answer.state === 'unknown' && answer.why !== 'not-collected') return answer
    const roles = (answer.state === 'known' ? listAt(answer.value, 'items') : []).filter((one) =>
      /worker|node/i.test(textAt(one, 'metadata', 'name') ?? ''),
    )
    const [role] = roles
    if (role === undefined || roles.length > 1) return absent(question)
    const statement = at(role, 'policy', 'Statement')
    const allowed = (isList(statement) ? statement : [statement ?? null]).flatMap((one) =>
      isObject(one) && one.Effect === 'Allow' ? textsAt(one, 'Action') : [],
    )
    const lacks = ecrActions.filter((action) => !allowed.some((pattern) => covers(pattern, action)))
    return known({ role: textAt(role, 'metadata', 'name') ?? '', lacks }, question)
  },
})

/** Refused pulls from ECR of pods on this node, or that name no other one. */
export const ecrRefusals = defineProbe({
  id: 'cloud-provider/ecr-refusals',
  about: 'pulls from ECR that were refused',
  scope: 'node',
  needs: {},
  wants: { observedErrors, ecrUse },
  ask: (_have, { observedErrors, ecrUse }): Fact<readonly ObservedError[]> => {
    const use = ecrUse.state === 'known' ? ecrUse.value : undefined
    const all = observedErrors.state === 'known' && use !== undefined ? observedErrors.value : []
    const own = all.filter(({ text }) => /no basic auth credentials/.test(text) && registryIn(text) === use?.registry)
    return own.length === 0 ? absent(seen.errors()) : known(own, seen.errors())
  },
})
