/** Who assumes the role of a role identity, what that one may do, and whom the role trusts. */
import { absent, defineProbe, type Fact, type Inquiry, known, onward, type Soon, unknown } from '../../core/fact.ts'
import { listAt, textAt } from '../../core/json.ts'
import { parseRoleArn, type RoleArn } from '../../domain/arn.ts'
import { chainTrust } from '../../domain/aws-chain.ts'
import {
  controllerKind,
  controllersRole,
  type Identity,
  refText,
  roleArnOf,
  roleKind,
  sourceOf,
} from '../../domain/capa.ts'
import { aws, seen } from '../../domain/questions.ts'
import { ofAccount, type Role } from '../aws/role.ts'
import { policiesOf, type RolePolicies } from '../aws/role-policies.ts'
import { type ObservedError, observedErrors } from '../cluster/observed-errors.ts'
import { capaAccounts } from './controllers.ts'
import { capaErrors } from './errors.ts'
import { identity, identityOf } from './objects.ts'

export const targetOf = ({ spec, ...rest }: Identity): RoleArn | undefined =>
  parseRoleArn(roleArnOf({ spec, ...rest }) ?? '')

/** The role that the identity names, with its trust policy; absent for any other subject. */
export const targetRole = defineProbe({
  id: 'capa/target-role',
  about: "the trust policy of the identity's role",
  scope: 'object',
  needs: {},
  wants: { identity },
  ask: (_have, { identity }, { ask }): Soon<Fact<Role>> => {
    const none = aws.role(undefined, '')
    const arn = identity.state === 'known' && identity.value.kind === roleKind ? targetOf(identity.value) : undefined
    if (arn === undefined) return absent(none)
    return onward(ask(aws.role(arn.account, arn.name)), (answer) => ofAccount(answer, arn.account))
  },
})

export type Source = {
  readonly arn: RoleArn
  /** The whole ARN, where its path is known. */
  readonly text: string
  readonly whole: boolean
}

/** The caller that a refusal names. */
export const callerIn = (text: string): { readonly account: string; readonly name: string } | undefined => {
  const [, account, name] =
    /User: arn:aws[a-z-]{0,20}:sts::(\d{12}):assumed-role\/([\w+=,.@-]{1,64})\//.exec(text) ?? []
  return account === undefined || name === undefined ? undefined : { account, name }
}

export type Refusal = { readonly error: ObservedError; readonly role: string }

/** Refusals of sts:AssumeRole on the role of the identity, whoever logged them; of the cluster all that the controllers logged. */
export const roleRefusals = defineProbe({
  id: 'capa/role-refusals',
  about: 'refusals of the role of the identity',
  scope: 'object',
  needs: {},
  wants: { identity, observedErrors, capaErrors },
  ask: (_have, { identity, observedErrors, capaErrors }): Fact<readonly Refusal[]> => {
    const arn = identity.state === 'known' ? roleArnOf(identity.value) : undefined
    const source = identity.state === 'absent' ? capaErrors : observedErrors
    if (source.state !== 'known') return absent(seen.errors())
    const found = source.value.flatMap((error) => {
      const role = /not authorized to perform: sts:AssumeRole on resource: (arn:[^\s"',\\]{10,300})/.exec(
        error.text,
      )?.[1]
      return role === undefined ? [] : [{ error, role: role.replace(/[.;)]+$/, '') }]
    })
    const own = identity.state === 'absent' ? found : found.filter(({ role }) => role === arn)
    return own.length === 0 ? absent(source.from) : known(own, source.from)
  },
})

const ofName = (account: string, name: string, partition = 'aws'): Source => ({
  arn: { partition, account, path: '/', name },
  text: `arn:${partition}:iam::${account}:role/${name}`,
  whole: false,
})

const written = (arn: string): Source | undefined => {
  const parsed = parseRoleArn(arn)
  return parsed === undefined ? undefined : { arn: parsed, text: arn, whole: true }
}

/** The role that the identity's role is assumed from; absent for other subjects and for a source that is no role. */
export const sourceRole = defineProbe({
  id: 'capa/source-role',
  about: 'the role that the identity is assumed from',
  scope: 'object',
  needs: {},
  wants: { identity, capaAccounts, roleRefusals, targetRole },
  ask: async (_have, { identity, capaAccounts, roleRefusals, targetRole }, { ask }): Promise<Fact<Source>> => {
    const none = aws.role(undefined, '')
    const ref = identity.state === 'known' ? sourceOf(identity.value) : undefined
    if (identity.state !== 'known' || ref === undefined) return absent(none)
    if (ref.kind === roleKind) {
      const source = await identityOf(ref, ask)
      if (source.state !== 'known') return source
      const found = written(roleArnOf(source.value) ?? '')
      return found === undefined
        ? unknown('malformed', `${refText(ref)} names no role`, source.from)
        : known(found, source.from)
    }
    if (ref.kind !== controllerKind) return absent(none)
    const annotated = capaAccounts.state === 'known' ? capaAccounts.value.items.flatMap(({ role }) => role ?? []) : []
    const own = annotated.map(written).find((one) => one !== undefined)
    if (own !== undefined) return known(own, capaAccounts.from)
    const said = roleRefusals.state === 'known' ? roleRefusals.value.map(({ error }) => callerIn(error.text)) : []
    const caller = said.find((one) => one !== undefined)
    if (caller !== undefined) return known(ofName(caller.account, caller.name), roleRefusals.from)
    const byName = await ofClusterawsadm(identity.value, targetRole, ask)
    return (
      byName ??
      (capaAccounts.state === 'unknown'
        ? capaAccounts
        : unknown(
            'not-collected',
            'which role the controllers have was not seen',
            capaAccounts.from,
            'kubectl get serviceaccounts -A -o yaml',
          ))
    )
  },
})

/** clusterawsadm gives the controllers' role the same name everywhere: the one that was collected, or that the target trusts. */
async function ofClusterawsadm(
  identity: Identity,
  targetRole: Fact<Role>,
  ask: Inquiry['ask'],
): Promise<Fact<Source> | undefined> {
  const account = targetOf(identity)?.account
  const roles = await ask(aws.roles())
  const found = new Set<string>()
  if (roles.state === 'known')
    for (const one of listAt(roles.value, 'Roles')) {
      const arn = parseRoleArn(textAt(one, 'Arn') ?? '')
      if (arn?.name === controllersRole && arn.account !== account) found.add(textAt(one, 'Arn') ?? '')
    }
  if (targetRole.state === 'known')
    for (const principal of chainTrust(targetRole.value.policy, { account: '', name: '' }).principals)
      if (parseRoleArn(principal)?.name === controllersRole) found.add(principal)
  const [only] = found
  const source = only === undefined || found.size > 1 ? undefined : written(only)
  return source === undefined ? undefined : known(source, roles.from)
}

/** The permission policies of the source; absent where there is none. */
export const sourcePolicies = defineProbe({
  id: 'capa/source-policies',
  about: 'the permission policies of the role that the identity is assumed from',
  scope: 'object',
  needs: {},
  wants: { sourceRole },
  ask: (_have, { sourceRole }, { ask }): Soon<Fact<RolePolicies>> =>
    sourceRole.state === 'known' ? policiesOf(sourceRole.value.arn, { ask }) : sourceRole,
})
