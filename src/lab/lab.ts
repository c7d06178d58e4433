/** Serves a case over the wire on loopback: its cluster, its issuer, its AWS accounts, its Azure, its Google Cloud. */
import { randomBytes, randomUUID } from 'node:crypto'
import { textAt } from '../core/json.ts'
import { googleServices } from '../domain/google-services.ts'
import { queryTrouble } from './aws-query.ts'
import type { Sessions } from './aws-sessions.ts'
import { armTrouble, azureArm } from './azure-arm.ts'
import { azureBlobs, blobHostsOf, type EntraBearers } from './azure-blobs.ts'
import { azureGraph, graphTrouble } from './azure-graph.ts'
import { caseOf } from './case.ts'
import { type CaseFiles, readCase } from './case-documents.ts'
import { makeAuthority } from './certificates.ts'
import { ec2Service } from './ec2.ts'
import { eksService } from './eks.ts'
import { entra } from './entra.ts'
import { type GoogleDesk, googleService } from './gcp.ts'
import { metadataService, podOf } from './gcp-metadata.ts'
import { tokensOfLab } from './gcp-sts.ts'
import { iamService } from './iam.ts'
import { issuerOf } from './issuer.ts'
import { kubernetesApi } from './kubernetes-api.ts'
import { statusTrouble } from './kubernetes-status.ts'
import { type Handler, type Listener, listen, type Reply } from './listener.ts'
import { podIdentityAgent } from './pod-identity-agent.ts'
import type { World } from './published-keys.ts'
import { s3Service } from './s3.ts'
import { settling } from './settling.ts'
import { makeSigner, type Signer } from './signer.ts'
import { stsService } from './sts.ts'
import { type Environment, makeWorkspace, type Servers } from './workspace.ts'

export type LabOptions = {
  /**
   * What is refused: `get pods`, `create serviceaccounts/token`, `get /version` by the cluster's RBAC, `iam:GetRole` by IAM, `get discovery`
   * and `get jwks` by the host of the issuer.
   */
  readonly refuse?: readonly string[]
  /** Seconds by which the clock of the control plane is ahead of everybody else's. */
  readonly ahead?: number
  /** Milliseconds between the end of a pod and the one that a rollout puts in its place; none by default. */
  readonly podsTake?: number
  /** Milliseconds until an exchange goes by what was changed in a cloud; none by default. */
  readonly changesTake?: number
  /** Hears every answer that leaves the lab, tokens and credentials in them too: for tests that look for leaks. */
  readonly overhear?: (body: string) => void
  /** The environment that `env` starts from; this process's own by default. */
  readonly base?: Environment
}

export type Lab = {
  /** A whole environment for a child process, cleared of what would lead past the lab. */
  readonly env: Record<string, string>
  readonly kubeconfig: string
  /** `issuer` is where the issuer listens; its own address is `Lab.issuer`. `agent`: the EKS Pod Identity agent, over http as on a node. */
  readonly urls: Servers & { readonly issuer: string; readonly agent: string }
  readonly issuer: string
  /** Certificates to trust, and where the issuer's hosts really are. */
  readonly world: World
  /** Signs any claims with the cluster's key: for tokens that no API server would give out. */
  readonly sign: Signer['sign']
  /** How often each `server METHOD path` has been asked. */
  readonly requests: () => { readonly [request: string]: number }
  /** Ends the servers and removes the folder; may be called twice. */
  readonly close: () => Promise<void>
}

/** Where the clouds exchange tokens, as far as anybody may ask them for the time. */
const cloudHosts = ['sts.amazonaws.com', 'sts.cn-north-1.amazonaws.com.cn']
/** The authorities of Azure's clouds, and where its resource manager and its directory answer. */
const entraHosts = [
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.chinacloudapi.cn',
  'login.partner.microsoftonline.cn',
]
const armHosts = ['management.azure.com', 'management.usgovcloudapi.net', 'management.chinacloudapi.cn']
const graphHosts = ['graph.microsoft.com', 'graph.microsoft.us', 'microsoftgraph.chinacloudapi.cn']
const googleHosts = googleServices.map((service) => `${service}.googleapis.com`)

