/** The Deployment of a virtual kubelet: its version, and what its ServiceAccount may do. */
import { absent, defineProbe, type Fact, type Inquiry, known, unknown } from '../../core/fact.ts'
import { at, type Json, listAt, textAt, textsAt } from '../../core/json.ts'
import { documents, kubernetes } from '../../domain/questions.ts'
import { configured } from './config.ts'

export type Kubelet = {
  readonly workload: string
  readonly namespace: string
  readonly serviceAccount: string
  readonly version?: string
}

const isOurs = (object: Json): boolean =>
  listAt(object, 'spec', 'template', 'spec', 'containers').some((one) =>
    /interlink[^:]*virtual-kubelet|virtual-kubelet[^:]*(?:interlink|inttw)/.test(textAt(one, 'image') ?? ''),
  )

function read(object: Json): Kubelet {
  const spec = at(object, 'spec', 'template', 'spec')
  const version = listAt(spec, 'containers')
    .map((one) => /virtual-kubelet[^:]*:v?(\d{1,3}\.\d{1,3}\.\d{1,3})/.exec(textAt(one, 'image') ?? '')?.[1])
    .find((tag) => tag !== undefined)
  return {
    workload: `deployment/${textAt(object, 'metadata', 'name') ?? ''}`,
    namespace: textAt(object, 'metadata', 'namespace') ?? 'default',
    serviceAccount: textAt(spec, 'serviceAccountName') ?? 'default',
    ...(version === undefined ? {} : { version }),
  }
}

/** That of one virtual node: named after it, or the only one that there is. */
export async function kubeletOf(node: string, ask: Inquiry['ask']): Promise<Fact<Kubelet>> {
  const question = kubernetes.list('deployments')
  const answer = await ask(question)
  if (answer.state !== 'known') return answer
  const all = listAt(answer.value, 'items').filter(isOurs)
  const own = all.find(
    (one) =>
      textAt(one, 'metadata', 'name') === node ||
      JSON.stringify(at(one, 'spec')).includes(`"${node}-virtual-kubelet-config"`),
  )
  const found = own ?? (all.length === 1 ? all[0] : undefined)
  return found === undefined
    ? unknown(
        'not-collected',
        'the Deployment of the virtual kubelet was not seen',
        question,
        'kubectl get deployments -A -o yaml > deployments.yaml',
      )
    : known(read(found), question)
}

export const kubelet = defineProbe({
  id: 'interlink/kubelet',
  about: 'the Deployment of the virtual kubelet',
  scope: 'object',
  needs: {},
  wants: { configured },
  ask: async (_have, { configured }, { ask }): Promise<Fact<Kubelet>> =>
    configured.state === 'known' && configured.value.config !== undefined
      ? kubeletOf(configured.value.node, ask)
      : absent(documents.ofKind('InterLinkConfig')),
})

const grants = (rule: Json): boolean =>
  textsAt(rule, 'verbs').some((verb) => verb === 'create' || verb === '*') &&
  textsAt(rule, 'resources').some((one) => one === 'serviceaccounts/token' || one === '*' || one === '*/token') &&
  textsAt(rule, 'apiGroups').some((group) => group === '' || group === '*')

/** Whether it may make tokens for pods in every namespace, by ClusterRoles that are bound to it. */
export const mayMakeTokens = defineProbe({
  id: 'interlink/may-make-tokens',
  about: 'whether the virtual kubelet may create serviceaccounts/token',
  scope: 'object',
  needs: {},
  wants: { kubelet },
  ask: async (_have, { kubelet }, { ask }): Promise<Fact<boolean>> => {
    const question = kubernetes.list('clusterrolebindings')
    if (kubelet.state !== 'known') return kubelet
    const { namespace, serviceAccount } = kubelet.value
    const bindings = await ask(question)
    if (bindings.state !== 'known') return bindings
    const own = listAt(bindings.value, 'items').filter((binding) =>
      listAt(binding, 'subjects').some(
        (one) =>
          (textAt(one, 'kind') === 'ServiceAccount' &&
            textAt(one, 'name') === serviceAccount &&
            (textAt(one, 'namespace') ?? 'default') === namespace) ||
          (textAt(one, 'kind') === 'Group' &&
            ['system:serviceaccounts', `system:serviceaccounts:${namespace}`].includes(textAt(one, 'name') ?? '')),
      ),
    )
    const roles = await Promise.all(
      own.map((binding) => ask(kubernetes.get('clusterroles', undefined, textAt(binding, 'roleRef', 'name') ?? ''))),
    )
    if (roles.some((role) => role.state === 'known' && listAt(role.value, 'rules').some(grants)))
      return known(true, question)
    const unseen = roles.find((role) => role.state === 'unknown')
    if (unseen?.state === 'unknown') return unseen
    // A RoleBinding may still grant it in single namespaces.
    const local = await ask(kubernetes.list('rolebindings'))
    const whole = [bindings, local].every((list) => list.state === 'known' && at(list.value, 'complete') === true)
    const named = local.state === 'known' && JSON.stringify(local.value).includes(`"${serviceAccount}"`)
    return whole && !named
      ? known(false, question)
      : unknown(
          'not-collected',
          'not all bindings were seen',
          question,
          'kubectl get clusterrolebindings,rolebindings -A -o yaml > bindings.yaml',
        )
  },
})

/** The address of the API inside the cluster, which nobody outside reaches. */
export const apiClusterIp = defineProbe({
  id: 'interlink/api-cluster-ip',
  about: 'the address of the API inside the cluster',
  scope: 'object',
  needs: {},
  wants: { configured },
  ask: async (_have, { configured }, { ask }): Promise<Fact<string>> => {
    const question = kubernetes.get('services', 'default', 'kubernetes')
    const config = configured.state === 'known' ? configured.value.config : undefined
    if (config === undefined || 'reason' in config || !/^[\d.]+$|:/.test(config.address)) return absent(question)
    const answer = await ask(question)
    // Hardly anybody collects this Service, and a published address is almost never that one.
    const address = answer.state === 'known' ? textAt(answer.value, 'spec', 'clusterIP') : undefined
    return address === undefined ? absent(question) : known(address, question)
  },
})
