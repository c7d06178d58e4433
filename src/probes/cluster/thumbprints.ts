/** What decides on a certificate that the public roots do not: the thumbprints that IAM pins, and the time. */
import { absent, defineProbe, type Fact, known, type Soon, unknown } from '../../core/fact.ts'
import { textsAt } from '../../core/json.ts'
import { aws } from '../../domain/questions.ts'
import { certificatesTrusted } from './certificates.ts'
import { clock } from './clock.ts'
import { issuer } from './issuer.ts'
import { awsProviders } from './registrations.ts'

/** In lower case hex; absent where every chain is publicly trusted, for IAM ignores thumbprints then, and where no AWS is in use. */
export const pinnedThumbprints = defineProbe({
  id: 'cluster/pinned-thumbprints',
  about: "the thumbprints of the issuer's IAM OIDC provider",
  scope: 'cluster',
  needs: {},
  wants: { certificatesTrusted, awsProviders, issuer },
  ask: async (_have, { certificatesTrusted, awsProviders, issuer }, inquiry): Promise<Fact<readonly string[]>> => {
    const nothing = absent(aws.oidcProviders())
    if (certificatesTrusted.state !== 'known' || certificatesTrusted.value) return nothing
    if (awsProviders.state !== 'known') return awsProviders
    const { items, complete } = awsProviders.value
    const own = issuer.state === 'known' ? items.filter((one) => one.issuer === issuer.value.issuer) : items
    const found = await Promise.all(own.map(({ arn }) => inquiry.ask(aws.oidcProvider(arn))))
    const unseen = found.find((fact) => fact.state === 'unknown')
    if (unseen?.state === 'unknown') return unseen
    if (own.length === 0 && !complete)
      return unknown('not-collected', "the issuer's IAM OIDC provider was not seen", aws.oidcProviders())
    const thumbprints = found.flatMap((fact) => (fact.state === 'known' ? textsAt(fact.value, 'ThumbprintList') : []))
    return thumbprints.length === 0
      ? nothing
      : known(
          thumbprints.map((one) => one.replaceAll(':', '').toLowerCase()),
          aws.oidcProviders(),
        )
  },
})

/** The time at which the certificates were seen; absent where it is not known, for whoever verified them knew it. */
export const timeOfCertificates = defineProbe({
  id: 'cluster/time-of-certificates',
  about: 'the time at which the certificates were seen',
  scope: 'cluster',
  needs: {},
  wants: { clock },
  ask: (_have, { clock }): Soon<Fact<number>> => (clock.state === 'known' ? clock : absent(clock.from)),
})
