/** Whether the controllers can get the credentials of an identity: the Secret of a static one, or what STS answered. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { refText } from '../../domain/capa.ts'
import { findControllers } from '../../domain/capa-advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError, wordsOf } from '../../probes/aws/evidence.ts'
import { capaErrors, identityIn } from '../../probes/capa/errors.ts'
import { user } from '../../probes/capa/objects.ts'
import { controllersSince, keySecret, saysGone, staticIdentity } from '../../probes/capa/secrets.ts'
import { credentialConcern } from '../../probes/capa/spec.ts'

const wanted = ['AccessKeyID', 'SecretAccessKey']
const refusedKey = /InvalidClientTokenId/
const expired = /ExpiredToken(?:Exception)?\b/
const failed =
  /Failed to retrieve identity credentials|PrincipalCredentialRetrievalFailed|AuthFailure|SignatureDoesNotMatch/
const barred = /awscluster\w{4,10}identities\.infrastructure\.cluster\.x-k8s\.io is forbidden/
const unbuilt = /CredentialProviderBuildFailed/

type Secret = { readonly namespace: string; readonly name: string }
const restart = (sentence: string): string =>
  advice(sentence, findControllers, 'kubectl rollout restart deployment/capa-controller-manager -n capa-system')
const show = ({ namespace, name }: Secret): string =>
  sh`kubectl get ${`secret/${name}`} -n ${namespace} -o jsonpath={.metadata.name}`

export const check = defineCheck({
  meta: {
    id: 'capa/credentials-can-be-retrieved',
    title: "The controllers can retrieve the identity's credentials",
    severity: 'error',
    scope: 'object',
    kinds: ['AWSCluster', 'AWSManagedControlPlane', 'AWSClusterStaticIdentity'],
    cloud: 'aws',
    section: 'Cluster API',
    why: 'Without credentials nothing of the cluster is reconciled, and controllers keep a refusal longer than its cause lasts.',
    fix: {
      safety: 'review',
      does: 'Restart the controllers once the owner of the key confirms that it works, or create the Secret with its three keys; no Secret is copied between namespaces and no key tried.',
    },
    links: [
      'https://github.com/kubernetes-sigs/cluster-api-provider-aws/issues/6123',
      'https://github.com/kubernetes-sigs/cluster-api-provider-aws/issues/6182',
      'https://github.com/kubernetes-sigs/cluster-api-provider-aws/issues/5773',
      'https://github.com/kubernetes-sigs/cluster-api-provider-aws/issues/4034',
      'https://github.com/kubernetes-sigs/cluster-api-provider-aws/issues/2372',
    ],
  },
  only: { probe: credentialConcern, otherwise: 'nothing gets credentials through Cluster API Provider AWS' },
  needs: { credentialConcern },
  wants: { user, staticIdentity, keySecret, controllersSince, capaErrors },
  after: [
    'capa/identity-exists',
    'capa/identity-admits-namespace',
    'capa/role-can-be-assumed',
    'aws/trust-policy-admits-service-account',
  ],
  messages: {
    'secret-in-another-namespace': ({
      name,
      identity,
      found,
      expected,
    }: {
      name: string
      identity: string
      found: string
      expected: string
    }) => `Secret ${name} of ${identity} is in ${found}; the controllers read ${expected}`,
    'secret-missing': ({ namespace, name, identity }: Secret & { identity: string }) =>
      `Secret ${namespace}/${name} of ${identity} does not exist`,
    'secret-keys-missing': ({ namespace, name, missing, present }: Secret & { missing: string; present: string }) =>
      `Secret ${namespace}/${name} lacks ${missing}; it has ${present}`,
    'key-refused': ({ identity }: { identity: string }) =>
      `STS refused the access key behind ${identity} (InvalidClientTokenId); once the key is valid, restart the controllers, which may keep the refusal`,
    'source-expired': ({ source, identity }: { source: string; identity: string }) =>
      `the temporary credentials of ${source} have expired, so ${identity} can no longer be assumed from them`,
    'session-stale': ({ controller, identity, changed }: { controller: string; identity: string; changed: string }) =>
      `${controller} still uses the credentials that ${identity} had before ${changed}`,
    'provider-not-built': ({ identity, reason }: { identity: string; reason: string }) =>
      `CAPA could not build a credential provider for ${identity}: ${reason}`,
  },
  remedies: {
    'secret-in-another-namespace': ({ name, expected }) =>
      advice(
        `Have the owner of the key create Secret ${name} in namespace ${expected}, with AccessKeyID, SecretAccessKey and, for temporary keys, SessionToken; the one in the other namespace is never read.`,
        show({ name, namespace: expected }),
      ),
    'secret-missing': (data) =>
      advice(
        `Have the owner of the key create Secret ${data.namespace}/${data.name} with AccessKeyID, SecretAccessKey and, for temporary keys, SessionToken.`,
        show(data),
      ),
    'secret-keys-missing': (data) =>
      advice(
        `Have the owner of the key write it under the names AccessKeyID and SecretAccessKey: ${data.missing} is not there.`,
        show(data),
      ),
    'key-refused': () =>
      restart(
        'Have the owner of the key confirm that it works (a new one takes some minutes), then restart the controllers in the namespace that the first command shows.',
      ),
    'source-expired': () =>
      restart(
        'Give the source credentials that do not expire beneath the role, or new ones, then restart the controllers in the namespace that the first command shows.',
      ),
    'session-stale': () =>
      restart(
        'Restart the controllers in the namespace that the first command shows: those that did not see the change keep the old session.',
      ),
    'provider-not-built': () =>
      advice(
        'Put right what the reason names: a Secret that is missing or without its keys, or a source that does not exist.',
        findControllers,
      ),
  },
  judge: ({ have, want: { user, staticIdentity, keySecret, controllersSince, capaErrors } }) => {
    if (have.credentialConcern.state === 'absent')
      return { status: 'not-applicable', reason: 'nothing gets credentials through Cluster API Provider AWS' }
    const errors = capaErrors.state === 'known' ? capaErrors.value : []
    const conditions = user.state === 'known' ? user.value.conditions : []
    const condition = conditions.find(({ type }) => type === 'PrincipalCredentialRetrieved')
    const told: readonly { readonly text: string; readonly evidence: Evidence }[] = [
      ...errors.map((error) => ({ text: error.text, evidence: ofError(error) })),
      ...conditions
        .filter(({ status }) => status === 'False')
        .map(({ reason, message }) => {
          const text = `${reason}: ${message}`
          return { text, evidence: { question: user.from, path: 'status.conditions', observed: text.slice(0, 400) } }
        }),
    ]
    const saying = (pattern: RegExp) => told.find(({ text }) => pattern.test(text))
    const secretSaid = told.find(({ text }) => saysGone(text))
    const named = told.map(({ text }) => identityIn(text)).find((ref) => ref !== undefined)
    const own = staticIdentity.state === 'known' ? refText(staticIdentity.value) : undefined
    const identity =
      own ?? (user.state === 'known' ? refText(user.value.ref) : named === undefined ? 'the identity' : refText(named))
    const trouble = saying(failed) ?? saying(unbuilt) ?? secretSaid
    if (keySecret.state === 'known') {
      const { name, expected, secret, elsewhere } = keySecret.value
      const [found] = elsewhere
      const looked: Evidence = { question: secret.from, path: 'metadata.name', observed: null, expected: name }
      const isMissing = secret.state === 'absent'
      if (
        found !== undefined &&
        (isMissing || (secret.state === 'unknown' && secret.why === 'not-collected' && trouble !== undefined))
      )
        return {
          status: 'fail',
          message: 'secret-in-another-namespace',
          data: { name, identity, found, expected },
          evidence: [looked, ...(trouble === undefined ? [] : [trouble.evidence])],
        }
      if (isMissing || (secret.state === 'unknown' && secret.why === 'not-collected' && secretSaid !== undefined))
        return {
          status: 'fail',
          message: 'secret-missing',
          data: { namespace: expected, name, identity },
          evidence: [looked, ...(secretSaid === undefined ? [] : [secretSaid.evidence])],
        }
      if (secret.state === 'known') {
        const missing = wanted.filter((key) => !secret.value.keys.includes(key))
        if (missing.length > 0)
          return {
            status: 'fail',
            message: 'secret-keys-missing',
            data: {
              namespace: expected,
              name,
              missing: missing.join(' and '),
              present: secret.value.keys.join(', ') || 'no key',
            },
            evidence: [{ question: secret.from, path: 'keys', observed: [...secret.value.keys], expected: wanted }],
          }
      }
    }
    const key = saying(refusedKey)
    if (key !== undefined)
      return { status: 'fail', message: 'key-refused', data: { identity }, evidence: [key.evidence] }
    const old = saying(expired)
    if (old !== undefined)
      return {
        status: 'fail',
        message: 'source-expired',
        data: { source: own ?? 'the source', identity },
        evidence: [old.evidence],
      }
    const changed =
      keySecret.state === 'known' && keySecret.value.secret.state === 'known'
        ? keySecret.value.secret.value.changed
        : undefined
    if (
      trouble !== undefined &&
      failed.test(trouble.text) &&
      controllersSince.state === 'known' &&
      changed !== undefined &&
      changed > controllersSince.value.since
    )
      return {
        status: 'fail',
        message: 'session-stale',
        data: { controller: controllersSince.value.pod, identity, changed },
        evidence: [
          {
            question: controllersSince.from,
            path: 'metadata.creationTimestamp',
            observed: controllersSince.value.since,
          },
          { question: keySecret.from, path: 'metadata.managedFields', observed: changed },
          trouble.evidence,
        ],
      }
    const build = saying(unbuilt)
    if (build !== undefined)
      return {
        status: 'fail',
        message: 'provider-not-built',
        data: { identity, reason: wordsOf(build.text) },
        evidence: [build.evidence],
      }
    if (trouble !== undefined)
      return {
        status: 'undecided',
        lacks: 'why the credentials could not be had was not said',
        lift: findControllers,
        evidence: [trouble.evidence],
      }
    if (
      condition?.status === 'True' ||
      (user.state !== 'known' && keySecret.state === 'known' && keySecret.value.secret.state === 'known')
    )
      return {
        status: 'pass',
        evidence: [
          condition === undefined
            ? { question: keySecret.from, path: 'keys', observed: wanted }
            : { question: user.from, path: 'status.conditions', observed: `${condition.type}: ${condition.status}` },
        ],
      }
    const kept = saying(barred)
    if (kept !== undefined)
      return {
        status: 'undecided',
        lacks: 'a controller may not read the identities, and which roles its ServiceAccount has was not seen',
        lift: 'kubectl get clusterroles,clusterrolebindings -o yaml > rbac.yaml',
        evidence: [kept.evidence],
      }
    if (user.state === 'absent' && staticIdentity.state === 'absent')
      return { status: 'not-applicable', reason: 'nothing was said about credentials' }
    return { status: 'undecided', lacks: 'whether credentials could be had was not seen', lift: findControllers }
  },
})
