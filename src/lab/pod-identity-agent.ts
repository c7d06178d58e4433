/** The EKS Pod Identity agent and EKS Auth behind it: a pod's token for a session of the role of its association. */
import { randomUUID } from 'node:crypto'
import { isObject, textAt, textsAt } from '../core/json.ts'
import { podIdentityAudience } from '../domain/audiences.ts'
import { evaluatePodIdentityTrust } from '../domain/aws-trust-service.ts'
import { readToken, serviceAccountOf } from '../domain/token-claims.ts'
import { arnParts, roleNameOf } from './aws-accounts.ts'
import { newSession, type Sessions } from './aws-sessions.ts'
import type { LabCase } from './case.ts'
import type { Handler, Reply } from './listener.ts'
import type { Signer } from './signer.ts'

const text = (status: number, body: string): Reply => ({ status, headers: { 'content-type': 'text/plain' }, body })
/** As the agent passes on what EKS Auth says: https://github.com/aws/eks-pod-identity-agent */
const upstream = (status: number, code: string, message: string): Reply =>
  text(status, `[${randomUUID()}]: (${code}): ${message}, fault: client`)
const sixHours = 6 * 3600

export function podIdentityAgent(lab: LabCase, signer: Pick<Signer, 'verify'>, sessions: Sessions): Handler {
  const { accounts, associations, cluster } = lab
  const name = textAt(cluster, 'name') ?? 'lab'
  return async ({ method, path, headers }) => {
    if (method !== 'GET' || path !== '/v1/credentials') return text(404, '404 page not found')
    const token = headers.authorization ?? ''
    if (token === '') return text(400, 'Service account token cannot be empty')
    const reading = readToken(token)
    if (reading.state !== 'read')
      return text(400, 'Service account token cannot be parsed: token contains an invalid number of segments')
    const { exp } = reading.claims
    if (typeof exp !== 'number' || exp * 1000 <= Date.now())
      return text(400, 'Service account token failed basic claim validations: token is expired')
    const claims = await signer.verify(token)
    if (claims === undefined || !textsAt(claims, 'aud').includes(podIdentityAudience))
      return upstream(400, 'InvalidTokenException', 'The token included in the request is invalid')
    const owner = serviceAccountOf(textAt(claims, 'sub'))
    const found = associations?.find(
      (one) => textAt(one, 'namespace') === owner?.namespace && textAt(one, 'serviceAccount') === owner?.name,
    )
    if (owner === undefined || found === undefined)
      return upstream(404, 'ResourceNotFoundException', 'No association found for the service account of the token')
    const roleArn = textAt(found, 'roleArn')
    const parts = arnParts(roleArn)
    const role =
      roleArn === undefined || parts === undefined
        ? undefined
        : accounts.all.get(parts.account)?.roles.get(roleNameOf(roleArn) ?? '')
    if (role === undefined || parts === undefined)
      return text(
        500,
        "lab: the case does not show the association's role, so the lab cannot say what EKS would answer",
      )
    const { account, partition } = parts
    const arn = textAt(cluster, 'arn')
    const { decision } = evaluatePodIdentityTrust(role.policy, {
      namespace: owner.namespace,
      serviceAccount: owner.name,
      ...(arn === undefined ? {} : { cluster: { name, arn, account: arnParts(arn)?.account ?? accounts.own } }),
      tags: found.disableSessionTags !== true,
      now: new Date().toISOString(),
    })
    if (decision !== 'allow')
      return upstream(
        400,
        'AccessDeniedException',
        'Unauthorized Exception! EKS does not have permissions to assume the associated role.',
      )
    const pod = isObject(claims['kubernetes.io']) ? textAt(claims['kubernetes.io'], 'pod', 'name') : undefined
    const session = `eks-${name}-${pod ?? owner.name}-${randomUUID()}`.slice(0, 64)
    const { keys } = newSession(sessions, { role, account, partition, session, seconds: sixHours, now: Date.now() })
    const { SessionToken, SecretAccessKey, AccessKeyId, Expiration } = keys
    const body = { AccessKeyId, SecretAccessKey, Token: SessionToken, AccountId: account, Expiration }
    return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  }
}
