/** Whether remote pods can trust what answers at the API address that they are given. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { covers } from '../../domain/certificate-names.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { clock } from '../../probes/cluster/clock.ts'
import { handedCa, presented } from '../../probes/interlink/certificate.ts'
import { configured, isUnparsed } from '../../probes/interlink/config.ts'

type Place = { readonly address: string; readonly port: string }

const hand =
  "Set interlink.kubernetesApiCaCrt in the values of the chart from ca.crt of the Secret of the Ingress's certificate"

export const check = defineCheck({
  meta: {
    id: 'interlink/api-certificate-is-trusted',
    title: 'The CA handed to remote pods signs the certificate at the API address',
    severity: 'error',
    scope: 'object',
    kinds: ['ConfigMap', 'InterLinkConfig'],
    cloud: 'any',
    section: 'interLink',
    why: 'Clients in a pod trust the mounted ca.crt and nothing else, not even a public authority.',
    fix: {
      safety: 'review',
      does: "Set interlink.kubernetesApiCaCrt from ca.crt of the Ingress certificate's Secret; the key of that Secret stays where it is.",
    },
    links: ['https://github.com/interlink-hq/interLink/pull/368'],
  },
  only: { probe: configured, otherwise: 'it is no configuration of interLink' },
  needs: { configured },
  wants: { handedCa, presented, clock },
  after: ['interlink/service-accounts-are-enabled'],
  messages: {
    'ca-missing': ({ address }: { address: string }) =>
      `KubernetesApiAddr is ${address} but KubernetesApiCaCrt is empty: pods get the cluster's own CA, which does not sign ${address}`,
    'ca-not-a-certificate': ({ reason }: { reason: string }) =>
      `KubernetesApiCaCrt holds no readable certificate (${reason})`,
    'ca-does-not-sign': ({ address, port, issuer, subject }: Place & { issuer: string; subject: string }) =>
      `the certificate at ${address}:${port} is issued by ${issuer}; KubernetesApiCaCrt is ${subject}`,
    'name-not-covered': ({ address, port, names }: Place & { names: string }) =>
      `the certificate at ${address}:${port} names ${names}, not ${address}`,
    'ca-expired': ({ notAfter }: { notAfter: string }) => `KubernetesApiCaCrt ended on ${notAfter}`,
    'certificate-expired': ({ address, port, notAfter }: Place & { notAfter: string }) =>
      `the certificate at ${address}:${port} ended on ${notAfter}`,
  },
  remedies: {
    'ca-missing': () => advice(`${hand}, and make remote pods anew.`),
    'ca-not-a-certificate': () => advice(`${hand}: the whole PEM, all its lines indented alike.`),
    'ca-does-not-sign': ({ issuer }) => advice(`${hand}: it has to be the CA ${issuer}.`),
    'name-not-covered': ({ address }) =>
      advice(
        `Add ${address} to the hosts of the Ingress, so that its certificate names it, as an IP address where it is one.`,
      ),
    'certificate-expired': () =>
      advice('Renew the certificate of the Ingress; its CA may stay as it is.', 'kubectl get certificates -A -o wide'),
    'ca-expired': () => advice(`Renew the CA and what it has signed, hand out both for a while, then: ${hand}.`),
  },
  judge: ({ have, want }) => {
    if (have.configured.state === 'absent')
      return { status: 'not-applicable', reason: 'it is no configuration of interLink' }
    const { value, from } = have.configured
    const { config, said } = value
    const missing = said.filter(({ text }) => /no override found/.test(text))
    const evidence: Evidence[] = missing.map(ofError)
    if (config === undefined) {
      if (missing.length === 0) return { status: 'not-applicable', reason: 'nothing was said of a CA' }
      return { status: 'fail', message: 'ca-missing', data: { address: 'the published address' }, evidence }
    }
    if (isUnparsed(config)) return { status: 'not-applicable', reason: 'the configuration does not parse' }
    const { address, port, ca } = config
    if (address === '' || port === '') return { status: 'not-applicable', reason: 'no API address is handed out' }
    const seen = (path: string, observed: string): Evidence => ({
      question: from,
      path: `InterLinkConfig.yaml: ${path}`,
      observed,
    })
    if (ca === '')
      return {
        status: 'fail',
        message: 'ca-missing',
        data: { address },
        evidence: [seen('KubernetesApiAddr', address), seen('KubernetesApiCaCrt', ''), ...evidence],
      }
    const bundle = want.handedCa.state === 'known' ? want.handedCa.value : undefined
    const [own] = bundle?.certificates ?? []
    if (own === undefined)
      return {
        status: 'fail',
        message: 'ca-not-a-certificate',
        data: { reason: ca.includes('-----BEGIN') ? 'the PEM is damaged' : 'it is no PEM' },
        evidence: [seen('KubernetesApiCaCrt', `${ca.length} characters`)],
      }
    const leaf = want.presented.state === 'known' ? want.presented.value : undefined
    if (leaf !== undefined) {
      const { issuer, names, signed } = leaf
      const question = want.presented.from
      if (signed === false)
        return {
          status: 'fail',
          message: 'ca-does-not-sign',
          data: { address, port, issuer, subject: own.subject },
          evidence: [{ question, path: 'chain[0].issuer', observed: issuer, expected: own.subject }],
        }
      if (!names.some((name) => covers(name, address)))
        return {
          status: 'fail',
          message: 'name-not-covered',
          data: { address, port, names: names.length === 0 ? 'nobody' : names.join(', ') },
          evidence: [{ question, path: 'chain[0].names', observed: [...names], expected: address }],
        }
    }
    const now = want.clock.state === 'known' ? want.clock.value : undefined
    // While one takes the place of another both are handed out.
    const signers = (bundle?.certificates ?? []).filter(({ subject }) => subject === leaf?.issuer)
    const counted = signers.length > 0 ? signers : (bundle?.certificates ?? [])
    if (now !== undefined && counted.every((one) => now > one.notAfter)) {
      const notAfter = new Date(Math.max(...counted.map((one) => one.notAfter))).toISOString()
      return {
        status: 'fail',
        message: 'ca-expired',
        data: { notAfter },
        evidence: [seen('KubernetesApiCaCrt', notAfter)],
      }
    }
    if (now !== undefined && leaf?.notAfter !== undefined && now > leaf.notAfter) {
      const notAfter = new Date(leaf.notAfter).toISOString()
      return {
        status: 'fail',
        message: 'certificate-expired',
        data: { address, port, notAfter },
        evidence: [{ question: want.presented.from, path: 'chain[0].notAfter', observed: notAfter }],
      }
    }
    return {
      status: 'pass',
      evidence: [
        seen('KubernetesApiCaCrt', own.subject),
        { question: want.presented.from, path: 'chain[0].issuer', observed: leaf?.issuer ?? '' },
      ],
    }
  },
})
