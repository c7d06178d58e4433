/** The checks of cluster/: `export const check = defineCheck({…})` in the file that its id names, and a line here. */
import type { Check } from '../core/check.ts'
import { check as clocksAgree } from './cluster/clocks-agree.ts'
import { check as discoveryIsPublic } from './cluster/discovery-is-public.ts'
import { check as issuerCertificateIsTrusted } from './cluster/issuer-certificate-is-trusted.ts'
import { check as issuerIsPublic } from './cluster/issuer-is-public.ts'
import { check as publishedJwksIsCurrent } from './cluster/published-jwks-is-current.ts'
import { check as publishedKeysVerifyTokens } from './cluster/published-keys-verify-tokens.ts'
import { check as tokenFlagsFitTogether } from './cluster/token-flags-fit-together.ts'
import { check as tokensCarryThePublishedIssuer } from './cluster/tokens-carry-the-published-issuer.ts'
import { check as webhookAnswers } from './cluster/webhook-answers.ts'
import { check as webhookCaBundleVerifies } from './cluster/webhook-ca-bundle-verifies.ts'
import { check as webhookIsConfigured } from './cluster/webhook-is-configured.ts'
import { check as webhookIsDependable } from './cluster/webhook-is-dependable.ts'
import { check as webhookSelectsThePod } from './cluster/webhook-selects-the-pod.ts'

export const cluster: readonly Check[] = [
  clocksAgree,
  discoveryIsPublic,
  issuerCertificateIsTrusted,
  issuerIsPublic,
  publishedJwksIsCurrent,
  publishedKeysVerifyTokens,
  tokenFlagsFitTogether,
  tokensCarryThePublishedIssuer,
  webhookAnswers,
  webhookCaBundleVerifies,
  webhookIsConfigured,
  webhookIsDependable,
  webhookSelectsThePod,
]
