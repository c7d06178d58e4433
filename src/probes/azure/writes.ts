/** Writes of federated credentials that Azure has refused, and the credentials of one identity that is judged by itself. */
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { listAt, textsAt } from '../../core/json.ts'
import type { Credential } from '../../domain/azure-credentials.ts'
import { azure } from '../../domain/questions.ts'
import { fragmentsOf } from '../../knowledge/error-texts.ts'
import { issuer } from '../cluster/issuer.ts'
import { type ObservedError, observedErrors } from '../cluster/observed-errors.ts'
import { listed } from '../lists.ts'
import { readCredential } from './credentials.ts'
import { type ManagedIdentity, readManagedIdentity, same } from './identity.ts'

const ours = fragmentsOf('azure/federated-credential-accepted')

export type Holding = {
  /** Undefined where the cluster stands for identities that were not seen. */
  readonly identity?: ManagedIdentity
  readonly credentials: readonly Credential[]
  /** All that the identity holds are here. */
  readonly complete: boolean
  readonly errors: readonly ObservedError[]
  /** Subjects of ServiceAccounts that name the identity and have no credential for the issuer of this cluster. */
  readonly needed: readonly string[]
  readonly issuer?: string
}

/** Absent for any other object, and where no write was refused and no credential was seen. */
export const holding = defineProbe({
  id: 'azure/holding',
  about: 'the federated credentials of the identity, and which writes were refused',
  scope: 'object',
  needs: {},
  wants: { observedErrors, issuer },
  ask: (_have, { observedErrors, issuer }, { subject, subjects, ask }): Soon<Fact<Holding>> => {
    const question = azure.federatedIdentityCredentials()
    if (subject.kind !== 'ManagedIdentity' && subject.kind !== 'Cluster') return absent(question)
    const errors = (observedErrors.state === 'known' ? observedErrors.value : []).filter(({ fragment }) =>
      ours.has(fragment),
    )
    return onward(ask(azure.managedIdentities()), (seen): Soon<Fact<Holding>> => {
      const identities = listed(seen, readManagedIdentity, 'identities')
      const items = identities.state === 'known' ? identities.value.items : []
      const identity = subject.kind === 'Cluster' ? undefined : items.find(({ name }) => name === subject.name)
      if (subject.kind === 'ManagedIdentity' && identity === undefined) return absent(question)
      return onward(ask(azure.federatedIdentityCredentials(identity?.clientId)), (fact): Fact<Holding> => {
        const all =
          fact.state === 'known' ? listAt(fact.value, 'credentials').flatMap((one) => readCredential(one) ?? []) : []
        const whole = fact.state === 'known' ? textsAt(fact.value, 'listed') : []
        const owners = new Set(all.map((one) => one.identity ?? ''))
        const alone = items.length === 1 && owners.size <= 1 && [...owners].every((owner) => owner === '')
        const isOwn = (owner: string | undefined): boolean =>
          identity === undefined || same(owner, identity.id) || (alone && (owner ?? '') === '')
        const credentials = all.filter((one) => isOwn(one.identity))
        if (credentials.length === 0 && errors.length === 0 && identity === undefined) return absent(question)
        const own = issuer.state === 'known' ? issuer.value.issuer : undefined
        const users = subjects.filter(
          ({ kind, of }) =>
            kind === 'ServiceAccount' && identity !== undefined && of?.includes(`ManagedIdentity ${identity.name}`),
        )
        const missing = users
          .map(({ namespace, name }) => `system:serviceaccount:${namespace}:${name}`)
          .filter(
            (wanted) => own !== undefined && !credentials.some((one) => one.issuer === own && one.subject === wanted),
          )
        return known(
          {
            ...(identity === undefined ? {} : { identity }),
            credentials,
            complete: whole.some((owner) => isOwn(owner)),
            errors,
            needed: missing,
            ...(own === undefined ? {} : { issuer: own }),
          },
          question,
        )
      })
    })
  },
})

/** What in a text names the identity that was written to. */
export const identityIn = (text: string): string | undefined =>
  /userAssignedIdentities\/([^/'"\s]{1,128})/i.exec(text)?.[1] ?? /managed identity '([^'…]{1,128})'/i.exec(text)?.[1]
