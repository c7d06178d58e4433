/** An AWSIAMConfiguration, and the objects of the cluster that a check of it asks for; absent for every other subject. */
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { type Bootstrap, readBootstrap } from '../../domain/capa-bootstrap.ts'
import { documents, kubernetes } from '../../domain/questions.ts'
import { issuer } from '../cluster/issuer.ts'
import { type ObservedError, observedErrors } from '../cluster/observed-errors.ts'
import { documentNamed } from '../further-kinds.ts'
import type { Listed } from '../lists.ts'
import { type Account, type Controllers, capaAccounts, capaDeployments } from './controllers.ts'

const kind = 'AWSIAMConfiguration'

export const bootstrap = defineProbe({
  id: 'capa/bootstrap',
  about: 'the AWSIAMConfiguration',
  scope: 'object',
  needs: {},
  wants: {},
  ask: (_have, _want, { subject, ask }): Soon<Fact<Bootstrap>> => {
    if (subject.kind !== kind) return absent(documents.ofKind(kind))
    return onward(documentNamed(kind, subject.name, ask), (fact): Fact<Bootstrap> => {
      if (fact.state !== 'known') return fact
      const read = readBootstrap(fact.value)
      return read === undefined ? absent(fact.from) : known(read, fact.from)
    })
  },
})

/** A document without a statement for web identities says nothing of a cluster. */
const asked = (fact: Fact<Bootstrap>): boolean =>
  fact.state === 'known' && (fact.value.web.length > 0 || fact.value.account !== undefined)

/** Asked only where a document speaks of the controllers of a cluster. */
export const bootstrapAccounts = defineProbe({
  id: 'capa/bootstrap-accounts',
  about: 'the ServiceAccount of the controllers of Cluster API Provider AWS',
  scope: 'object',
  needs: {},
  wants: { bootstrap, capaAccounts },
  ask: (_have, { bootstrap, capaAccounts }): Fact<Listed<Account>> =>
    asked(bootstrap) ? capaAccounts : absent(kubernetes.list('serviceaccounts')),
})

export const bootstrapDeployments = defineProbe({
  id: 'capa/bootstrap-deployments',
  about: 'the Deployment of the controllers of Cluster API Provider AWS',
  scope: 'object',
  needs: {},
  wants: { bootstrap, capaDeployments },
  ask: (_have, { bootstrap, capaDeployments }): Fact<Listed<Controllers>> =>
    asked(bootstrap) ? capaDeployments : absent(kubernetes.list('deployments')),
})

/** The issuer of the cluster's tokens, without scheme. */
export const bootstrapIssuer = defineProbe({
  id: 'capa/bootstrap-issuer',
  about: "the issuer of the cluster's tokens",
  scope: 'object',
  needs: {},
  wants: { bootstrap, issuer },
  ask: (_have, { bootstrap, issuer }): Fact<string> => {
    if (!asked(bootstrap)) return absent(issuer.from)
    return issuer.state === 'known' ? known(issuer.value.issuer, issuer.value.from) : issuer
  },
})

/** Refusals to look after roles, of the role that the document makes. */
export const roleWorkRefused = defineProbe({
  id: 'capa/role-work-refused',
  about: 'refusals of the role of the controllers',
  scope: 'object',
  needs: {},
  wants: { bootstrap, observedErrors },
  ask: (_have, { bootstrap, observedErrors }): Fact<ObservedError> => {
    if (bootstrap.state !== 'known' || observedErrors.state !== 'known') return absent(observedErrors.from)
    const { roleName } = bootstrap.value
    const found = observedErrors.value.find(
      ({ text }) =>
        text.includes(`assumed-role/${roleName}/`) &&
        /is not authorized to perform: iam:(?:GetPolicy|GetRole|CreateRole|ListAttachedRolePolicies|AttachRolePolicy)\b/.test(
          text,
        ),
    )
    return found === undefined ? absent(observedErrors.from) : known(found, observedErrors.from)
  },
})
