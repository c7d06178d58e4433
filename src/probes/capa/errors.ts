/** What the controllers of Cluster API Provider AWS were heard to say, and whom of theirs it is about. */
import { absent, defineProbe, type Fact, type Inquiry, known, onward, type Soon } from '../../core/fact.ts'
import type { Subject } from '../../core/subject.ts'
import { identityKinds, type Ref, userKinds } from '../../domain/capa.ts'
import { resourceOf } from '../../domain/kubernetes-resources.ts'
import { kubernetes, seen } from '../../domain/questions.ts'
import { judged } from '../cluster/judged.ts'
import { type ObservedError, observedErrors } from '../cluster/observed-errors.ts'

const ours =
  /AWSCluster|AWSManaged|AWSMachine|awscluster|awsmanaged|awsmachine|capa-controller-manager|cluster-api-provider-aws|controllers\.cluster-api|PrincipalUsage|PrincipalCredential|SourcePrincipal|Failed to get providers for cluster|No such provider known|Failed to retrieve identity credentials|CredentialProviderBuildFailed/

/** The identity that a refusal names: `Namespace is not permitted to use AWSClusterStaticIdentity: acme`; after a type of Go, as in `*v1beta2.AWSClusterStaticIdentity: failed`, none is named. */
export function identityIn(text: string): Ref | undefined {
  const [, kind, name] =
    /(?<!\*v\d\w{0,8}\.)(AWSCluster(?:Controller|Role|Static)Identity)(?:\.infrastructure\.cluster\.x-k8s\.io)?["\\']{0,4}(?:: |\/| |:)["\\']{0,4}([a-z0-9][a-z0-9.-]{0,252})/.exec(
      text,
    ) ?? []
  return kind === undefined || name === undefined ? undefined : { kind, name: name.replace(/[.:]+$/, '') }
}

/** The namespace of the object that was reconciled, as controller-runtime logs it. */
export const namespaceIn = (text: string): string | undefined =>
  /"?\bnamespace"?\s{0,2}[=:]\s{0,2}"?([a-z0-9-]{1,63})"?/.exec(text.replaceAll('\\"', '"'))?.[1] ??
  /\bAWS(?:Cluster|ManagedControlPlane|Machine|ManagedMachinePool)"?[=:]\s?"([a-z0-9-]{1,63})\//.exec(text)?.[1]

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Whether a text names this object. */
function names(text: string, { kind, namespace, name }: Subject): boolean {
  if (namespace !== undefined && text.includes(`${namespace}/${name}`)) return true
  return new RegExp(`${escaped(kind)}[^A-Za-z0-9]{1,6}(?:name[^A-Za-z0-9]{1,4})?${escaped(name)}(?![A-Za-z0-9-])`).test(
    text.replaceAll('.infrastructure.cluster.x-k8s.io', ''),
  )
}

const isIdentity = (kind: string): boolean => identityKinds.some((one) => one === kind)
const isUser = (kind: string): boolean => userKinds.some((one) => one === kind)

/** Texts about this object, or that name nobody where it is the only one of its sort. The cluster has those that no object has. */
export const capaErrors = defineProbe({
  id: 'capa/errors',
  about: 'what the controllers of Cluster API Provider AWS said',
  scope: 'object',
  needs: {},
  wants: { observedErrors, judged },
  ask: (_have, { observedErrors, judged }, { subject }): Fact<readonly ObservedError[]> => {
    if (observedErrors.state !== 'known' || judged.state !== 'known') return absent(seen.errors())
    const all = observedErrors.value.filter(({ text }) => ours.test(text))
    if (all.length === 0) return absent(observedErrors.from)
    const everybody = [...judged.value.byKey.values()]
    const sort = isUser(subject.kind) ? isUser : isIdentity
    const sorts =
      subject.kind === 'Cluster'
        ? everybody.filter(({ kind }) => isUser(kind))
        : everybody.filter(({ kind }) => sort(kind))
    const own = all.filter((error) => {
      const named = sorts.filter((one) => names(error.text, one))
      if (subject.kind === 'Cluster') return named.length === 0
      return named.length > 0 ? named.includes(subject) : sorts.length === 1
    })
    return own.length === 0 ? absent(observedErrors.from) : known(own, observedErrors.from)
  },
})

/** Whether a check of objects of these kinds has anything to look at; unknown where they could not be listed. */
export const capaConcern = (id: string, kinds: readonly string[]) =>
  defineProbe({
    id,
    about: 'whether there are objects of Cluster API Provider AWS',
    scope: 'object',
    needs: {},
    wants: { capaErrors },
    ask: (_have, { capaErrors }, { subject, ask }): Soon<Fact<true>> => {
      const question = kubernetes.list(resourceOf(kinds[0] ?? ''))
      if (kinds.includes(subject.kind)) return known(true, question)
      if (subject.kind !== 'Cluster') return absent(question)
      if (capaErrors.state === 'known') return known(true, capaErrors.from)
      return unlisted(
        kinds.filter((kind) => subject.standsForKinds?.includes(kind)),
        ask,
      )
    },
  })

/** Why one of these kinds could not be listed; absent where all could. */
function unlisted(kinds: readonly string[], ask: Inquiry['ask']): Soon<Fact<true>> {
  const [kind, ...rest] = kinds
  const question = kubernetes.list(resourceOf(kind ?? 'AWSCluster'))
  if (kind === undefined) return absent(question)
  return onward(
    ask(question),
    (answer): Soon<Fact<true>> =>
      answer.state === 'unknown' && answer.why !== 'not-collected' ? answer : unlisted(rest, ask),
  )
}
