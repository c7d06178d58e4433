/** The calls of IAM that make and take away roles, attachments and OIDC providers; what the lab was told besides stays as it is. */
import type { Json } from '../core/json.ts'
import { type Account, arnParts, type Provider, type Role } from './aws-accounts.ts'
import { AwsError, type Call, type Form, type Xml } from './aws-query.ts'

export type WriteDesk = {
  readonly own: Account
  readonly partition: string
  /** Throws where the signed-in identity may not call this. */
  readonly allow: (action: string, resource: string) => void
  readonly required: (form: Form, name: string) => string
  readonly roleNamed: (form: Form, action: string) => Role
  readonly providerNamed: (form: Form, action: string) => Provider
  readonly trustPolicy: (text: string) => Json
  readonly roleXml: (role: Role) => Xml
  /** As the case has it. */
  readonly attachedInCase: Call
}

type Attached = { readonly PolicyName: string; readonly PolicyArn: string }

export function writeCalls(desk: WriteDesk): { readonly [action: string]: Call } {
  const { own, required, roleNamed, providerNamed } = desk
  /** By role and policy, what was attached or detached since the lab began. */
  const changed = new Map<string, boolean>()
  const keyOf = (role: string, policy: string): string => `${role} ${policy}`
  const attachment =
    (action: string, isAttached: boolean): Call =>
    (form) => {
      const { name } = roleNamed(form, `iam:${action}`)
      changed.set(keyOf(name, required(form, 'PolicyArn')), isAttached)
      return {}
    }
  const made = new Set<string>()

  return {
    CreateRole: (form) => {
      const name = required(form, 'RoleName')
      const arn = `arn:${desk.partition}:iam::${own.id}:role/${name}`
      desk.allow('iam:CreateRole', arn)
      if (own.roles.has(name)) throw new AwsError(409, 'EntityAlreadyExists', `Role with name ${name} already exists.`)
      const policy = desk.trustPolicy(required(form, 'AssumeRolePolicyDocument'))
      const created = `${new Date().toISOString().slice(0, 19)}Z`
      const role: Role = { name, arn, policy, maxSessionDuration: 3600, created, more: {} }
      own.roles.set(name, role)
      made.add(name)
      return { Role: desk.roleXml(role) }
    },
    DeleteRole: (form) => {
      const { name } = roleNamed(form, 'iam:DeleteRole')
      const attached = [...changed].some(([key, isThere]) => isThere && key.startsWith(`${name} `))
      if (attached) throw new AwsError(409, 'DeleteConflict', 'Cannot delete entity, must detach all policies first.')
      own.roles.delete(name)
      return {}
    },
    AttachRolePolicy: attachment('AttachRolePolicy', true),
    DetachRolePolicy: attachment('DetachRolePolicy', false),
    ListAttachedRolePolicies: async (form) => {
      const name = required(form, 'RoleName')
      if (made.has(name)) roleNamed(form, 'iam:ListAttachedRolePolicies')
      const told = made.has(name) ? { AttachedPolicies: [] } : await desk.attachedInCase(form)
      const before = attachedIn(told)
      const added = [...changed].flatMap(([key, isThere]): readonly Attached[] => {
        const PolicyArn = key.slice(key.indexOf(' ') + 1)
        if (!isThere || key !== keyOf(name, PolicyArn) || before.some((one) => one.PolicyArn === PolicyArn)) return []
        return [{ PolicyName: arnParts(PolicyArn)?.resource.split('/').at(-1) ?? PolicyArn, PolicyArn }]
      })
      const kept = before.filter(({ PolicyArn }) => changed.get(keyOf(name, PolicyArn)) !== false)
      return { AttachedPolicies: [...kept, ...added], IsTruncated: false }
    },
    DeleteOpenIDConnectProvider: (form) => {
      own.providers.delete(providerNamed(form, 'iam:DeleteOpenIDConnectProvider').arn)
      return {}
    },
    RemoveClientIDFromOpenIDConnectProvider: (form) => {
      const provider = providerNamed(form, 'iam:RemoveClientIDFromOpenIDConnectProvider')
      const clientIds = (provider.clientIds ?? []).filter((one) => one !== required(form, 'ClientID'))
      own.providers.set(provider.arn, { ...provider, clientIds })
      return {}
    },
  }
}

function attachedIn(told: Xml): readonly Attached[] {
  const list = typeof told === 'object' && 'AttachedPolicies' in told ? told.AttachedPolicies : []
  if (!Array.isArray(list)) return []
  return list.flatMap((one: Xml): readonly Attached[] => {
    if (typeof one !== 'object' || !('PolicyArn' in one)) return []
    const { PolicyArn, PolicyName } = one
    return typeof PolicyArn === 'string' && typeof PolicyName === 'string' ? [{ PolicyArn, PolicyName }] : []
  })
}
