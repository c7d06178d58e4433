/** The certificates in a webhook's caBundle, and what they have to verify. */
import { absent, defineProbe, type Fact, known, reading, unknown } from '../../core/fact.ts'
import { at, isObject, type Json, listAt, textAt } from '../../core/json.ts'
import { kubernetes, oidc } from '../../domain/questions.ts'
import { injectorsOf, isManaged, readConfiguration, type Webhook } from '../../domain/webhooks.ts'
import { listed } from '../lists.ts'
import { type Bundle, type Parsed, readPem, signerOf } from './pem.ts'
import { mutatingWebhooks, webhookConfiguration } from './webhooks.ts'

export type Trusted = { readonly webhook: Webhook; readonly bundle: Bundle; readonly host: string }

export const hostOf = ({ service, url }: Webhook): string =>
  service === undefined ? (URL.parse(url ?? '')?.hostname ?? 'its host') : `${service.name}.${service.namespace}.svc`

/** The injecting webhooks of the configuration with their bundles. */
export const webhookBundles = defineProbe({
  id: 'cluster/webhook-bundles',
  about: "the webhook's CA bundle",
  scope: 'object',
  needs: { webhookConfiguration },
  wants: {},
  only: 'webhookConfiguration',
  ask: async ({ webhookConfiguration }): Promise<Fact<readonly Trusted[]>> => {
    const found: Trusted[] = []
    for (const webhook of injectorsOf(webhookConfiguration.value))
      found.push({ webhook, bundle: await readPem(webhook.caBundle), host: hostOf(webhook) })
    return known(found, webhookConfiguration.from)
  },
})

/** EKS writes these with the CAs that it has just now: https://github.com/aws/containers-roadmap/issues/2874 */
const siblings: ReadonlySet<string> = new Set(['mpod.vpc.k8s.aws', 'vpod.vpc.k8s.aws', 'vnode.vpc.k8s.aws'])

export type Reference = { readonly of: string; readonly certificates: readonly Parsed[] }

/** The authorities that EKS gives its other webhooks; absent for a webhook that EKS does not run. */
export const siblingBundles = defineProbe({
  id: 'cluster/sibling-bundles',
  about: "the CA bundles of EKS's other webhooks",
  scope: 'object',
  needs: { webhookBundles, mutatingWebhooks },
  wants: {},
  ask: async ({ webhookBundles, mutatingWebhooks }, _want, inquiry): Promise<Fact<readonly Reference[]>> => {
    const question = kubernetes.list('validatingwebhookconfigurations')
    const managed = webhookBundles.state === 'known' && webhookBundles.value.some(({ webhook }) => isManaged(webhook))
    if (!managed) return absent(question)
    const validating = listed(await inquiry.ask(question), readConfiguration)
    const all = [
      ...(mutatingWebhooks.state === 'known' ? mutatingWebhooks.value.items : []),
      ...(validating.state === 'known' ? validating.value.items : []),
    ]
    const found: Reference[] = []
    for (const { name, caBundle } of all.flatMap(({ webhooks }) => webhooks))
      if (siblings.has(name)) found.push({ of: name, certificates: (await readPem(caBundle)).certificates })
    if (found.length > 0) return known(found, question)
    return validating.state === 'unknown' ? validating : absent(question)
  },
})

/** The authority of the API server, where EKS's own webhook is signed by it; absent for any other webhook. */
export const clusterAuthority = defineProbe({
  id: 'cluster/authority',
  about: "the cluster's certificate authority",
  scope: 'object',
  needs: { webhookBundles },
  wants: {},
  ask: async ({ webhookBundles }, _want, inquiry): Promise<Fact<Reference>> => {
    const namespace = inquiry.subjects.find(({ kind }) => kind === 'ServiceAccount')?.namespace ?? 'default'
    const question = kubernetes.get('configmaps', namespace, 'kube-root-ca.crt')
    const managed = webhookBundles.state === 'known' && webhookBundles.value.some(({ webhook }) => isManaged(webhook))
    if (!managed) return absent(question)
    let last: Fact<Json> = absent(question)
    for (const one of [question, kubernetes.get('configmaps', 'kube-system', 'kube-root-ca.crt')]) {
      const fact = await inquiry.ask(one)
      if (fact.state === 'known') {
        const { certificates } = await readPem(textAt(fact.value, 'data', 'ca.crt') ?? '')
        if (certificates.length > 0) return known({ of: 'the cluster', certificates }, one)
      }
      if (fact.state === 'unknown' && last.state !== 'unknown') last = fact
    }
    const eks = await inquiry.ask({ system: 'aws', call: 'eks:DescribeCluster', input: {} })
    const data = eks.state === 'known' ? textAt(eks.value, 'cluster', 'certificateAuthority', 'data') : undefined
    if (data !== undefined) {
      const { certificates } = await readPem(data)
      if (certificates.length > 0) return known({ of: 'the cluster', certificates }, eks.from)
    }
    return last.state === 'unknown' ? last : absent(question)
  },
})