/** Starts the servers for a case (a path, or texts by file name). Throws CaseError where there is no case to serve. */
export async function startLab(
  place: string | CaseFiles,
  { refuse = [], base = process.env, overhear, ahead = 0, podsTake = 0, changesTake = 0 }: LabOptions = {},
): Promise<Lab> {
  const [documents, authority] = await Promise.all([readCase(place), makeAuthority()])
  const lab = caseOf(documents)
  const signer = await makeSigner(lab)
  const refusals = new Set(refuse)
  const refusedVerb = (verb: string, what: string): boolean => refusals.has(`${verb} ${what}`)
  const refusedAction = (action: string): boolean => refusals.has(action)
  const counts = new Map<string, number>()
  const listeners: Listener[] = []
  const { changed, exchanged } = settling(changesTake)

  const serve = async (
    name: string,
    handle: Handler,
    trouble: (message: string) => Reply,
    names: readonly string[] = [],
    aheadBy = 0,
    plain = false,
  ) => {
    const leaf = plain ? {} : { leaf: await authority.leaf(['127.0.0.1', 'localhost', ...names]) }
    const count = (method: string, path: string): void => {
      const key = `${name} ${method} ${path}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    const heard: Handler =
      overhear === undefined
        ? handle
        : async (request) => {
            const reply = await handle(request)
            overhear(reply.body)
            return reply
          }
    const listener = await listen({ ...leaf, handle: heard, trouble, count, ahead: aheadBy })
    listeners.push(listener)
    return listener
  }
  const plainTrouble = (message: string): Reply => ({ status: 500, body: message })

  const closeServers = async (): Promise<void> => {
    await Promise.all(listeners.map(({ close }) => close()))
  }
  try {
    const documentsOfIssuer = issuerOf(lab, signer, refusedVerb)
    const hosts = [...new Set(documentsOfIssuer.authorities.map((one) => one.slice(0, one.lastIndexOf(':'))))]
    const issuer = await serve('issuer', documentsOfIssuer.handle, plainTrouble, hosts)
    const resolve = Object.fromEntries(documentsOfIssuer.authorities.map((one) => [one, `127.0.0.1:${issuer.port}`]))
    // Whatever they are asked without credentials, the clouds tell their time.
    const cloud = await serve('cloud', () => ({ status: 400, body: '' }), plainTrouble, cloudHosts)
    for (const host of cloudHosts) resolve[`${host}:443`] = `127.0.0.1:${cloud.port}`
    const world: World = { roots: authority.root, resolve }
    const login = { clientId: randomUUID(), secret: randomBytes(24).toString('base64url'), tokens: new Set<string>() }
    const bearers: EntraBearers = new Map()
    const storageHosts = blobHostsOf(lab.azure)
    const [directory, arm, graph, blobs] = await Promise.all([
      serve('entra', exchanged(entra(lab.azure, login, world, bearers)), plainTrouble, entraHosts),
      serve('arm', changed(azureArm(lab.azure, login, refusedAction)), armTrouble, armHosts),
      serve('graph', azureGraph(lab.azure, login, refusedAction), graphTrouble, graphHosts),
      serve('blob', azureBlobs(lab.azure, bearers), plainTrouble, storageHosts),
    ])
    for (const [names, { port: there }] of [
      [entraHosts, directory],
      [armHosts, arm],
      [graphHosts, graph],
      [storageHosts, blobs],
    ] as const)
      for (const host of names) resolve[`${host}:443`] = `127.0.0.1:${there}`
    const aks = lab.azure.clusters[0]
    const token = randomBytes(24).toString('base64url')
    let port = 0
    const api = kubernetesApi({
      lab,
      signer,
      discovery: documentsOfIssuer.served,
      token,
      refused: refusedVerb,
      port: () => port,
      podsTake,
    })
    const person = {
      audience: '//iam.googleapis.com/projects/0/locations/global/workloadIdentityPools/lab/providers/person',
      secret: randomBytes(24).toString('base64url'),
    }
    const desk: GoogleDesk = {
      state: lab.google,
      tokens: tokensOfLab(),
      world,
      issuer: lab.issuer,
      person,
      now: Date.now,
      refused: refusedAction,
    }
    const ofGoogle = changed(exchanged(googleService(desk)))
    const google = await serve('google', ofGoogle, plainTrouble, googleHosts)
    for (const host of googleHosts) resolve[`${host}:443`] = `127.0.0.1:${google.port}`
    const metadata = await serve(
      'metadata',
      metadataService({ sts: desk, google: ofGoogle, pod: podOf(lab, api, token) }),
      plainTrouble,
      [],
      0,
      true,
    )
    const sessions: Sessions = new Map()
    const [kubernetes, sts, iam, eks, ec2, s3, agent] = await Promise.all([
      serve('kubernetes', api, statusTrouble, [], ahead),
      serve('sts', exchanged(stsService(lab.accounts, world, lab.region, sessions)), queryTrouble),
      serve('iam', changed(iamService(lab.accounts, lab.permissions, refusedAction)), queryTrouble),
      serve('eks', eksService(lab, refusedAction), plainTrouble),
      serve('ec2', ec2Service(lab.machines, refusedAction), plainTrouble),
      serve('s3', s3Service(lab.permissions, refusedAction, sessions), plainTrouble),
      serve('agent', podIdentityAgent(lab, signer, sessions), plainTrouble, [], 0, true),
    ])
    port = kubernetes.port
    const servers: Servers = {
      kubernetes: kubernetes.url,
      sts: sts.url,
      iam: iam.url,
      eks: eks.url,
      ec2: ec2.url,
      s3: s3.url,
      google: google.url,
      metadata: metadata.url,
    }
    const { env, kubeconfig, remove } = await makeWorkspace({
      world,
      servers,
      agent: agent.url,
      token,
      // As aws eks update-kubeconfig or gcloud container clusters get-credentials names it.
      context: textAt(lab.cluster, 'arn') ?? textAt(aks, 'name') ?? lab.google.context ?? 'lab',
      // As az aks get-credentials does.
      ...(aks === undefined ? {} : { user: `clusterUser_${textAt(aks, 'resourceGroup')}_${textAt(aks, 'name')}` }),
      azure: { ...login, tenantId: lab.azure.tenantId },
      namespace: lab.namespace ?? 'default',
      region: lab.region,
      google: person,
      base,
    })
    return {
      env,
      kubeconfig,
      urls: { ...servers, issuer: issuer.url, agent: agent.url },
      issuer: lab.issuer,
      world,
      sign: signer.sign,
      requests: () => Object.fromEntries(counts),
      close: async () => {
        await Promise.all([closeServers(), remove()])
      },
    }
  } catch (error) {
    await closeServers()
    throw error
  }
}
