/** The identity webhook's caBundle verifies the certificate it serves. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { isManaged } from '../../domain/webhooks.ts'
import { clock } from '../../probes/cluster/clock.ts'
import { observedErrors } from '../../probes/cluster/observed-errors.ts'
import type { Parsed } from '../../probes/cluster/pem.ts'
import {
  clusterAuthority,
  publiclyTrusted,
  servingCertificate,
  siblingBundles,
  webhookBundles,
} from '../../probes/cluster/webhook-trust.ts'
import { webhookConfiguration } from '../../probes/cluster/webhooks.ts'

const refused =
  /(?:failed calling webhook "|failing open )([\w.-]{1,253})[":].{0,2000}?x509: (certificate signed by unknown authority|certificate has expired or is not yet valid(?:: current time \S+ is (?:after|before) \S+)?|certificate is valid for .{1,500}?, not \S+)/s
const ended = /is after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)/
const otherNames = /certificate is valid for (.{1,500}?), not (\S+)/s

/** Serial numbers tell certificates of the same subject apart. */
const nameOf = ({ subject, serial }: Pick<Parsed, 'subject' | 'serial'>): string => `${subject} (serial ${serial})`
const namesOf = (certificates: readonly Parsed[]): string => certificates.map(nameOf).join(', ') || 'no certificate'
const day = (time: number): string => new Date(time).toISOString()
const covers = (name: string, host: string): boolean =>
  name.toLowerCase() === host ||
  (name.startsWith('*.') && host.slice(host.indexOf('.') + 1) === name.slice(2).toLowerCase())

type Hook = { readonly webhook: string; readonly configuration: string }
const both = ({ configuration }: Hook): readonly string[] => [
  sh`kubectl get mutatingwebhookconfiguration ${configuration} -o yaml > webhook.yaml`,
  "kubectl get configmap kube-root-ca.crt -n kube-system -o jsonpath='{.data.ca\\.crt}' > ca.crt",
]
const renew = (sentence: string, { configuration }: Hook): string =>
  advice(sentence, sh`kubectl get mutatingwebhookconfiguration ${configuration} -o yaml`)

