/** Whether sessions of a role identity are chained: only then does STS keep them to an hour. */
import { absent, defineProbe, type Fact, known, unknown } from '../../core/fact.ts'
import { at } from '../../core/json.ts'
import { controllerKind, roleKind, sourceOf } from '../../domain/capa.ts'
import { kubernetes } from '../../domain/questions.ts'
import { capaAccounts } from './controllers.ts'
import { capaConcern } from './errors.ts'
import { identity } from './objects.ts'

const all = [
  'AWSClusterRoleIdentity',
  'AWSClusterStaticIdentity',
  'AWSClusterControllerIdentity',
  'AWSIAMConfiguration',
]

export const identityConcern = capaConcern('capa/identity-concern', [
  'AWSClusterRoleIdentity',
  'AWSClusterStaticIdentity',
  'AWSClusterControllerIdentity',
])

export const manifestConcern = capaConcern('capa/manifest-concern', all)

export const credentialConcern = capaConcern('capa/credential-concern', [
  'AWSCluster',
  'AWSManagedControlPlane',
  'AWSClusterStaticIdentity',
])

export const narrowConcern = capaConcern('capa/narrow-concern', all)

export const roleIdentityConcern = capaConcern('capa/role-identity-concern', ['AWSClusterRoleIdentity'])

/** How long the session of a chained role is asked for, where that is more than STS gives; absent where it is not chained. */
export const chainedSession = defineProbe({
  id: 'capa/chained-session',
  about: 'whether the source of the identity is an assumed role',
  scope: 'object',
  needs: {},
  wants: { identity, capaAccounts },
  ask: (_have, { identity, capaAccounts }): Fact<{ readonly seconds: number; readonly source: string }> => {
    const none = kubernetes.list('serviceaccounts')
    if (identity.state !== 'known') return absent(none)
    const { value, from } = identity
    const seconds = at(value.spec, 'durationSeconds')
    const source = sourceOf(value)
    if (typeof seconds !== 'number' || seconds <= 3600 || source === undefined) return absent(from)
    if (source.kind === roleKind) return known({ seconds, source: `${source.kind}/${source.name}` }, from)
    if (source.kind !== controllerKind) return absent(from)
    if (capaAccounts.state !== 'known') return capaAccounts
    const held = capaAccounts.value.items.find(({ role }) => role !== undefined)
    if (held !== undefined) return known({ seconds, source: `the controllers' role ${held.role}` }, capaAccounts.from)
    return capaAccounts.value.items.length > 0 || capaAccounts.value.complete
      ? absent(capaAccounts.from)
      : unknown(
          'not-collected',
          'the ServiceAccount capa-controller-manager, whose role would be the source, was not seen',
          none,
          'kubectl get serviceaccounts -A -o yaml',
        )
  },
})
