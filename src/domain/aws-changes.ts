/** Changes to IAM and EKS as a fixer proposes them: each names what was seen, so that it is refused where that has moved. */
import type { Json, JsonObject } from '../core/json.ts'
import type { Change } from '../core/plan.ts'
import { hostPathOf, providerArn } from './aws-trust-provider.ts'
import type { Changed } from './kubernetes-changes.ts'
import { aws } from './questions.ts'

const call = (name: string, input: JsonObject): Change => ({ system: 'aws', call: name, input })

/** The trust policy of a role, from the whole document that was seen to the whole that should be. IAM replaces it whole; the two must differ in one place only. */
export function changeTrustPolicy(account: string, RoleName: string, from: Json, to: Json): Changed {
  const put = (before: Json, after: Json): Change =>
    call('iam:UpdateAssumeRolePolicy', { account, RoleName, from: before, PolicyDocument: after })
  const effect = {
    question: aws.role(account, RoleName),
    path: ['Role', 'AssumeRolePolicyDocument'],
    before: from,
    after: to,
  }
  return { change: put(from, to), effects: [effect], undo: put(to, from) }
}

/** Registers an issuer (with https://) in an account, for these audiences; another of the same name is left alone and counts as moved. */
export function createProvider(
  { partition, account }: { readonly partition: string; readonly account: string },
  issuer: string,
  audiences: readonly string[],
): Changed {
  const url = hostPathOf(issuer)
  const OpenIDConnectProviderArn = providerArn({ partition, accountId: account, hostPath: url })
  const provider = { Url: url, ClientIDList: audiences, ThumbprintList: [] }
  const listed = ['OpenIDConnectProviderList', '-']
  const entry = { Arn: OpenIDConnectProviderArn }
  return {
    change: call('iam:CreateOpenIDConnectProvider', {
      account,
      OpenIDConnectProviderArn,
      Url: `https://${url}`,
      ClientIDList: audiences,
    }),
    effects: [
      { question: aws.oidcProvider(OpenIDConnectProviderArn), path: [], after: provider },
      { question: aws.oidcProviders(account), path: listed, after: entry },
    ],
    undo: call('iam:DeleteOpenIDConnectProvider', { account, OpenIDConnectProviderArn, ClientIDList: audiences }),
  }
}

/** Has a provider accept one more audience; those that it accepts stay. */
export function addClientId(account: string, OpenIDConnectProviderArn: string, ClientID: string): Changed {
  const input = { account, OpenIDConnectProviderArn, ClientID }
  return {
    change: call('iam:AddClientIDToOpenIDConnectProvider', input),
    effects: [{ question: aws.oidcProvider(OpenIDConnectProviderArn), path: ['ClientIDList', '-'], after: ClientID }],
    undo: call('iam:RemoveClientIDFromOpenIDConnectProvider', input),
  }
}

/** Makes a role that is not there, with this trust policy and nothing that it may do. */
export function createRole(
  { partition, account }: { readonly partition: string; readonly account: string },
  RoleName: string,
  AssumeRolePolicyDocument: JsonObject,
): Changed {
  const Arn = `arn:${partition}:iam::${account}:role/${RoleName}`
  return {
    change: call('iam:CreateRole', { account, RoleName, AssumeRolePolicyDocument }),
    effects: [
      { question: aws.role(account, RoleName), path: [], after: { Role: { RoleName, Arn, AssumeRolePolicyDocument } } },
      { question: aws.roles(account), path: ['Roles', '-'], after: { RoleName, Arn } },
    ],
    undo: call('iam:DeleteRole', { account, RoleName, AssumeRolePolicyDocument }),
  }
}

/** Gives a role a managed policy; those that it has stay. */
export function attachPolicy(account: string, RoleName: string, PolicyArn: string): Changed {
  const input = { account, RoleName, PolicyArn }
  const after = { PolicyName: PolicyArn.slice(PolicyArn.lastIndexOf('/') + 1), PolicyArn }
  return {
    change: call('iam:AttachRolePolicy', input),
    effects: [{ question: aws.attachedRolePolicies(account, RoleName), path: ['AttachedPolicies', '-'], after }],
    undo: call('iam:DetachRolePolicy', input),
  }
}

/** A ServiceAccount of a cluster with the role that it is to have. */
export type Association = { readonly namespace: string; readonly serviceAccount: string; readonly roleArn: string }

/** Binds a role by EKS Pod Identity where the ServiceAccount has no association. */
export function createAssociation(clusterName: string, association: Association): Changed {
  const input = { clusterName, ...association }
  const { namespace, serviceAccount } = association
  // The list leaves the role out: it stands in the association alone, whose id EKS will make.
  const associationId = `rehearsed-${namespace}-${serviceAccount}`
  return {
    change: call('eks:CreatePodIdentityAssociation', input),
    effects: [
      {
        question: aws.podIdentityAssociations(),
        path: ['associations', '-'],
        after: { namespace, serviceAccount, associationId },
      },
      { question: aws.podIdentityAssociation(associationId), path: [], after: { association: { ...association } } },
    ],
    undo: call('eks:DeletePodIdentityAssociation', input),
  }
}

/** Another role for a Pod Identity association that there is. */
export function changeAssociation(
  clusterName: string,
  associationId: string,
  { namespace, serviceAccount, roleArn }: Association,
  to: string,
): Changed {
  const put = (before: string, after: string): Change =>
    call('eks:UpdatePodIdentityAssociation', { clusterName, namespace, serviceAccount, from: before, roleArn: after })
  const question = aws.podIdentityAssociation(associationId)
  return {
    change: put(roleArn, to),
    effects: [{ question, path: ['association', 'roleArn'], before: roleArn, after: to }],
    undo: put(to, roleArn),
  }
}
