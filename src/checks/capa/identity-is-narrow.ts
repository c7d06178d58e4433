/** Whether identities of Cluster API Provider AWS are open only to the namespaces, tokens and powers that need them. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { isObject, textAt, textsAt } from '../../core/json.ts'
import { advice } from '../../domain/advice.ts'
import { controllerKind, isOpen, type Ref, refText, roleArnOf, roleKind, staticKind } from '../../domain/capa.ts'
import { editIdentity, showIdentity } from '../../domain/capa-advice.ts'
import { claimsOf, issuersOf } from '../../domain/capa-bootstrap.ts'
import { sh } from '../../domain/shell-words.ts'
import { bootstrap } from '../../probes/capa/bootstrap.ts'
import { identity } from '../../probes/capa/objects.ts'
import { bootstrapKeys, keySecret, tenants } from '../../probes/capa/secrets.ts'
import { narrowConcern } from '../../probes/capa/spec.ts'

const refOf = (identity: string): Ref => {
  const [kind = roleKind, name = 'NAME'] = identity.split('/')
  return { kind, name }
}
const users =
  'kubectl get awsclusters.infrastructure.cluster.x-k8s.io,awsmanagedcontrolplanes.controlplane.cluster.x-k8s.io -A'

export const check = defineCheck({
  meta: {
    id: 'capa/identity-is-narrow',
    title: 'Identities are open only to the namespaces, tokens and powers that need them',
    severity: 'warning',
    scope: 'object',
    kinds: [
      'AWSClusterRoleIdentity',
      'AWSClusterStaticIdentity',
      'AWSClusterControllerIdentity',
      'AWSIAMConfiguration',
    ],
    cloud: 'aws',
    section: 'Cluster API',
    why: 'Whoever may create a cluster object in a namespace that an identity admits acts with all the powers of that identity.',
    fix: {
      safety: 'review',
      does: 'Replace {} by a list of the namespaces whose clusters use the identity today, and add the condition on the audience to the statement in the file; keys and Secrets are deleted by their owner.',
    },
    links: [
      'https://github.com/kubernetes-sigs/cluster-api-provider-aws/blob/2cf09d7/pkg/cloud/identity/identity.go',
      'https://github.com/kubernetes-sigs/cluster-api-provider-aws/blob/2cf09d7/pkg/cloud/scope/session.go',
    ],
  },
  only: { probe: narrowConcern, otherwise: 'there is no identity of Cluster API Provider AWS' },
  needs: { narrowConcern },
  wants: { identity, tenants, bootstrap, bootstrapKeys, keySecret },
  after: [],
  messages: {
    'open-to-everyone': ({ identity, value, roleARN }: { identity: string; value: string; roleARN: string }) =>
      `${identity} has allowedNamespaces ${value}: whoever can create a cluster in any namespace acts as ${roleARN}`,
    'controller-open-to-everyone': ({ count }: { count: number }) =>
      `AWSClusterControllerIdentity default is open to every namespace beside ${count} tenant ${count === 1 ? 'identity' : 'identities'}: every tenant can act as the controllers`,
    'audience-not-tested': ({ document, claims, issuer }: { document: string; claims: string; issuer: string }) =>
      `trustStatements of ${document} test ${claims} of ${issuer} and not its aud: a token for any audience will do`,
    'policy-arns-ignored': ({ identity, roleARN }: { identity: string; roleARN: string }) =>
      `${identity} lists policyARNs, which CAPA does not send: sessions have the whole of ${roleARN}`,
    'long-lived-key': ({ identity }: { identity: string }) =>
      `${identity} rests on a long-lived access key; a role identity needs none`,
    'bootstrap-keys-left': ({
      serviceAccount,
      roleARN,
      secret,
    }: {
      serviceAccount: string
      roleARN: string
      secret: string
    }) => `ServiceAccount ${serviceAccount} has role ${roleARN}, yet Secret ${secret} still holds an access key`,
  },
  remedies: {
    'open-to-everyone': ({ identity }) =>
      advice(
        `Replace {} in spec.allowedNamespaces of ${identity} by a list of the namespaces whose clusters use it; the first command shows the cluster objects.`,
        users,
        editIdentity(refOf(identity)),
      ),
    'controller-open-to-everyone': () =>
      advice(
        'Replace {} in spec.allowedNamespaces by a list of the namespaces whose clusters are to use the controllers themselves; its spec is immutable, so delete and create it in one go.',
        users,
        showIdentity({ kind: controllerKind, name: 'default' }),
      ),
    'audience-not-tested': ({ document, issuer }) =>
      advice(
        `Add the condition that ${issuer}:aud equals sts.amazonaws.com to the statement in ${document}, and have the owner of the account make the stack again with clusterawsadm.`,
      ),
    'policy-arns-ignored': ({ identity }) =>
      advice(
        'Write what the session may do as spec.inlinePolicy, which is sent, and take policyARNs out.',
        editIdentity(refOf(identity)),
      ),
    'long-lived-key': ({ identity }) =>
      advice(
        `Make an AWSClusterRoleIdentity for the same account, have the clusters refer to it, then have the owner of the key delete it and ${identity}.`,
        showIdentity(refOf(identity)),
      ),
    'bootstrap-keys-left': ({ secret }) => {
      const [namespace = '', name = ''] = secret.split('/')
      return advice(
        `Have the owner of the key deactivate it and empty Secret ${secret}, then restart the controllers.`,
        sh`kubectl get ${`secret/${name}`} -n ${namespace} -o jsonpath={.metadata.creationTimestamp}`,
      )
    },
  },
  judge: ({ have, want: { identity, tenants, bootstrap, bootstrapKeys, keySecret }, subject }) => {
    if (have.narrowConcern.state === 'absent')
      return { status: 'not-applicable', reason: 'there is no identity of Cluster API Provider AWS' }
    if (bootstrap.state === 'known') {
      const { web, name } = bootstrap.value
      const question = bootstrap.from
      const path = 'spec.clusterAPIControllers.trustStatements'
      for (const statement of web) {
        const claims = claimsOf(statement)
        if (claims.some(({ claim }) => claim === 'aud')) continue
        const [issuer = 'the issuer'] = issuersOf([statement])
        const words = [...new Set(claims.map(({ claim }) => claim))].join(', ') || 'nothing'
        return {
          status: 'fail',
          message: 'audience-not-tested',
          data: { document: name, claims: words, issuer },
          evidence: [
            { question, path, observed: claims.map((one) => `${one.issuer}:${one.claim}`), expected: `${issuer}:aud` },
          ],
        }
      }
      return web.length === 0
        ? { status: 'not-applicable', reason: 'it trusts no web identity' }
        : { status: 'pass', evidence: [{ question, path, observed: web.length }] }
    }
    if (identity.state !== 'known')
      return identity.state === 'absent' && subject.kind === 'Cluster'
        ? { status: 'not-applicable', reason: 'only an error text speaks of it' }
        : { status: 'undecided', lacks: 'it was not seen' }
    const { kind, spec } = identity.value
    const name = refText(identity.value)
    const roleARN = roleArnOf(identity.value) ?? (kind === staticKind ? 'the owner of its key' : 'the controllers')
    const fields = isObject(spec) ? spec : {}
    const open = isOpen(spec)
    const evidence: readonly Evidence[] = [
      { question: identity.from, path: 'spec.allowedNamespaces', observed: fields.allowedNamespaces ?? null },
    ]
    if (open && kind !== controllerKind)
      return {
        status: 'fail',
        message: 'open-to-everyone',
        data: { identity: name, value: JSON.stringify(fields.allowedNamespaces), roleARN },
        evidence,
      }
    if (tenants.state === 'known' && tenants.value.count > 0)
      return {
        status: 'fail',
        message: 'controller-open-to-everyone',
        data: { count: tenants.value.count },
        evidence: [...evidence, { question: tenants.from, path: 'items', observed: tenants.value.count }],
      }
    const policies = textsAt(fields, 'policyARNs')
    if (kind === roleKind && policies.length > 0)
      return {
        status: 'fail',
        message: 'policy-arns-ignored',
        data: { identity: name, roleARN },
        evidence: [{ question: identity.from, path: 'spec.policyARNs', observed: [...policies] }],
      }
    if (kind === staticKind) {
      const secret = keySecret.state === 'known' ? keySecret.value.secret : undefined
      if (
        secret?.state === 'known' &&
        secret.value.keys.includes('AccessKeyID') &&
        !secret.value.keys.includes('SessionToken')
      )
        return {
          status: 'fail',
          message: 'long-lived-key',
          data: { identity: name },
          evidence: [
            { question: secret.from, path: 'keys', observed: [...secret.value.keys], expected: 'SessionToken' },
          ],
        }
      if (secret?.state !== 'known')
        return {
          status: 'undecided',
          lacks: `the Secret ${textAt(fields, 'secretRef') ?? ''} of ${name} was not seen`,
          evidence,
        }
    }
    if (bootstrapKeys.state === 'known') {
      const { account, secret } = bootstrapKeys.value
      return {
        status: 'fail',
        message: 'bootstrap-keys-left',
        data: { serviceAccount: `${account.namespace}/${account.name}`, roleARN: account.role ?? 'its role', secret },
        evidence: [{ question: bootstrapKeys.from, path: 'settings', observed: 'aws_access_key_id' }],
      }
    }
    return { status: 'pass', evidence }
  },
})
