/** The configuration of a virtual kubelet, from its ConfigMap, a file or the values of its chart, and what was said about it. */
import { absent, defineProbe, type Fact, type Inquiry, known } from '../../core/fact.ts'
import { at, isObject, type Json, textAt } from '../../core/json.ts'
import type { Subject } from '../../core/subject.ts'
import { type InterLinkConfig, interLinkIn, parseInterLink, type Unparsed } from '../../domain/interlink-config.ts'
import { documents, kubernetes } from '../../domain/questions.ts'
import type { ObservedError } from '../cluster/observed-errors.ts'
import { documentNamed } from '../further-kinds.ts'
import { interLinkErrors } from './errors.ts'

export type Configured = {
  /** The virtual node; empty where it was not seen. */
  readonly node: string
  readonly config: InterLinkConfig | Unparsed | undefined
  /** What was said, where it can only be about this one. */
  readonly said: readonly ObservedError[]
}

const suffix = '-virtual-kubelet-config'
export const isKubeletConfig = ({ kind, name }: Subject): boolean => kind === 'ConfigMap' && name.endsWith(suffix)
const isOurs = (subject: Subject): boolean => isKubeletConfig(subject) || subject.kind === 'InterLinkConfig'

function read(subject: Subject, object: Json): Configured {
  if (subject.kind === 'ConfigMap') {
    const yaml = textAt(object, 'data', 'InterLinkConfig.yaml')
    const config = yaml === undefined ? undefined : parseInterLink(yaml)
    return { node: subject.name.slice(0, -suffix.length), config, said: [] }
  }
  const config = at(object, 'config')
  return {
    node: textAt(object, 'node') ?? '',
    config: isObject(config) ? interLinkIn(config) : undefined,
    said: [],
  }
}

/** Absent for what is none; the cluster stands in where only an error text speaks of one. */
export const configured = defineProbe({
  id: 'interlink/config',
  about: 'the configuration of the virtual kubelet',
  scope: 'object',
  needs: {},
  wants: { interLinkErrors },
  ask: async (_have, { interLinkErrors }, { subject, subjects, ask }: Inquiry): Promise<Fact<Configured>> => {
    const question =
      subject.kind === 'ConfigMap'
        ? kubernetes.get('configmaps', subject.namespace, subject.name)
        : documents.ofKind('InterLinkConfig')
    const errors = interLinkErrors.state === 'known' ? interLinkErrors.value : []
    const all = subjects.filter(isOurs)
    if (subject.kind === 'Cluster')
      return errors.length > 0 && all.length === 0
        ? known({ node: '', config: undefined, said: errors }, interLinkErrors.from)
        : absent(question)
    if (!isOurs(subject)) return absent(question)
    const answer = await (subject.kind === 'ConfigMap' ? ask(question) : documentNamed(subject.kind, subject.name, ask))
    if (answer.state !== 'known') return answer
    const own = read(subject, answer.value)
    if (own.config === undefined) return absent(question)
    const kubelets = all.filter(isKubeletConfig)
    const alone = kubelets.length === 1 ? isKubeletConfig(subject) : all.length === 1
    return known({ ...own, said: alone ? errors : [] }, question)
  },
})

export const isUnparsed = (config: Configured['config']): config is Unparsed =>
  config !== undefined && 'reason' in config
