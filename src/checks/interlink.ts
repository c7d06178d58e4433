/** The checks of interlink/: `export const check = defineCheck({…})` in the file that its id names, and a line here. */
import type { Check } from '../core/check.ts'
import { check as apiCertificateIsTrusted } from './interlink/api-certificate-is-trusted.ts'
import { check as apiRouteIsComplete } from './interlink/api-route-is-complete.ts'
import { check as remotePodsNeedNoCloudIdentity } from './interlink/remote-pods-need-no-cloud-identity.ts'
import { check as remoteTokenIsSafe } from './interlink/remote-token-is-safe.ts'
import { check as serviceAccountsAreEnabled } from './interlink/service-accounts-are-enabled.ts'
import { check as servingCertificateIsApproved } from './interlink/serving-certificate-is-approved.ts'

export const interlink: readonly Check[] = [
  apiCertificateIsTrusted,
  apiRouteIsComplete,
  remotePodsNeedNoCloudIdentity,
  remoteTokenIsSafe,
  serviceAccountsAreEnabled,
  servingCertificateIsApproved,
]
