/** Changes to what a role may do and for how long, to the thumbprints of a provider, and to add-ons of a cluster. */
import type { Json, JsonObject } from '../core/json.ts'
import type { Change } from '../core/plan.ts'
import type { Changed } from './kubernetes-changes.ts'
import { aws } from './questions.ts'

const call = (name: string, input: JsonObject): Change => ({ system: 'aws', call: name, input })

/** A policy in the role itself, from the whole document that was seen (undefined: there is none of that name) to the one that should be. */
export function putRolePolicy(
  account: string,
  RoleName: string,
  PolicyName: string,
  from: Json | undefined,
  to: Json,
): Changed {
  const question = aws.rolePolicy(account, RoleName, PolicyName)
  const place = { account, RoleName, PolicyName }
  if (from === undefined)
    return {
      change: call('iam:PutRolePolicy', { ...place, PolicyDocument: to }),
      effects: [
        { question, path: [], after: { RoleName, PolicyName, PolicyDocument: to } },
        { question: aws.rolePolicies(account, RoleName), path: ['PolicyNames', '-'], after: PolicyName },
      ],
      undo: call('iam:DeleteRolePolicy', { ...place, PolicyDocument: to }),
    }
  return {
    change: call('iam:PutRolePolicy', { ...place, from, PolicyDocument: to }),
    effects: [{ question, path: ['PolicyDocument'], before: from, after: to }],
    undo: call('iam:PutRolePolicy', { ...place, from: to, PolicyDocument: from }),
  }
}

/** How long a session of the role may last, in seconds. */
export function changeSessionLimit(account: string, RoleName: string, from: number, to: number): Changed {
  const put = (before: number, MaxSessionDuration: number): Change =>
    call('iam:UpdateRole', { account, RoleName, from: before, MaxSessionDuration })
  const effect = {
    question: aws.role(account, RoleName),
    path: ['Role', 'MaxSessionDuration'],
    before: from,
    after: to,
  }
  return { change: put(from, to), effects: [effect], undo: put(to, from) }
}

/** The thumbprints of a provider. IAM replaces the list whole. */
export function changeThumbprints(
  account: string,
  OpenIDConnectProviderArn: string,
  from: readonly string[],
  to: readonly string[],
): Changed {
  const put = (before: readonly string[], ThumbprintList: readonly string[]): Change =>
    call('iam:UpdateOpenIDConnectProviderThumbprint', {
      account,
      OpenIDConnectProviderArn,
      from: before,
      ThumbprintList,
    })
  const question = aws.oidcProvider(OpenIDConnectProviderArn)
  return {
    change: put(from, to),
    effects: [{ question, path: ['ThumbprintList'], before: from, after: to }],
    undo: put(to, from),
  }
}

const addon = (addonName: string) => ({ system: 'aws', call: 'eks:DescribeAddon', input: { addonName } })

/** Installs an add-on in the version that EKS takes for the cluster. */
export function installAddon(clusterName: string, addonName: string): Changed {
  const input = { clusterName, addonName }
  return {
    change: call('eks:CreateAddon', input),
    effects: [{ question: addon(addonName), path: [], after: { addon: input } }],
    undo: call('eks:DeleteAddon', input),
  }
}

/** Settings of an add-on that has none of its own so far: EKS replaces them whole, so that others are left alone. */
export function configureAddon(clusterName: string, addonName: string, configurationValues: JsonObject): Changed {
  const put = (from: Json, to: Json): Change =>
    call('eks:UpdateAddon', { clusterName, addonName, from, configurationValues: to })
  return {
    change: put({}, configurationValues),
    effects: [{ question: addon(addonName), path: ['addon', 'configurationValues'], after: configurationValues }],
    undo: put(configurationValues, {}),
  }
}
