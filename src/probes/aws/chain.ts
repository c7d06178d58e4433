/** A further role that the workload's role is to assume: as an association says, or as a refusal shows; and its trust policy. */
import { absent, defineProbe, type Fact, known, onward, reading, type Soon } from '../../core/fact.ts'
import { parseRoleArn, type RoleArn } from '../../domain/arn.ts'
import { isNodeSession } from '../../domain/aws-callers.ts'
import type { Source } from '../../domain/aws-chain.ts'
import { aws, seen } from '../../domain/questions.ts'
import { errorsOfServiceAccount } from '../workload/observed-errors.ts'
import { association } from './association.ts'
import { type Refused, refusedIn } from './refused.ts'
import { type Role, readRole } from './role.ts'
import { roleReference } from './role-reference.ts'

export type Chain = {
  readonly source: Source
  readonly sourceText: string
  readonly targetText: string
  readonly target?: RoleArn
  /** What an association sends along; left out where it is not known what is sent. */
  readonly externalId?: string
  /** Session tags travel along. */
  readonly tags: boolean
  readonly refused?: Refused
}

const chaining = /^sts:(?:AssumeRole|TagSession)$/

/** Absent where no further role was seen. A node that tries it has not got its workload's identity, which is judged elsewhere. */
export const chain = defineProbe({
  id: 'aws/chain',
  about: 'the further role that the workload assumes',
  scope: 'service-account',
  needs: {},
  wants: { errorsOfServiceAccount, roleReference, association },
  ask: (_have, { errorsOfServiceAccount, roleReference, association }): Fact<Chain> => {
    const errors = errorsOfServiceAccount.state === 'known' ? errorsOfServiceAccount.value : []
    const all = refusedIn(errors).filter(({ action, resource }) => chaining.test(action) && resource !== undefined)
    const refused =
      all.find(({ caller }) => caller?.kind === 'session' && !isNodeSession(caller)) ??
      // That tags come along is told by the call itself, whoever makes it.
      all.find(({ action, caller }) => action === 'sts:TagSession' && (caller === undefined || !isNodeSession(caller)))
    if (refused !== undefined) {
      const { caller, resource = '', who, action } = refused
      const role = caller?.kind === 'session' ? caller : undefined
      // What is not seen to be a role is not looked for in the trust policy as one.
      const target = role === undefined ? undefined : parseRoleArn(resource)
      return known(
        {
          source: { account: role?.account ?? '', name: role?.name ?? 'SOURCE_ROLE' },
          sourceText:
            role === undefined
              ? (caller && who) || 'the caller'
              : `arn:${who.split(':')[1] ?? 'aws'}:iam::${role.account}:role/${role.name}`,
          targetText: resource,
          ...(target === undefined ? {} : { target }),
          tags: action === 'sts:TagSession',
          refused,
        },
        seen.errors(),
      )
    }
    if (roleReference.state !== 'known' || roleReference.value.via !== 'association') return absent(seen.errors())
    const { arn, value } = roleReference.value
    if (association.state !== 'known' || arn === undefined) return absent(association.from)
    const { targetRoleArn, externalId, tags } = association.value
    if (targetRoleArn === undefined) return absent(association.from)
    const target = parseRoleArn(targetRoleArn)
    return known(
      {
        source: { account: arn.account, name: arn.name },
        sourceText: value,
        targetText: targetRoleArn,
        ...(target === undefined ? {} : { target }),
        ...(externalId === undefined ? {} : { externalId }),
        tags: tags !== false,
      },
      association.from,
    )
  },
})

/** Asked only where there is such a role. */
export const targetRole = defineProbe({
  id: 'aws/target-role',
  about: 'the trust policy of the further role',
  scope: 'service-account',
  needs: {},
  wants: { chain },
  ask: (_have, { chain }, inquiry): Soon<Fact<Role>> => {
    const target = chain.state === 'known' ? chain.value.target : undefined
    if (target === undefined) return absent(chain.from)
    return onward(inquiry.ask(aws.role(target.account, target.name)), (answer) => {
      const role = reading(answer, readRole)
      // A policy by itself does not say of which account its role is.
      const account = role.state === 'known' ? parseRoleArn(role.value.arn ?? '')?.account : undefined
      return account !== undefined && account !== target.account ? absent(role.from) : role
    })
  },
})