/** What is known of the certificate that a webhook in the cluster serves. */
export type Served = { readonly webhook: string; readonly leaf: Parsed; readonly signer?: Parsed }
export type Serving = {
  readonly served: readonly Served[]
  /** cert-manager's Certificate for the CA, where it is not ready or not there. */
  readonly pending?: string
}

/** Names that the charts give the Secret: https://github.com/aws/amazon-eks-pod-identity-webhook/blob/3bf80a3/deploy/deployment-base.yaml */
const secretNames = {
  AWS: ['pod-identity-webhook-cert', 'pod-identity-webhook'],
  Azure: ['azure-wi-webhook-server-cert'],
  other: [],
} as const

const isReady = (json: Json): boolean =>
  listAt(json, 'status', 'conditions').some((one) => textAt(one, 'type') === 'Ready' && at(one, 'status') === 'True')

/** Absent where no webhook of the configuration runs in the cluster. */
export const servingCertificate = defineProbe({
  id: 'cluster/serving-certificate',
  about: 'the certificate that the webhook serves',
  scope: 'object',
  needs: { webhookConfiguration, webhookBundles },
  wants: {},
  ask: async ({ webhookConfiguration, webhookBundles }, _want, inquiry): Promise<Fact<Serving>> => {
    const inside = webhookBundles.state === 'known' ? webhookBundles.value.filter(({ webhook }) => webhook.service) : []
    if (webhookConfiguration.state === 'absent' || inside.length === 0) return absent(webhookBundles.from)
    const [space, certificate] =
      webhookConfiguration.value.annotations['cert-manager.io/inject-ca-from']?.split('/') ?? []
    let pending: string | undefined
    let secret: string | undefined
    if (space !== undefined && certificate !== undefined) {
      const fact = await inquiry.ask(kubernetes.get('certificates', space, certificate))
      const ready = fact.state === 'known' ? isReady(fact.value) : fact.state === 'unknown'
      if (!ready) pending = `${space}/${certificate}`
      secret = fact.state === 'known' ? textAt(fact.value, 'spec', 'secretName') : undefined
    }
    const served: Served[] = []
    let unseen: Fact<Json> | undefined
    for (const { webhook, bundle } of inside) {
      const namespace = webhook.service?.namespace ?? 'default'
      const names = secret === undefined ? secretNames[webhook.injects ?? 'other'] : [secret]
      for (const name of names) {
        const fact = await inquiry.ask(kubernetes.get('secrets', namespace, name))
        if (fact.state === 'unknown') unseen ??= fact
        const read = reading(fact, (json) => (isObject(json) ? (textAt(json, 'data', 'tls.crt') ?? '') : undefined))
        const leaf = read.state === 'known' ? (await readPem(read.value)).certificates[0] : undefined
        if (leaf === undefined) continue
        const signer = await signerOf(leaf, bundle.certificates)
        served.push({ webhook: webhook.name, leaf, ...(signer === undefined ? {} : { signer }) })
        break
      }
    }
    if (served.length === 0 && pending === undefined && unseen?.state === 'unknown') return unseen
    const question = kubernetes.get('secrets', inside[0]?.webhook.service?.namespace, 'tls')
    return known({ served, ...(pending === undefined ? {} : { pending }) }, question)
  },
})

/** Whether the host of a webhook that is called by URL is publicly trusted; absent where all have a bundle, or run in the cluster. */
export const publiclyTrusted = defineProbe({
  id: 'cluster/webhook-host-trusted',
  about: "whether the webhook's host is publicly trusted",
  scope: 'object',
  needs: { webhookBundles },
  wants: {},
  ask: async ({ webhookBundles }, _want, inquiry): Promise<Fact<boolean>> => {
    const bare =
      webhookBundles.state === 'known'
        ? webhookBundles.value.find(({ webhook }) => webhook.caBundle === '' && webhook.url && !isManaged(webhook))
        : undefined
    if (bare === undefined) return absent(webhookBundles.from)
    const url = URL.parse(bare.webhook.url ?? '')
    if (url === null) return unknown('malformed', 'the URL of the webhook is none', webhookBundles.from)
    const fact = await inquiry.ask(oidc.certificates(url.hostname, Number(url.port || 443)))
    return reading(fact, (json) => {
      const trusted = at(json, 'trusted')
      return typeof trusted === 'boolean' ? trusted : undefined
    })
  },
})
