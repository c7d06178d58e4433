/** The text that a virtual kubelet reads its configuration from, and who owns it; and the CA behind the published address. */
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { at, type Json, listAt, textAt, textsAt } from '../../core/json.ts'
import { documents, kubernetes } from '../../domain/questions.ts'
import { plainPem, readPem, signerOf } from '../cluster/pem.ts'
import { documentNamed } from '../further-kinds.ts'
import { configured, isUnparsed } from './config.ts'

export type Held =
  | {
      readonly in: 'map'
      readonly namespace: string
      readonly name: string
      readonly text: string
      /** Of Helm, which would write its own values again. */
      readonly release?: { readonly namespace: string; readonly name: string }
    }
  | { readonly in: 'file'; readonly name: string; readonly file: string; readonly config: Json }

const helm = 'meta.helm.sh/release'

export const held = defineProbe({
  id: 'interlink/held',
  about: 'the text of the configuration of the virtual kubelet',
  scope: 'object',
  needs: {},
  wants: {},
  ask: (_have, _want, { subject, ask }): Soon<Fact<Held>> => {
    const { kind, namespace = 'default', name } = subject
    if (kind === 'InterLinkConfig')
      return onward(documentNamed(kind, name, ask), (fact): Fact<Held> => {
        if (fact.state !== 'known') return fact
        const file = textAt(fact.value, 'file') ?? name
        return known({ in: 'file', name, file, config: at(fact.value, 'config') ?? null }, fact.from)
      })
    if (kind !== 'ConfigMap') return absent(documents.ofKind('InterLinkConfig'))
    return onward(ask(kubernetes.get('configmaps', namespace, name)), (fact): Fact<Held> => {
      if (fact.state !== 'known') return fact
      const text = textAt(fact.value, 'data', 'InterLinkConfig.yaml')
      if (text === undefined) return absent(fact.from)
      const release = textAt(fact.value, 'metadata', 'annotations', `${helm}-name`)
      const where = textAt(fact.value, 'metadata', 'annotations', `${helm}-namespace`) ?? namespace
      const owner = release === undefined ? {} : { release: { namespace: where, name: release } }
      return known({ in: 'map', namespace, name, text, ...owner }, fact.from)
    })
  },
})

/** The CA that stands beside the certificate of the Ingress at the published address, and has signed it; absent where there is none. */
export const publishedCa = defineProbe({
  id: 'interlink/published-ca',
  about: 'the CA of the certificate of the Ingress',
  scope: 'object',
  needs: {},
  wants: { configured },
  ask: async (_have, { configured }, { ask }): Promise<Fact<string>> => {
    const question = kubernetes.list('ingresses')
    const config = configured.state === 'known' ? configured.value.config : undefined
    if (config === undefined || isUnparsed(config) || config.address === '') return absent(question)
    const ingresses = await ask(question)
    for (const ingress of ingresses.state === 'known' ? listAt(ingresses.value, 'items') : [])
      for (const tls of listAt(ingress, 'spec', 'tls')) {
        if (!textsAt(tls, 'hosts').includes(config.address)) continue
        const namespace = textAt(ingress, 'metadata', 'namespace') ?? 'default'
        const secret = await ask(kubernetes.get('secrets', namespace, textAt(tls, 'secretName') ?? ''))
        const [ca, leaf] = ['ca.crt', 'tls.crt'].map((key) =>
          secret.state === 'known' ? textAt(at(secret.value, 'data'), key) : undefined,
        )
        if (ca === undefined || leaf === undefined) continue
        const [own] = (await readPem(leaf)).certificates
        if (own !== undefined && (await signerOf(own, (await readPem(ca)).certificates)) !== undefined)
          return known(plainPem(ca), secret.from)
      }
    return absent(question)
  },
})
