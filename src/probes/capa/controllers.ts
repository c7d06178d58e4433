/** The controllers of Cluster API Provider AWS: their ServiceAccounts and Deployments, wherever they were installed. */
import { defineProbe, type Fact, onward, type Soon } from '../../core/fact.ts'
import { type Json, listAt, textAt, textsAt } from '../../core/json.ts'
import { roleAnnotation } from '../../domain/audiences.ts'
import { controllersName, isStrict } from '../../domain/capa.ts'
import { kubernetes } from '../../domain/questions.ts'
import { type Listed, listed } from '../lists.ts'
import { readServiceAccount } from '../read-once.ts'

export type Account = { readonly namespace: string; readonly name: string; readonly role?: string }

const only = <T>(list: Fact<Listed<T>>, fits: (one: T) => boolean): Fact<Listed<T>> =>
  list.state === 'known'
    ? { ...list, value: { items: list.value.items.filter(fits), complete: list.value.complete } }
    : list

/** The ServiceAccounts of the controllers' own name, with the role that each carries. */
export const capaAccounts = defineProbe({
  id: 'capa/accounts',
  about: 'the ServiceAccount of the controllers of Cluster API Provider AWS',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, { ask }): Soon<Fact<Listed<Account>>> =>
    onward(ask(kubernetes.list('serviceaccounts')), (answer) => {
      const all = listed(answer, (json): Account | undefined => {
        const account = readServiceAccount(json)
        if (account === undefined) return undefined
        const role = account.annotations[roleAnnotation]
        return {
          namespace: account.namespace,
          name: account.name,
          ...(role === undefined || role === '' ? {} : { role }),
        }
      })
      return only(all, ({ name }) => name === controllersName)
    }),
})

export type Controllers = {
  readonly namespace: string
  readonly name: string
  readonly serviceAccount: string
  /** Of v2.9.1 or later; undefined where the image does not tell. */
  readonly strict?: boolean
  readonly gates: string
}

const readDeployment = (json: Json): Controllers | undefined => {
  const name = textAt(json, 'metadata', 'name')
  if (name === undefined) return undefined
  const containers = listAt(json, 'spec', 'template', 'spec', 'containers')
  const strict = containers.map((one) => isStrict(textAt(one, 'image') ?? '')).find((one) => one !== undefined)
  const words = containers.flatMap((one) => [...textsAt(one, 'command'), ...textsAt(one, 'args')])
  const gates = words.flatMap((word, index) =>
    word.startsWith('--feature-gates=')
      ? word.slice('--feature-gates='.length)
      : word === '--feature-gates'
        ? (words[index + 1] ?? [])
        : [],
  )
  return {
    namespace: textAt(json, 'metadata', 'namespace') ?? 'default',
    name,
    serviceAccount: textAt(json, 'spec', 'template', 'spec', 'serviceAccountName') ?? 'default',
    gates: gates.join(','),
    ...(strict === undefined ? {} : { strict }),
  }
}

export const capaDeployments = defineProbe({
  id: 'capa/deployments',
  about: 'the Deployment of the controllers of Cluster API Provider AWS',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, { ask }): Soon<Fact<Listed<Controllers>>> =>
    onward(ask(kubernetes.list('deployments')), (answer) =>
      only(listed(answer, readDeployment), ({ name }) => name === controllersName),
    ),
})
