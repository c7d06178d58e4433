/** The ServiceAccount's own part of a binding: made where it is not there, one annotation where it is. */
import { type Json, textAt } from '../core/json.ts'
import type { Action } from '../core/plan.ts'
import { annotate, createObject } from '../domain/kubernetes-changes.ts'
import { kubernetes, seen } from '../domain/questions.ts'
import { type BindBrief, seenOrEnd } from './bind-brief.ts'

/** As it was seen; undefined where it is not there. */
export async function accountSeen({ namespace, name, ask }: BindBrief): Promise<Json | undefined> {
  const question = kubernetes.get('serviceaccounts', namespace, name)
  return seenOrEnd(await ask(question), `ServiceAccount ${name} in namespace ${namespace}`)
}

const placeOf = ({ namespace, name }: BindBrief) => ({ resource: 'serviceaccounts', namespace, name })

const made = (brief: BindBrief, annotations?: { readonly [key: string]: string }): Action => {
  const { namespace, name } = brief
  const metadata = { name, namespace, ...(annotations === undefined ? {} : { annotations }) }
  return {
    summary: `Create ServiceAccount ${name} in namespace ${namespace}`,
    safety: 'review',
    ...createObject(placeOf(brief), { apiVersion: 'v1', kind: 'ServiceAccount', metadata }),
  }
}

/** That it is there. */
export async function present(brief: BindBrief): Promise<readonly Action[]> {
  if ((await accountSeen(brief)) === undefined) return [made(brief)]
  return []
}

/** That it is there, and has exactly this annotation beside its others. */
export async function annotated(brief: BindBrief, key: string, value: string): Promise<readonly Action[]> {
  const { namespace, name, ask, say } = brief
  const account = await accountSeen(brief)
  if (account === undefined) return [made(brief, { [key]: value })]
  const before = textAt(account, 'metadata', 'annotations', key)
  if (before === value) {
    say(`already so: ServiceAccount ${name} in namespace ${namespace} has ${key}=${value}`)
    return []
  }
  const now = await ask(seen.now())
  const time = now.state === 'known' && typeof now.value === 'string' ? now.value : undefined
  const former = before === undefined || before === '' ? '' : `, in the place of ${before}`
  return [
    {
      summary: `Annotate ServiceAccount ${name} in namespace ${namespace} with ${key}=${value}${former}`,
      safety: 'review',
      ...annotate(placeOf(brief), key, before, value, time),
    },
  ]
}
