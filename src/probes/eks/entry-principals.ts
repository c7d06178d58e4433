/** What IAM says of the roles and users that the access entries name. */
import { absent, defineProbe, type Fact, known, type Question, type Unknown } from '../../core/fact.ts'
import { at, textAt } from '../../core/json.ts'
import { parseRoleArn } from '../../domain/arn.ts'
import { aws } from '../../domain/questions.ts'
import { accessEntries, timeOf } from './access-entries.ts'

export type Principal = {
  readonly principal: string
  /** Left out where IAM was not asked for one of this form. */
  readonly from?: Question
  /** With its path. */
  readonly arn?: string
  /** Milliseconds since 1970. */
  readonly created?: number
  readonly missing?: true
  readonly unseen?: Unknown
}

const userArn = /^arn:[a-z0-9-]+:iam::(\d{12}):user\/(?:[^:]*\/)?([\w+=,.@-]+)$/

export const entryPrincipals = defineProbe({
  id: 'eks/entry-principals',
  about: 'the roles and users that access entries name',
  scope: 'cluster',
  needs: {},
  wants: { accessEntries },
  ask: async (_have, { accessEntries }, { ask }): Promise<Fact<readonly Principal[]>> => {
    if (accessEntries.state !== 'known') return absent(accessEntries.from)
    const look = async (principal: string): Promise<Principal> => {
      const role = parseRoleArn(principal)
      const [, account = '', user] = userArn.exec(principal) ?? []
      if (role === undefined && user === undefined) return { principal }
      const answer = await ask(role === undefined ? aws.user(account, user ?? '') : aws.role(role.account, role.name))
      const { from } = answer
      if (answer.state === 'unknown') return { principal, from, unseen: answer }
      if (answer.state === 'absent') return { principal, from, missing: true }
      const found = at(answer.value, role === undefined ? 'User' : 'Role')
      const arn = textAt(found, 'Arn')
      const created = timeOf(at(found, 'CreateDate'))
      return {
        principal,
        from,
        ...(arn === undefined ? {} : { arn }),
        ...(created === undefined ? {} : { created }),
      }
    }
    return known(await Promise.all(accessEntries.value.entries.map((one) => look(one.principal))), accessEntries.from)
  },
})
