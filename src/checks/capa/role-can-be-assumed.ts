/** Whether the role of a role identity can be assumed from the identity before it: the permission of the one, the trust of the other. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { isObject, textAt } from '../../core/json.ts'
import { advice, changeTrust } from '../../domain/advice.ts'
import { parseRoleArn } from '../../domain/arn.ts'
import { chainTrust } from '../../domain/aws-chain.ts'
import { permitsAssumeRole } from '../../domain/aws-permits.ts'
import { refText, roleArnOf, roleKind, sourceOf } from '../../domain/capa.ts'
import { editIdentity } from '../../domain/capa-advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { callerIn, roleRefusals, sourcePolicies, sourceRole, targetOf, targetRole } from '../../probes/capa/assume.ts'
import { identity } from '../../probes/capa/objects.ts'
import { roleIdentityConcern } from '../../probes/capa/spec.ts'

type Pair = { readonly source: string; readonly roleARN: string; readonly identity: string }

const nameOf = (arn: string): string => arn.split('/').at(-1) ?? arn
const grant = ({ source, roleARN }: Pair): string =>
  advice(
    `Allow sts:AssumeRole on exactly ${roleARN} to the source: as a statement under clusterAPIControllers.extraStatements (or allowAssumeRole: true, where the release of clusterawsadm has it) of the AWSIAMConfiguration of its account, or by the command with credentials of that account.`,
    sh`aws iam put-role-policy --role-name ${nameOf(source)} --policy-name assume-tenant-role --policy-document ${JSON.stringify(
      {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: roleARN }],
      },
    )}`,
  )
const trust = (data: Pair, sentence: string): string =>
  advice(
    `${sentence} in the trust policy of ${data.roleARN}, with credentials of its own account; a star or an ExternalId condition is left as it is.`,
    ...changeTrust(nameOf(data.roleARN)),
  )

export const check = defineCheck({
  meta: {
    id: 'capa/role-can-be-assumed',
    title: 'Each role of the chain can be assumed from the identity before it',
    severity: 'error',
    scope: 'object',
    kinds: ['AWSClusterRoleIdentity'],
    cloud: 'aws',
    section: 'Cluster API',
    why: 'Across accounts both sides have to agree, and STS refuses with the same words whichever of them does not.',
    fix: {
      safety: 'review',
      does: 'Add one statement for exactly this pair: sts:AssumeRole on the role for the source, or the ARN of the source in the trust of the target; never a star, and no ExternalId condition is taken away.',
    },
    links: [
      'https://github.com/kubernetes-sigs/cluster-api-provider-aws/issues/4046',
      'https://github.com/kubernetes-sigs/cluster-api-provider-aws/pull/4132',
    ],
  },
  only: { probe: roleIdentityConcern, otherwise: 'there is no role identity of Cluster API Provider AWS' },
  needs: { roleIdentityConcern },
  wants: { identity, targetRole, sourceRole, sourcePolicies, roleRefusals },
  after: ['capa/identity-exists', 'aws/trust-policy-admits-service-account'],
  messages: {
    'role-arn-malformed': ({ identity, value }: { identity: string; value: string }) =>
      `${identity}: roleARN ${value} is no IAM role ARN`,
    'source-lacks-permission': ({ source, roleARN }: Pair) =>
      `${source} has no policy that allows sts:AssumeRole on ${roleARN}`,
    'source-allows-another-role': ({ source, allowed, identity, roleARN }: Pair & { allowed: string }) =>
      `${source} may assume ${allowed}; ${identity} names ${roleARN}`,
    'target-trusts-another': ({ roleARN, trusted, source }: Pair & { trusted: string }) =>
      `${roleARN} trusts ${trusted}; the controllers come as ${source}`,
    'trust-lacks-path': ({ roleARN, trusted, source }: Pair & { trusted: string }) =>
      `${roleARN} trusts ${trusted}, which leaves out the path of ${source}`,
    'external-id-differs': ({ roleARN, identity, state }: Pair & { state: string }) =>
      `${roleARN} asks for an sts:ExternalId; spec.externalID of ${identity} is ${state}`,
    refused: ({ source, roleARN, policies, trust }: Pair & { policies: string; trust: string }) =>
      `STS refused ${source} the role ${roleARN}; the policies (${policies}) and the trust (${trust}) do not explain it`,
  },
  remedies: {
    'role-arn-malformed': ({ identity }) =>
      advice(
        'Write the whole ARN of the role, arn:aws:iam::ACCOUNT:role/NAME, into spec.roleARN.',
        editIdentity({ kind: roleKind, name: nameOf(identity) }),
      ),
    'source-lacks-permission': grant,
    'source-allows-another-role': grant,
    'target-trusts-another': (data) =>
      trust(data, `Add ${data.source} as a principal of a statement that allows sts:AssumeRole`),
    'trust-lacks-path': (data) => trust(data, `Write ${data.source} in the place of ${data.trusted}`),
    'external-id-differs': ({ identity }) =>
      advice(
        'Write the external id that the trust policy asks for into spec.externalID; its owner knows it.',
        editIdentity({ kind: roleKind, name: nameOf(identity) }),
      ),
    refused: ({ source, roleARN }) =>
      advice(
        'Save both sides, each with credentials of its own account, and look again with -f and these files; a boundary or a policy of the organization refuses in the same words.',
        sh`aws iam get-role --role-name ${nameOf(roleARN)} --output json`,
        sh`aws iam list-attached-role-policies --role-name ${nameOf(source)} --output json`,
        sh`aws iam list-role-policies --role-name ${nameOf(source)} --output json`,
      ),
  },
  judge: ({ have, want: { identity, targetRole, sourceRole, sourcePolicies, roleRefusals } }) => {
    if (have.roleIdentityConcern.state === 'absent')
      return { status: 'not-applicable', reason: 'there is no role identity of Cluster API Provider AWS' }
    const arn = identity.state === 'known' ? roleArnOf(identity.value) : undefined
    const target = identity.state === 'known' ? targetOf(identity.value) : undefined
    const refusal = roleRefusals.state === 'known' ? roleRefusals.value[0] : undefined
    const caller = refusal === undefined ? undefined : callerIn(refusal.error.text)
    const told: readonly Evidence[] = refusal === undefined ? [] : [ofError(refusal.error)]
    if (identity.state !== 'known') {
      if (refusal === undefined)
        return identity.state === 'absent'
          ? { status: 'not-applicable', reason: 'nothing was said about a role that may not be assumed' }
          : { status: 'undecided', lacks: 'the identity was not seen' }
      const source = caller === undefined ? 'the source' : `${caller.account}:role/${caller.name}`
      return {
        status: 'fail',
        message: 'refused',
        data: {
          source,
          roleARN: refusal.role,
          identity: 'the identity',
          policies: 'not collected',
          trust: 'not collected',
        },
        evidence: told,
      }
    }
    const name = refText(identity.value)
    const named: Evidence = { question: identity.from, path: 'spec.roleARN', observed: arn ?? null }
    if (arn === undefined) return { status: 'undecided', lacks: `${name} names no role` }
    if (target === undefined)
      return {
        status: 'fail',
        message: 'role-arn-malformed',
        data: { identity: name, value: arn.slice(0, 300) },
        evidence: [named],
      }
    const from = sourceOf(identity.value)
    if (from === undefined) return { status: 'undecided', lacks: `${name} names no source` }
    const source = sourceRole.state === 'known' ? sourceRole.value : undefined
    const text = source?.text ?? (caller === undefined ? refText(from) : `${caller.account}:role/${caller.name}`)
    const pair: Pair = { source: text, roleARN: arn, identity: name }
    const sameAccount = source?.arn.account === target.account
    const side =
      targetRole.state === 'known' && source !== undefined
        ? chainTrust(targetRole.value.policy, { account: source.arn.account, name: source.arn.name })
        : undefined
    const pathLess = side?.principals.find((one) => {
      const parsed = parseRoleArn(one)
      return (
        parsed?.name === source?.arn.name &&
        parsed?.account === source?.arn.account &&
        parsed?.path !== source?.arn.path
      )
    })
    const lacksPath =
      source?.whole === true && pathLess !== undefined && side?.by === 'role' && !side.principals.includes(source.text)
    const permission =
      sourcePolicies.state === 'known'
        ? permitsAssumeRole(
            sourcePolicies.value.items.map(({ policy }) => policy),
            arn,
          )
        : undefined
    const whole = sourcePolicies.state === 'known' && sourcePolicies.value.complete
    const policiesSeen: Evidence | undefined =
      sourcePolicies.state === 'known'
        ? {
            question: sourcePolicies.from,
            path: 'sts:AssumeRole',
            observed: [...(permission?.others ?? [])],
            expected: arn,
          }
        : undefined
    const trustSeen: Evidence | undefined =
      side === undefined
        ? undefined
        : {
            question: targetRole.from,
            path: 'Role.AssumeRolePolicyDocument',
            observed: [...side.principals],
            expected: text,
            words: { observed: 'trusts', expected: 'is assumed by' },
          }
    const evidence = [
      named,
      ...(policiesSeen === undefined ? [] : [policiesSeen]),
      ...(trustSeen === undefined ? [] : [trustSeen]),
      ...told,
    ]
    // Within one account the trust alone is enough where it names the role itself.
    const trustSuffices = sameAccount && side?.by === 'role' && !lacksPath
    if (permission?.permits === false && whole && !trustSuffices && (side !== undefined || !sameAccount)) {
      const [allowed] = permission.others
      return allowed === undefined
        ? { status: 'fail', message: 'source-lacks-permission', data: pair, evidence }
        : {
            status: 'fail',
            message: 'source-allows-another-role',
            data: { ...pair, allowed: permission.others.join(', ') },
            evidence,
          }
    }
    if (side !== undefined && side.by === undefined)
      return {
        status: 'fail',
        message: 'target-trusts-another',
        data: { ...pair, trusted: side.principals.join(', ') || 'no AWS principal' },
        evidence,
      }
    if (lacksPath)
      return { status: 'fail', message: 'trust-lacks-path', data: { ...pair, trusted: pathLess }, evidence }
    const sent = isObject(identity.value.spec) ? textAt(identity.value.spec, 'externalID') : undefined
    if (side !== undefined && side.externalIds.length > 0 && !(sent !== undefined && side.externalIds.includes(sent)))
      return {
        status: 'fail',
        message: 'external-id-differs',
        data: { ...pair, state: sent === undefined || sent === '' ? 'not set' : 'another one' },
        evidence,
      }
    const policies =
      permission === undefined ? 'not collected' : permission.permits === true ? 'they allow it' : 'they leave it open'
    const trusts = side === undefined ? 'not collected' : 'it admits the source'
    if (refusal !== undefined)
      return { status: 'fail', message: 'refused', data: { ...pair, policies, trust: trusts }, evidence }
    if (source === undefined)
      return { status: 'undecided', lacks: `which role ${name} is assumed from was not seen`, evidence }
    if (side === undefined)
      return {
        status: 'undecided',
        lacks: `the trust policy of ${arn} was not seen`,
        lift: sh`aws iam get-role --role-name ${target.name}`,
        evidence,
      }
    if (trustSuffices || permission?.permits === true) return { status: 'pass', evidence }
    return {
      status: 'undecided',
      lacks: `whether a policy of ${text} allows sts:AssumeRole on ${arn} was not seen`,
      lift: sh`aws iam list-attached-role-policies --role-name ${source.arn.name}`,
      evidence,
    }
  },
})
