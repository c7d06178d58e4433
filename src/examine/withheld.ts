/** A source that does not ask what its user has ruled out; it says so, and which flag would let us see. */
import { type Question, type Source, unknown } from '../core/fact.ts'

export type Withhold = { readonly exchange: boolean; readonly cloud: boolean }

const mints = new Set([
  'kubernetes serviceaccounts/token/create',
  'aws sts:AssumeRoleWithWebIdentity',
  'oidc signature',
])
const clouds = new Set(['aws', 'gcp', 'azure'])
const called = ({ system, call }: Question): string => `${system} ${call}`

export function withheld(source: Source, { exchange, cloud }: Withhold): Source {
  if (!exchange && !cloud) return source
  return {
    name: source.name,
    ask: (question, signal) => {
      if (exchange && mints.has(called(question)))
        return unknown(
          'not-asked',
          'no token was minted or exchanged (--no-exchange)',
          question,
          'leave out --no-exchange',
        )
      // The exchange itself is anonymous: the token is its only credential.
      if (cloud && clouds.has(question.system) && !mints.has(called(question)))
        return unknown(
          'not-asked',
          'the cloud was not asked (--cloud-credentials none)',
          question,
          'leave out --cloud-credentials none',
        )
      return source.ask(question, signal)
    },
  }
}
