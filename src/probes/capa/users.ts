/** The namespaces whose cluster objects use an identity, directly or as the source of another. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { at, type Json, listAt, textAt } from '../../core/json.ts'
import { defaultIdentity, isOpen, refOf, refText, roleKind, userKinds } from '../../domain/capa.ts'
import { isNamespaced, resourceOf } from '../../domain/kubernetes-resources.ts'
import { kubernetes } from '../../domain/questions.ts'
import { identity } from './objects.ts'

/** `complete`: all cluster objects and all role identities were seen. */
export type Using = { readonly namespaces: readonly string[]; readonly complete: boolean }

const steps = 20
const keyOf = (json: Json): string =>
  refText({ kind: textAt(json, 'kind') ?? '', name: textAt(json, 'metadata', 'name') ?? '' })

/** Asked only of an identity that is open to everybody; a cluster-scoped user counts as namespace "". */
export const usersOf = defineProbe({
  id: 'capa/users',
  about: 'the namespaces whose clusters use the identity',
  scope: 'object',
  needs: {},
  wants: { identity },
  ask: async (_have, { identity }, { ask }): Promise<Fact<Using>> => {
    const question = kubernetes.list(resourceOf(userKinds[0]))
    if (identity.state !== 'known' || !isOpen(identity.value.spec)) return absent(question)
    const lists = await Promise.all([...userKinds, roleKind].map((kind) => ask(kubernetes.list(resourceOf(kind)))))
    const items = lists.flatMap((list) => (list.state === 'known' ? listAt(list.value, 'items') : []))
    const complete = lists.every(
      (list) => list.state === 'absent' || (list.state === 'known' && at(list.value, 'complete') === true),
    )
    const meant = new Set([refText(identity.value)])
    for (let step = 0, before = -1; step < steps && before !== meant.size; step += 1) {
      before = meant.size
      for (const one of items) {
        const source = textAt(one, 'kind') === roleKind ? refOf(at(one, 'spec'), 'sourceIdentityRef') : undefined
        if (source !== undefined && meant.has(refText(source))) meant.add(keyOf(one))
      }
    }
    const users = items.filter((one) => {
      const kind = textAt(one, 'kind') ?? ''
      return (
        userKinds.some((user) => user === kind) &&
        meant.has(refText(refOf(at(one, 'spec'), 'identityRef') ?? defaultIdentity))
      )
    })
    const namespaces = users.map((one) =>
      isNamespaced(resourceOf(textAt(one, 'kind') ?? '')) ? (textAt(one, 'metadata', 'namespace') ?? '') : '',
    )
    return known({ namespaces: [...new Set(namespaces)].sort(), complete }, question)
  },
})
