/** The configuration files of cloud providers that were handed over, or stand in ConfigMaps and Secrets. */
import { absent, defineProbe, type Fact, type Inquiry, known, type Question, unknown } from '../../core/fact.ts'
import { at, isObject, type Json, listAt, textAt } from '../../core/json.ts'
import { type CloudConfig, cloudConfigIn } from '../../domain/cloud-config.ts'
import { documents, kubernetes } from '../../domain/questions.ts'
import { documentNamed } from '../further-kinds.ts'
import { ccm } from './controller.ts'

export type ConfigFile = CloudConfig & {
  /** The file, or the key in its ConfigMap or Secret. */
  readonly path: string
  /** Of a file that was handed over, where it was read. */
  readonly file?: string
  readonly from: Question
}

const inObject = (object: Json, from: Question): readonly ConfigFile[] => {
  const held = at(object, 'cloudConfig')
  const name = textAt(object, 'metadata', 'name') ?? ''
  return Object.entries(isObject(held) ? held : {}).flatMap(([key, value]) => {
    const config = cloudConfigIn(value)
    return config === undefined ? [] : [{ ...config, path: `${name}/${key}`, from }]
  })
}

const inDocument = (document: Json, from: Question): readonly ConfigFile[] => {
  const config = cloudConfigIn(document)
  const file = textAt(document, 'file')
  return config === undefined
    ? []
    : [
        {
          ...config,
          path: textAt(document, 'metadata', 'name') ?? '',
          ...(file === undefined ? {} : { file }),
          from,
        },
      ]
}

/** Absent where there is none. */
export const configs = defineProbe({
  id: 'cloud-provider/configs',
  about: "the cloud provider's configuration file",
  scope: 'cluster',
  needs: {},
  wants: { ccm },
  ask: async (_have, { ccm }, { subject, ask }): Promise<Fact<readonly ConfigFile[]>> => {
    const files = documents.ofKind('CloudConfig')
    if (subject.whole !== true) return absent(files)
    const answer = await ask(files)
    const found = answer.state === 'known' ? listAt(answer.value, 'items').flatMap((one) => inDocument(one, files)) : []
    const mounted = ccm.state === 'known' ? ccm.value.workloads.flatMap((one) => one.mounted) : []
    for (const { kind, namespace, name } of mounted) {
      const question = kubernetes.get(kind === 'Secret' ? 'secrets' : 'configmaps', namespace, name)
      const object = await ask(question)
      if (object.state === 'known') found.push(...inObject(object.value, question))
    }
    // A folder of documents may hold the ConfigMap without what mounts it; a cluster is not searched for one.
    if (found.length === 0 && answer.state !== 'absent') {
      const question = kubernetes.list('configmaps')
      const maps = await ask(question)
      if (maps.state === 'known') found.push(...listAt(maps.value, 'items').flatMap((one) => inObject(one, question)))
    }
    return found.length === 0 ? absent(files) : known(found, found[0]?.from ?? files)
  },
})

/** The one that is judged as an object of its own; absent for what is none. */
export const ownConfig = defineProbe({
  id: 'cloud-provider/own-config',
  about: "the cloud provider's configuration file",
  scope: 'object',
  needs: {},
  wants: {},
  ask: async (_have, _want, { subject, ask }: Inquiry): Promise<Fact<readonly ConfigFile[]>> => {
    const question =
      subject.kind === 'ConfigMap'
        ? kubernetes.get('configmaps', subject.namespace, subject.name)
        : documents.ofKind('CloudConfig')
    if (subject.kind !== 'ConfigMap' && subject.kind !== 'CloudConfig') return absent(question)
    const answer = await (subject.kind === 'ConfigMap'
      ? ask(question)
      : documentNamed('CloudConfig', subject.name, ask))
    if (answer.state !== 'known') return answer
    const found = subject.kind === 'ConfigMap' ? inObject(answer.value, question) : inDocument(answer.value, question)
    if (found.length > 0) return known(found, question)
    return subject.kind === 'ConfigMap'
      ? absent(question)
      : unknown('malformed', 'the file was not understood', question)
  },
})