export const check = defineCheck({
  meta: {
    id: 'cluster/webhook-ca-bundle-verifies',
    title: "The identity webhook's caBundle verifies the certificate it serves",
    severity: 'error',
    scope: 'object',
    kinds: ['MutatingWebhookConfiguration'],
    cloud: 'any',
    section: 'Webhook',
    why: 'The API server calls a webhook only over TLS that its caBundle verifies; where it does not and the webhook fails open, every new pod starts without identity and nothing says so.',
    fix: {
      safety: 'review',
      does: 'Set webhooks[].clientConfig.caBundle to the old and the new CA together, then restart the pods that were admitted without identity meanwhile; never empty a bundle, never remove a CA that still verifies.',
    },
    links: [
      'https://github.com/aws/containers-roadmap/issues/2874',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/131',
      'https://github.com/Azure/AKS/issues/4139',
      'https://github.com/rancher/rke2/issues/2269',
    ],
  },
  needs: {},
  wants: {
    webhookConfiguration,
    webhookBundles,
    servingCertificate,
    clusterAuthority,
    siblingBundles,
    publiclyTrusted,
    clock,
    observedErrors,
  },
  after: ['cluster/webhook-is-configured'],
  messages: {
    'injection-pending': ({ configuration, certificate }: Hook & { certificate: string }) =>
      `${configuration} waits for cert-manager to inject a CA from ${certificate}, which is not ready`,
    empty: ({ webhook, host }: Hook & { host: string }) =>
      `webhook ${webhook} has no caBundle, and ${host} is not publicly trusted`,
    malformed: ({ webhook, count, bad }: Hook & { count: number; bad: number }) =>
      `the caBundle of ${webhook} holds ${count} certificate(s), of which ${bad} cannot be read`,
    'serving-certificate-expired': ({ webhook, notAfter }: Hook & { notAfter: string }) =>
      `the certificate that ${webhook} serves ended on ${notAfter}`,
    expired: ({ webhook, subject, notAfter }: Hook & { subject: string; notAfter: string }) =>
      `the CA ${subject} in the caBundle of ${webhook} ended on ${notAfter}`,
    'lacks-current-ca': ({ webhook, held, current }: Hook & { held: string; current: string }) =>
      `the caBundle of ${webhook} holds ${held}; the certificate it serves is signed by ${current}`,
    'serving-name-differs': ({ webhook, names, host }: Hook & { names: string; host: string }) =>
      `the certificate that ${webhook} serves names ${names}, the API server calls ${host}`,
  },
  remedies: {
    'injection-pending': ({ certificate }) => {
      const [namespace = '', name = ''] = certificate.split('/')
      return advice(
        'See why cert-manager has not issued the Certificate (the first command tells), and put that right; it fills the caBundle by itself then.',
        sh`kubectl describe certificates.cert-manager.io ${name || 'CERTIFICATE'} -n ${namespace || 'NAMESPACE'}`,
      )
    },
    empty: (data) =>
      renew(
        `Write the CA that signs the certificate of ${data.host} into clientConfig.caBundle, by the chart or by the CA injector that should have done so.`,
        data,
      ),
    malformed: (data) =>
      renew(
        'Write the bundle anew: PEM certificates one after another, encoded once in base64; certificates in it that still verify stay.',
        data,
      ),
    'serving-certificate-expired': (data) =>
      renew(
        `Renew the certificate of ${data.webhook} (cert-manager, the chart, or whatever issued it), restart the webhook, then restart the pods that were made without identity meanwhile.`,
        data,
      ),
    expired: (data) =>
      renew(
        'Make a new CA for the webhook, add it to the caBundle, let it sign a new serving certificate, and restart the webhook; then restart the pods that were made without identity meanwhile.',
        data,
      ),
    'lacks-current-ca': (data) =>
      advice(
        `Set clientConfig.caBundle of ${data.webhook} to the present bundle and the CA that signs now, together, in base64; on EKS ca.crt of the second command holds both (open a case with AWS where it is set back). Then restart the pods that were admitted without identity meanwhile.`,
        ...both(data),
        sh`kubectl edit mutatingwebhookconfiguration ${data.configuration}`,
      ),
    'serving-name-differs': (data) =>
      renew(
        `Issue the certificate of ${data.webhook} for ${data.host}, or correct the Service that the configuration names.`,
        data,
      ),
  },
  judge: ({ want, subject }) => {
    const { webhookBundles: bundles, servingCertificate: serving, webhookConfiguration: configured } = want
    if (subject.kind !== 'MutatingWebhookConfiguration' || bundles.state === 'absent')
      return { status: 'not-applicable', reason: 'it is no identity webhook' }
    if (bundles.state === 'unknown') return { status: 'undecided', lacks: 'the caBundle was not seen' }
    const configuration = subject.name
    const now = want.clock.state === 'known' ? want.clock.value : undefined
    const errors = want.observedErrors.state === 'known' ? want.observedErrors.value : []
    const manifest = configured.state === 'known' && configured.value.manifest
    const evidence: Evidence[] = []
    let compared = 0
    for (const { webhook, bundle, host } of bundles.value) {
      const hook = { webhook: webhook.name, configuration }
      const path = `items["${configuration}"].webhooks[${webhook.index}].clientConfig.caBundle`
      const see = (observed: string, expected?: string): readonly Evidence[] => [
        { question: bundles.from, path, observed, ...(expected === undefined ? {} : { expected }) },
      ]
      const held = namesOf(bundle.certificates)
      const said = errors
        .map((error) => ({ error, found: refused.exec(error.text.replace(/\s+/g, ' ')) }))
        .find(({ found }) => found?.[1] === webhook.name)
      const cause = said?.found?.[2] ?? ''
      const told: readonly Evidence[] =
        said === undefined
          ? []
          : [{ question: want.observedErrors.from, path: said.error.place, observed: said.error.text }]

      if (webhook.caBundle === '') {
        if (serving.state === 'known' && serving.value.pending !== undefined)
          return {
            status: 'fail',
            message: 'injection-pending',
            data: { ...hook, certificate: serving.value.pending },
            evidence: see('empty'),
          }
        if (want.publiclyTrusted.state === 'known' && want.publiclyTrusted.value) {
          compared += 1
          continue
        }
        // What is written into the object in the cluster cannot be told from a manifest or a part of it; and EKS never leaves its own empty.
        if (
          manifest ||
          !webhook.whole ||
          isManaged(webhook) ||
          (webhook.url !== undefined && want.publiclyTrusted.state !== 'known')
        )
          return { status: 'undecided', lacks: `the caBundle of ${webhook.name} was not seen` }
        return { status: 'fail', message: 'empty', data: { ...hook, host }, evidence: [...see('empty'), ...told] }
      }
      if (bundle.bad > 0)
        return {
          status: 'fail',
          message: 'malformed',
          data: { ...hook, count: bundle.certificates.length + bundle.bad, bad: bundle.bad },
          evidence: see(held),
        }
      const served =
        serving.state === 'known' ? serving.value.served.find((one) => one.webhook === webhook.name) : undefined
      const leafEnd =
        served !== undefined && now !== undefined && served.leaf.notAfter < now ? day(served.leaf.notAfter) : undefined
      const end = leafEnd ?? ended.exec(cause)?.[1]
      if (end !== undefined)
        return {
          status: 'fail',
          message: 'serving-certificate-expired',
          data: { ...hook, notAfter: end },
          evidence: [...see(held), ...told],
        }
      const inDate =
        now === undefined ? bundle.certificates : bundle.certificates.filter(({ notAfter }) => notAfter >= now)
      // An old CA beside a living one does no harm, unless it is the one that has signed.
      const dead =
        inDate.length === 0
          ? bundle.certificates[0]
          : served?.signer !== undefined && !inDate.includes(served.signer)
            ? served.signer
            : undefined
      if (dead !== undefined)
        return {
          status: 'fail',
          message: 'expired',
          data: { ...hook, subject: nameOf(dead), notAfter: day(dead.notAfter) },
          evidence: see(held),
        }
      const lacks = (current: string, more: readonly Evidence[]) =>
        ({
          status: 'fail',
          message: 'lacks-current-ca',
          data: { ...hook, held, current },
          evidence: [...see(held, current), ...more, ...told],
        }) as const
      if (served !== undefined && served.signer === undefined)
        return lacks(served.leaf.issuer, [
          { question: serving.from, path: 'data["tls.crt"] issuer', observed: served.leaf.issuer },
        ])
      const prints = new Set(bundle.certificates.map(({ fingerprint }) => fingerprint))
      const references = isManaged(webhook)
        ? [
            ...(want.clusterAuthority.state === 'known' ? [want.clusterAuthority.value] : []),
            ...(want.siblingBundles.state === 'known' ? want.siblingBundles.value : []),
          ]
        : []
      for (const { of, certificates } of references) {
        const living = certificates.filter(({ notAfter }) => now === undefined || notAfter >= now)
        const absentOne = living.find(({ fingerprint }) => !prints.has(fingerprint))
        if (absentOne !== undefined)
          return lacks(nameOf(absentOne), [
            { question: want.clusterAuthority.from, path: `CA of ${of}`, observed: namesOf(living) },
          ])
      }
      if (cause.startsWith('certificate signed by unknown') && served === undefined && references.length === 0)
        return lacks('an authority that is not in it', [])
      const [, told2, called] = otherNames.exec(cause) ?? []
      const names = served?.leaf.names ?? told2?.split(', ')
      const wanted = called ?? host
      if (names !== undefined && webhook.service !== undefined && !names.some((name) => covers(name, wanted)))
        return {
          status: 'fail',
          message: 'serving-name-differs',
          data: { ...hook, names: names.join(', ') || 'nobody', host: wanted },
          evidence: [...see(held), ...told],
        }
      if (served !== undefined || references.length > 0) compared += 1
      evidence.push(...see(held))
    }
    return compared === bundles.value.length
      ? { status: 'pass', evidence }
      : {
          status: 'undecided',
          lacks: 'the certificate that the webhook serves, or the CA that signs it, was not seen',
          lift: 'kubectl get configmap kube-root-ca.crt -n kube-system -o yaml',
          evidence,
        }
  },
})
