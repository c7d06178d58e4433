/** The CA that remote pods are given, and the certificate that is presented at the published address. */
import { absent, defineProbe, type Fact, known, unknown } from '../../core/fact.ts'
import { at, listAt, textAt, textsAt } from '../../core/json.ts'
import { plainName } from '../../domain/certificate-names.ts'
import { kubernetes, oidc } from '../../domain/questions.ts'
import { type Bundle, readPem, signerOf } from '../cluster/pem.ts'
import { configured, isUnparsed } from './config.ts'

/** Absent where none is set, or address and port are not. */
export const handedCa = defineProbe({
  id: 'interlink/handed-ca',
  about: 'the CA that remote pods are given',
  scope: 'object',
  needs: {},
  wants: { configured },
  ask: async (_have, { configured }): Promise<Fact<Bundle>> => {
    if (configured.state !== 'known') return absent(configured.from)
    const { config } = configured.value
    if (config === undefined || isUnparsed(config) || config.ca === '') return absent(configured.from)
    return known(await readPem(config.ca), configured.from)
  },
})

export type Presented = {
  readonly subject: string
  readonly issuer: string
  readonly names: readonly string[]
  /** The CA that remote pods are given has signed it; undefined where that cannot be told. */
  readonly signed: boolean | undefined
  /** Milliseconds since 1970; left out where it was not told. */
  readonly notAfter?: number
}

export const presented = defineProbe({
  id: 'interlink/presented-certificate',
  about: 'the certificate at the published address',
  scope: 'object',
  needs: {},
  wants: { configured, handedCa },
  ask: async (_have, { configured, handedCa }, { ask }): Promise<Fact<Presented>> => {
    const config = configured.state === 'known' ? configured.value.config : undefined
    const nowhere = oidc.certificates('', 443)
    if (config === undefined || isUnparsed(config) || config.address === '' || config.port === '')
      return absent(nowhere)
    if (handedCa.state !== 'known') return absent(nowhere)
    const { certificates } = handedCa.value
    const question = oidc.certificates(config.address, Number(config.port))
    const answer = await ask(question)
    const leaf = answer.state === 'known' ? listAt(answer.value, 'chain')[0] : undefined
    // The CA itself, put beside the other files, is not what anybody presents.
    if (
      leaf !== undefined &&
      !certificates.some((one) => plainName(one.subject) === plainName(textAt(leaf, 'subject') ?? ''))
    ) {
      const issuers = listAt(answer.state === 'known' ? answer.value : null, 'chain').map(
        (one) => textAt(one, 'issuer') ?? '',
      )
      const ends = Date.parse(textAt(leaf, 'notAfter') ?? '')
      const signed = certificates.some(({ subject }) =>
        issuers.some((issuer) => plainName(issuer) === plainName(subject)),
      )
      return known(
        {
          subject: textAt(leaf, 'subject') ?? '',
          issuer: textAt(leaf, 'issuer') ?? '',
          names: textsAt(leaf, 'names'),
          signed,
          ...(Number.isNaN(ends) ? {} : { notAfter: ends }),
        },
        question,
      )
    }
    const ingresses = await ask(kubernetes.list('ingresses'))
    const serving = (ingresses.state === 'known' ? listAt(ingresses.value, 'items') : []).flatMap((ingress) =>
      listAt(ingress, 'spec', 'tls')
        .filter((tls) => textsAt(tls, 'hosts').includes(config.address))
        .map((tls) =>
          kubernetes.get('secrets', textAt(ingress, 'metadata', 'namespace'), textAt(tls, 'secretName') ?? ''),
        ),
    )[0]
    const secret = serving === undefined ? undefined : await ask(serving)
    const pem = secret?.state === 'known' ? textAt(at(secret.value, 'data'), 'tls.crt') : undefined
    const [own] = pem === undefined ? [] : (await readPem(pem)).certificates
    if (own === undefined || serving === undefined)
      return answer.state === 'unknown'
        ? answer
        : unknown('not-collected', 'the certificate at the published address was not seen', question)
    return known(
      {
        subject: own.subject,
        issuer: own.issuer,
        names: own.names,
        signed: (await signerOf(own, certificates)) !== undefined,
        notAfter: own.notAfter,
      },
      serving,
    )
  },
})
