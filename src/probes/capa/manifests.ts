/** What the cluster serves of a kind whose manifest is of an older version. */
import { absent, defineProbe, type Fact, onward, reading, type Soon } from '../../core/fact.ts'
import { at, listAt, textAt } from '../../core/json.ts'
import { resourceOf } from '../../domain/kubernetes-resources.ts'
import { kubernetes } from '../../domain/questions.ts'
import { identity } from './objects.ts'

export const infrastructure = 'infrastructure.cluster.x-k8s.io'

/** Versions that the CustomResourceDefinition of the identity serves; absent where its version is the current one, or it was served. */
export const servedVersions = defineProbe({
  id: 'capa/served-versions',
  about: 'the versions that the cluster serves of the identity',
  scope: 'object',
  needs: {},
  wants: { identity },
  ask: (_have, { identity }, { ask }): Soon<Fact<readonly string[]>> => {
    const none = kubernetes.get('customresourcedefinitions', undefined, '')
    if (identity.state !== 'known') return absent(none)
    const { kind, apiVersion, served } = identity.value
    if (served || apiVersion === `${infrastructure}/v1beta2`) return absent(none)
    const question = kubernetes.get('customresourcedefinitions', undefined, `${resourceOf(kind)}.${infrastructure}`)
    return onward(ask(question), (answer) =>
      reading(answer, (json) =>
        listAt(json, 'spec', 'versions').flatMap((one) =>
          at(one, 'served') === true ? (textAt(one, 'name') ?? []) : [],
        ),
      ),
    )
  },
})
