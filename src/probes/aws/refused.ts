/** What AWS was seen to refuse to the workload, and what would be said of it today. */
import { absent, defineProbe, type Fact, known, onward, reading, type Soon } from '../../core/fact.ts'
import { at, listAt, textAt } from '../../core/json.ts'
import { parseRoleArn } from '../../domain/arn.ts'
import { isNodeSession, isProgramSession } from '../../domain/aws-callers.ts'
import { type Refusal, refusalsIn } from '../../domain/aws-refusals.ts'
import { aws, seen } from '../../domain/questions.ts'
import type { ObservedError } from '../cluster/observed-errors.ts'
import { errorsOfServiceAccount } from '../workload/observed-errors.ts'
import { roleReference } from './role-reference.ts'

/** One refusal, and the error in which it stood. */
export type Refused = Refusal & { readonly error: ObservedError }

export const refusedIn = (errors: readonly ObservedError[]): readonly Refused[] =>
  errors.flatMap((error) => refusalsIn(error.text).map((one) => ({ ...one, error })))

/** Calls that belong to how identity is got or set up, each with a check of its own. */
const ofIdentity = /^(?:sts:|iam:\w*OpenIDConnectProvider|eks-auth:)/
const ofPeople = /^(?:iam|eks|organizations|cloudformation):/

/** Calls of a workload under a role: not of a node, of a person, or on the way to the identity itself. */
export const callRefused = defineProbe({
  id: 'aws/call-refused',
  about: 'a call that AWS refused to the workload',
  scope: 'service-account',
  needs: {},
  wants: { errorsOfServiceAccount, roleReference },
  ask: (_have, { errorsOfServiceAccount, roleReference }): Fact<Refused> => {
    const errors = errorsOfServiceAccount.state === 'known' ? errorsOfServiceAccount.value : []
    const own = roleReference.state === 'known' ? roleReference.value.arn : undefined
    const found = refusedIn(errors).find(({ caller, action, text }) => {
      if (caller?.kind !== 'session' || isNodeSession(caller) || ofIdentity.test(action)) return false
      if (/Failed to pull image|ErrImagePull|ImagePullBackOff/.test(text)) return false
      // Under another role it is that role which lacks something: whose it is comes first.
      if (own !== undefined)
        return caller.name === own.name && (caller.account === own.account || !/\d{12}/.test(caller.account))
      // Of the calls of people, one that programs make as well, under sessions of their own.
      return !ofPeople.test(action) || (action === 'iam:PassRole' && isProgramSession(caller))
    })
    return found === undefined ? absent(seen.errors()) : known(found, seen.errors())
  },
})

/** allowed, implicitDeny or explicitDeny; asked only where a call was refused without a reason. */
export const simulated = defineProbe({
  id: 'aws/simulated',
  about: 'what IAM would say of the refused call today',
  scope: 'service-account',
  needs: {},
  wants: { callRefused, roleReference },
  ask: (_have, { callRefused, roleReference }, inquiry): Soon<Fact<string>> => {
    if (callRefused.state !== 'known') return absent(seen.errors())
    const { caller, who, action, resource = '*', lacking, denying } = callRefused.value
    if (lacking !== undefined || denying !== undefined || caller === undefined) return absent(seen.errors())
    const own = roleReference.state === 'known' && roleReference.value.arn?.name === caller.name
    const arn = own
      ? roleReference.value.value
      : `arn:${who.split(':')[1] ?? 'aws'}:iam::${caller.account}:role/${caller.name}`
    const question = aws.simulation(caller.account, arn, action, resource)
    return onward(inquiry.ask(question), (answer) =>
      reading(answer, (json) => textAt(listAt(json, 'EvaluationResults')[0], 'EvalDecision')),
    )
  },
})

/** The permissions boundary of the role; asked only where a boundary was the reason. */
export const boundary = defineProbe({
  id: 'aws/permissions-boundary',
  about: 'the permissions boundary of the role',
  scope: 'service-account',
  needs: {},
  wants: { callRefused },
  ask: (_have, { callRefused }, inquiry): Soon<Fact<string>> => {
    const refused = callRefused.state === 'known' ? callRefused.value : undefined
    if (refused?.lacking !== 'permissions boundary' || refused.caller === undefined) return absent(seen.errors())
    const question = aws.role(refused.caller.account, refused.caller.name)
    return onward(inquiry.ask(question), (answer): Fact<string> => {
      if (answer.state !== 'known') return answer
      const arn = textAt(at(answer.value, 'Role', 'PermissionsBoundary'), 'PermissionsBoundaryArn')
      const role = parseRoleArn(textAt(answer.value, 'Role', 'Arn') ?? '')
      const same = role === undefined || role.account === refused.caller?.account
      return arn === undefined || !same ? absent(question) : known(arn, question)
    })
  },
})
