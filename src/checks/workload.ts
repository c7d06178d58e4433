/** The checks of workload/: `export const check = defineCheck({…})` in the file that its id names, and a line here. */
import type { Check } from '../core/check.ts'
import { check as callerIsTheDeclaredIdentity } from './workload/caller-is-the-declared-identity.ts'
import { check as networkLeadsToTheTokenEndpoint } from './workload/network-leads-to-the-token-endpoint.ts'
import { check as oneMechanismIsBound } from './workload/one-mechanism-is-bound.ts'
import { check as podIsNewerThanItsBinding } from './workload/pod-is-newer-than-its-binding.ts'
import { check as serviceAccountExists } from './workload/service-account-exists.ts'
import { check as serviceAccountIsUsed } from './workload/service-account-is-used.ts'
import { check as staticCredentialsAreAbsent } from './workload/static-credentials-are-absent.ts'
import { check as tokenFileIsReadable } from './workload/token-file-is-readable.ts'
import { check as tokenIsForThisWorkload } from './workload/token-is-for-this-workload.ts'
import { check as tokenIsFresh } from './workload/token-is-fresh.ts'
import { check as tokenVolumeAsksForTheAudience } from './workload/token-volume-asks-for-the-audience.ts'

export const workload: readonly Check[] = [
  callerIsTheDeclaredIdentity,
  networkLeadsToTheTokenEndpoint,
  oneMechanismIsBound,
  podIsNewerThanItsBinding,
  serviceAccountExists,
  serviceAccountIsUsed,
  staticCredentialsAreAbsent,
  tokenFileIsReadable,
  tokenIsForThisWorkload,
  tokenIsFresh,
  tokenVolumeAsksForTheAudience,
]
