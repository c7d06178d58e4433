/** The GKE metadata server of a pod: its header rules, its few paths, and the tokens of the ServiceAccount that the pod runs as. */
import { type JsonObject, textAt } from '../core/json.ts'
import type { LabCase } from './case.ts'
import { exchangeToken, type StsDesk } from './gcp-sts.ts'
import type { Handler, Reply, Request } from './listener.ts'

/** The pod that asks: as whom it runs, and what the API server gives the metadata server for that. */
type Pod = {
  /** The ServiceAccount as it stands now; undefined where there is none. */
  readonly account: () => Promise<JsonObject | undefined>
  readonly mint: (account: JsonObject, audience: string) => Promise<string>
}

export type MetadataDesk = {
  readonly sts: StsDesk
  readonly pod: Pod
  /** IAM Credentials of the lab. */
  readonly google: Handler
}

const answered = { 'metadata-flavor': 'Google', server: 'GKE Metadata Server' }
const text = (status: number, body: string): Reply => ({
  status,
  headers: { ...answered, 'content-type': 'application/text' },
  body,
})
const json = (body: object): Reply => ({
  status: 200,
  headers: { ...answered, 'content-type': 'application/json' },
  body: JSON.stringify(body),
})
const cloudPlatform = 'https://www.googleapis.com/auth/cloud-platform'
const annotation = 'iam.gke.io/gcp-service-account'
const root = '/computeMetadata/v1/'

const post = (path: string, headers: Request['headers'], body: string): Request => ({
  method: 'POST',
  path,
  query: new URLSearchParams(),
  headers: { 'content-type': 'application/json', ...headers },
  body,
  bytes: Buffer.from(body),
})

/** The pod of the first ServiceAccount that is annotated for Google, else of the first that is not `default`. */
export function podOf({ objects }: Pick<LabCase, 'objects'>, api: Handler, bearer: string): Pod {
  const accounts = objects.filter(({ kind }) => kind === 'ServiceAccount')
  const own =
    accounts.find((one) => textAt(one, 'metadata', 'annotations', annotation) !== undefined) ??
    accounts.find((one) => textAt(one, 'metadata', 'name') !== 'default')
  const place = `/api/v1/namespaces/${textAt(own, 'metadata', 'namespace') ?? 'default'}/serviceaccounts/${textAt(own, 'metadata', 'name') ?? ''}`
  const asked = async (method: string, path: string, body: string): Promise<JsonObject | undefined> => {
    const reply = await api({ ...post(path, { authorization: `Bearer ${bearer}` }, body), method })
    return reply.status < 300 ? JSON.parse(reply.body) : undefined
  }
  return {
    account: async () => (own === undefined ? undefined : asked('GET', place, '')),
    mint: async (_, audience) => {
      const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: [audience] } }
      const made = await asked('POST', `${place}/token`, JSON.stringify(body))
      return textAt(made, 'status', 'token') ?? ''
    },
  }
}

export function metadataService(desk: MetadataDesk): Handler {
  const { state } = desk.sts
  const pool = (): string => textAt(state.cluster, 'workloadIdentityConfig', 'workloadPool') ?? ''
  const url = textAt(state.cluster, 'selfLink') ?? ''
  const [, project = '', location = ''] = /\/projects\/([^/]+)\/(?:locations|zones)\/([^/]+)\//.exec(url) ?? []
  const emailOf = (account: JsonObject): string => textAt(account, 'metadata', 'annotations', annotation) ?? pool()

  const token = async (account: JsonObject): Promise<Reply> => {
    const subject = await desk.pod.mint(account, pool())
    const federated = await exchangeToken(
      post(
        '/v1/token',
        {},
        JSON.stringify({
          grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
          audience: `identitynamespace:${pool()}:${url}`,
          subjectToken: subject,
          subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
          scope: cloudPlatform,
        }),
      ),
      desk.sts,
    )
    const first: JsonObject = JSON.parse(federated.body)
    if (federated.status !== 200)
      return text(
        500,
        `Unable to fetch federated token; The Global STS returned ${federated.status}: ${federated.body}`,
      )
    const email = textAt(account, 'metadata', 'annotations', annotation)
    if (email === undefined)
      return json({ access_token: first.access_token, expires_in: first.expires_in, token_type: 'Bearer' })
    const second = await desk.google(
      post(
        `/v1/projects/-/serviceAccounts/${encodeURIComponent(email)}:generateAccessToken`,
        { authorization: `Bearer ${String(first.access_token)}` },
        JSON.stringify({ scope: [cloudPlatform] }),
      ),
    )
    const body: JsonObject = JSON.parse(second.body)
    if (second.status !== 200)
      return text(
        403,
        `Unable to generate access token; IAM returned 403 Forbidden: ${textAt(body, 'error', 'message') ?? ''}\nThis error could be caused by a missing IAM policy binding on the target IAM service account.\nFor more information, refer to the Workload Identity documentation:\n\thttps://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity#authenticating_to\n`,
      )
    return json({ access_token: body.accessToken, expires_in: 3599, token_type: 'Bearer' })
  }

  return async ({ path, headers }) => {
    if (headers['metadata-flavor'] !== 'Google') return text(403, 'Missing required header "Metadata-Flavor": "Google"')
    const account = await desk.pod.account()
    const rest = path.startsWith(root) ? path.slice(root.length) : path === '/' ? '' : path
    const plain: { readonly [place: string]: string } = {
      '': 'instance/\nproject/\n',
      instance: 'attributes/\nservice-accounts/\n',
      'instance/attributes/cluster-name': textAt(state.cluster, 'name') ?? '',
      'instance/attributes/cluster-location': location,
      'project/project-id': project,
    }
    const known = plain[rest.replace(/\/$/, '')]
    if (known !== undefined) return text(200, known)
    const [, , who = '', what = ''] = /^(instance\/service-accounts)\/([^/]+)\/(.+)$/.exec(rest) ?? []
    if (account !== undefined && (who === 'default' || who === emailOf(account))) {
      if (what === 'email') return text(200, emailOf(account))
      if (what === 'aliases') return text(200, 'default\n')
      if (what === 'scopes') return text(200, `${cloudPlatform}\n`)
      if (what === 'token') return token(account)
      if (what === 'identity' && textAt(account, 'metadata', 'annotations', annotation) === undefined)
        return text(
          404,
          `Your Kubernetes service account (${textAt(account, 'metadata', 'namespace')}/${textAt(account, 'metadata', 'name')}) is not annotated with a target Google service account, which is a requirement for retrieving Identity Tokens using Workload Identity.`,
        )
    }
    return text(404, `generic::not_found: no child "${rest.split('/').at(-1) ?? ''}"\n`)
  }
}
