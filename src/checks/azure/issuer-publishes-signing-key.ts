/** Whether the issuer's key set holds the key that signed the token. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { codesIn } from '../../domain/azure-errors.ts'
import { issuerIn } from '../../domain/issuer-url.ts'
import { held, ofError } from '../../probes/azure/evidence.ts'
import { azureInUse } from '../../probes/azure/use.ts'
import { issuer } from '../../probes/cluster/issuer.ts'
import { keySet, signatureVerifies } from '../../probes/cluster/keys.ts'
import { anyMintedToken } from '../../probes/cluster/minted-token.ts'
import { observedErrors } from '../../probes/cluster/observed-errors.ts'
import { seenTokens } from '../../probes/cluster/seen-tokens.ts'

type Data = { readonly issuer: string; readonly observed: string; readonly published: string }

const notFound =
  /certificate with identifier '?([\w-]{0,120})'? +used to sign the federated credential could not be found|used to sign the federated credential could not be found/
const publish = (data: Data): string =>
  advice(
    `Publish the key that signs beside those that lie there, in one key set, and keep the old one until the last token that it signed has ended (24 h); ${data.issuer} is where they have to be. The file jwks.json is what to upload.`,
    'kubectl get --raw /openid/v1/jwks > jwks.json',
  )

export const check = defineCheck({
  meta: {
    id: 'azure/issuer-publishes-signing-key',
    title: "The issuer's key set holds the key that signed the token",
    severity: 'error',
    scope: 'cluster',
    cloud: 'azure',
    section: 'Issuer',
    why: 'Entra finds the key by the kid of the token in what the issuer publishes; a key that was rotated and not published verifies nothing.',
    fix: {
      safety: 'manual',
      does: 'Publish old and new key together (azwi jwks, or the key set of the API server) and upload it where the issuer says. No published key set is replaced for you.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/616',
      'https://github.com/Azure/azure-workload-identity/issues/1232',
      'https://azure.github.io/azure-workload-identity/docs/topics/self-managed-clusters/service-account-key-rotation.html',
    ],
  },
  only: { probe: azureInUse, otherwise: 'nothing here is bound to Azure' },
  needs: {},
  wants: { issuer, keySet, anyMintedToken, seenTokens, signatureVerifies, observedErrors },
  after: ['azure/issuer-documents-public'],
  covers: ['cluster/published-keys-verify-tokens'],
  messages: {
    'kid-missing': ({ observed, published }: Data) =>
      `the token's header has kid ${observed}; Entra can not find its key among ${published}`,
    'rotated-too-early': ({ observed, issuer, current }: Data & { current: string }) =>
      `kid ${observed} of tokens still in use was withdrawn from ${issuer}; new tokens use ${current}. Publish both until the longest token has expired (24 h)`,
    'key-not-published': ({ observed, issuer, published }: Data) =>
      `the token is signed with kid ${observed}, ${issuer} publishes ${published}`,
    'signature-differs': ({ issuer, kid }: Data & { kid: string }) =>
      `${issuer} publishes kid ${kid}, but the token's signature does not verify with that key`,
    'entra-found-no-key': ({ observed, issuer }: Data) =>
      `Entra finds no key "${observed}" in the metadata of ${issuer} (AADSTS7000272)`,
  },
  remedies: {
    'kid-missing': publish,
    'rotated-too-early': publish,
    'key-not-published': publish,
    'signature-differs': publish,
    'entra-found-no-key': publish,
  },
  judge: ({ want: { issuer, keySet, anyMintedToken, seenTokens, signatureVerifies, observedErrors } }) => {
    const told = (held(observedErrors) ?? []).find(
      ({ text }) => codesIn(text).includes('7000272') || notFound.test(text.replace(/\s+/g, ' ')),
    )
    const named = held(issuer)?.issuer ?? (told === undefined ? undefined : issuerIn(told.text))
    const keys = held(keySet)?.keys
    const ids = keys?.flatMap(({ kid }) => (kid === undefined ? [] : [kid])) ?? []
    const minted = held(anyMintedToken)
    const living = (held(seenTokens)?.tokens ?? []).filter(({ kind, ended }) => kind === 'bound' && !ended)
    const token = minted ?? living.find(({ header }) => Object.keys(header).length > 0)
    const kid = token?.keyId
    const data: Data = {
      issuer: named ?? 'the issuer',
      observed: kid ?? 'none',
      published: ids.join(', ') || 'no key with a kid',
    }
    const from = minted === undefined ? seenTokens.from : anyMintedToken.from
    const evidence: Evidence[] =
      token === undefined ? [] : [{ question: from, path: 'header.kid', observed: kid ?? null }]
    if (keys !== undefined && token !== undefined) {
      evidence.push({
        question: keySet.from,
        path: 'keys[].kid',
        observed: ids,
        ...(kid === undefined ? {} : { expected: kid }),
      })
      if (kid === undefined && Object.keys(token.header).length > 0)
        return { status: 'fail', message: 'kid-missing', data, evidence }
      const former = living.find(({ keyId }) => keyId !== undefined && keyId !== kid && !ids.includes(keyId))
      if (
        kid !== undefined &&
        ids.includes(kid) &&
        former?.keyId !== undefined &&
        (former.issuedAt ?? 0) <= (token.issuedAt ?? Number.POSITIVE_INFINITY)
      )
        return {
          status: 'fail',
          message: 'rotated-too-early',
          data: { ...data, observed: former.keyId, current: kid },
          evidence: [
            ...evidence,
            { question: seenTokens.from, path: `${former.file} header.kid`, observed: former.keyId, expected: ids },
          ],
        }
      if (kid !== undefined && !ids.includes(kid))
        return { status: 'fail', message: 'key-not-published', data, evidence }
      if (held(signatureVerifies) === false && kid !== undefined)
        return {
          status: 'fail',
          message: 'signature-differs',
          data: { ...data, kid },
          evidence: [...evidence, { question: signatureVerifies.from, path: 'verified', observed: false }],
        }
    }
    if (told !== undefined) {
      const [, sought] = notFound.exec(told.text.replace(/\s+/g, ' ')) ?? []
      if (keys === undefined || token === undefined)
        return {
          status: 'fail',
          message: 'entra-found-no-key',
          data: { ...data, observed: sought ?? kid ?? '' },
          evidence: [ofError(told)],
        }
    }
    if (keys === undefined || kid === undefined)
      return {
        status: 'undecided',
        lacks: keys === undefined ? 'the published keys were not seen' : 'no token was seen that names its key',
        evidence,
      }
    return { status: 'pass', evidence }
  },
})
