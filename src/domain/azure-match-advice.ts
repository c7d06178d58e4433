/** What a person does about a federated credential that does not match: always one more, or one rewritten, never one less. */
import { advice } from './advice.ts'
import { addCredential, listCredentials, rewriteCredential, type Wished } from './azure-advice.ts'

export type Needed = Wished & { readonly name: string }

const unseenValue = /^(?:ISSUER|SUBJECT|AUDIENCE)$/
const hint = ({ issuer, subject, audience }: Needed): string =>
  [issuer, subject, audience].some((one) => unseenValue.test(one))
    ? ' ISSUER, SUBJECT and AUDIENCE are iss, sub and aud of the token.'
    : ''

const patience = 'Entra may need some minutes to take it up.'

export const addOne = (data: Needed): string =>
  advice(
    `Add one federated credential (CREDENTIAL: a name for it) with exactly the issuer, subject and audience of the token, beside those that are there; an identity holds at most 20, and is written one at a time.${hint(data)} ${patience}`,
    listCredentials(data),
    addCredential(data),
  )
export const rewriteOne = (data: Needed): string =>
  advice(
    `Rewrite credential ${data.name} so that it says what the token says, byte for byte.${hint(data)} ${patience}`,
    rewriteCredential(data, data.name),
  )
/** It is on another identity already; whichever is meant. */
export const chooseOne = (data: Needed): string =>
  advice(
    `Name the identity that holds the credential on the ServiceAccount, if that is the one it should have; or add the credential to the identity that it names.${hint(data)}`,
    'az identity list --query "[].{name:name,clientId:clientId}"',
    addCredential(data),
  )
