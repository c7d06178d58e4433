/** The calls of IAM that make and take away roles, attachments and OIDC providers; what the lab was told besides stays as it is. */
import type { Json } from '../core/json.ts'
import { type Account, arnParts, type Provider, type Role } from './aws-accounts.ts'
import { AwsError, type Call, type Form, members, type Xml } from './aws-query.ts'

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
  /** As the case has them. */
  readonly attachedInCase: Call
  readonly listInCase: Call
  readonly policyInCase: Call
  /** Whether the case shows all policies of the role, and this one is not among them. */
  readonly lacksInCase: (role: string, policy: string) => boolean
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
  /** By role and policy, what was put since the lab began; undefined where it was taken away. */
  const inline = new Map<string, string | undefined>()
  const policyNow: Call = (form) => {
    const [RoleName, PolicyName] = [required(form, 'RoleName'), required(form, 'PolicyName')]
    const key = keyOf(RoleName, PolicyName)
    const text = inline.get(key)
    if (text !== undefined) return { RoleName, PolicyName, PolicyDocument: encodeURIComponent(text) }
    const gone = new AwsError(404, 'NoSuchEntity', `The role policy with name ${PolicyName} cannot be found.`)
    if (inline.has(key) || made.has(RoleName)) throw gone
    // Where the case shows the names of all, one that is not among them is not there.
    if (desk.lacksInCase(RoleName, PolicyName)) throw gone
    return desk.policyInCase(form)
  }

  /** A case may show a role by its policies alone. */
  const policyRole = async (form: Form, action: string): Promise<string> => {
    const name = required(form, 'RoleName')
    desk.allow(action, `role ${name}`)
    if (!own.roles.has(name)) await policyNow(form)
    return name
  }

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
    PutRolePolicy: async (form) => {
      const name = await policyRole(form, 'iam:PutRolePolicy')
      inline.set(keyOf(name, required(form, 'PolicyName')), permissionsPolicy(required(form, 'PolicyDocument')))
      return {}
    },
    DeleteRolePolicy: async (form) => {
      const name = await policyRole(form, 'iam:DeleteRolePolicy')
      await policyNow(form)
      inline.set(keyOf(name, required(form, 'PolicyName')), undefined)
      return {}
    },
    GetRolePolicy: policyNow,
    ListRolePolicies: async (form) => {
      const name = required(form, 'RoleName')
      const told = made.has(name) ? { PolicyNames: [] } : await desk.listInCase(form)
      const before = namesIn(told)
      const here = [...inline].flatMap(([key, value]) =>
        key.startsWith(`${name} `) && value !== undefined ? [key.slice(name.length + 1)] : [],
      )
      const kept = before.filter((one) => !inline.has(keyOf(name, one)))
      return { PolicyNames: [...kept, ...here], IsTruncated: false }
    },
    UpdateRole: (form) => {
      const role = roleNamed(form, 'iam:UpdateRole')
      const seconds = Number(form.get('MaxSessionDuration') ?? 3600)
      if (!(seconds >= 3600 && seconds <= 43_200))
        throw new AwsError(
          400,
          'ValidationError',
          `Value ${seconds} at 'maxSessionDuration' failed to satisfy constraint`,
        )
      own.roles.set(role.name, { ...role, maxSessionDuration: seconds })
      return {}
    },
    UpdateOpenIDConnectProviderThumbprint: (form) => {
      const provider = providerNamed(form, 'iam:UpdateOpenIDConnectProviderThumbprint')
      const thumbprints = members(form, 'ThumbprintList')
      if (thumbprints.length > 5 || thumbprints.some((one) => one.length !== 40))
        throw new AwsError(400, 'InvalidInput', 'Thumbprint list must contain fewer than 5 entries of 40 characters.')
      own.providers.set(provider.arn, { ...provider, thumbprints })
      return {}
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

function permissionsPolicy(text: string): string {
  try {
    JSON.parse(text)
    return text
  } catch {
    throw new AwsError(400, 'MalformedPolicyDocument', 'This policy contains invalid Json')
  }
}

function namesIn(told: Xml): readonly string[] {
  const list = typeof told === 'object' && 'PolicyNames' in told ? told.PolicyNames : []
  return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : []
}
