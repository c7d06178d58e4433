/** The checks of capa/: `export const check = defineCheck({…})` in the file that its id names, and a line here. */
import type { Check } from '../core/check.ts'
import { check as bootstrapFitsTheControllers } from './capa/bootstrap-fits-the-controllers.ts'
import { check as credentialsCanBeRetrieved } from './capa/credentials-can-be-retrieved.ts'
import { check as identityAdmitsNamespace } from './capa/identity-admits-namespace.ts'
import { check as identityExists } from './capa/identity-exists.ts'
import { check as identityIsNarrow } from './capa/identity-is-narrow.ts'
import { check as identitySpecIsValid } from './capa/identity-spec-is-valid.ts'
import { check as manifestsAreCurrent } from './capa/manifests-are-current.ts'
import { check as roleCanBeAssumed } from './capa/role-can-be-assumed.ts'

export const capa: readonly Check[] = [
  bootstrapFitsTheControllers,
  credentialsCanBeRetrieved,
  identityAdmitsNamespace,
  identityExists,
  identityIsNarrow,
  identitySpecIsValid,
  manifestsAreCurrent,
  roleCanBeAssumed,
]
