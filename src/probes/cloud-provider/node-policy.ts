/** The permission policy of a role that nodes have. */
import { absent, defineProbe, type Fact, type Inquiry, known } from '../../core/fact.ts'
import { at, isList, isObject, type Json, textsAt } from '../../core/json.ts'
import { documents } from '../../domain/questions.ts'
import { documentNamed } from '../further-kinds.ts'

export type Allowed = {
  readonly actions: readonly string[]
  /** On every resource, without a condition. */
  readonly everywhere: boolean
  readonly path: string
}
export type NodePolicy = { readonly worker: boolean; readonly allowed: readonly Allowed[] }

function allowedIn(policy: Json | undefined): readonly Allowed[] {
  const statement = at(policy, 'Statement')
  return (isList(statement) ? statement : [statement ?? null]).flatMap((one, index) =>
    isObject(one) && one.Effect === 'Allow'
      ? {
          actions: textsAt(one, 'Action'),
          everywhere: textsAt(one, 'Resource').includes('*') && one.Condition === undefined,
          path: `Statement[${index}]`,
        }
      : [],
  )
}

/** Absent for what is no such role. */
export const nodePolicy = defineProbe({
  id: 'cloud-provider/node-policy',
  about: "the permission policy of a node's role",
  scope: 'object',
  needs: {},
  wants: {},
  ask: async (_have, _want, { subject, ask }: Inquiry): Promise<Fact<NodePolicy>> => {
    const question = documents.ofKind('IAMRole')
    if (subject.kind !== 'IAMRole') return absent(question)
    const answer = await documentNamed('IAMRole', subject.name, ask)
    if (answer.state !== 'known') return answer
    const worker = /worker|nodes?(?:$|[-_.])/i.test(subject.name) && !/master|control/i.test(subject.name)
    return known({ worker, allowed: allowedIn(at(answer.value, 'policy')) }, question)
  },
})
