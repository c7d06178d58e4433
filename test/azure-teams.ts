/** A cluster of many teams, each with an identity of Azure of its own and broken in its own way: documents for the lab. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { JsonObject } from '../src/core/json.ts'
import { demo } from './labs.ts'

export const tenant = '0b1f6471-1bf0-4dda-aec3-cb9272f09590'
export const otherTenant = '99999999-2222-4333-8444-555566667777'
export const audience = 'api://AzureADTokenExchange'
export const issuer = `https://eastus.oic.prod-aks.azure.com/${tenant}/7627b819-b0f2-4621-934c-c458148d71be/`
export const group = '/subscriptions/5f2d0f0e-1111-4222-8333-444455556666/resourceGroups/shop-rg/providers'
const prefix = 'azure.workload.identity'
const useLabel = `${prefix}/use`
const clientKey = `${prefix}/client-id`
const before = '2026-01-12T08:45:00Z'

export type Team = {
  readonly name: string
  readonly namespace: string
  readonly clientId: string
  readonly principalId: string
  readonly identity: string
  readonly subject: string
}
type Texts = { readonly [key: string]: string }
type Credential = {
  readonly issuer?: string
  readonly subject?: string
  readonly audience?: string
  readonly expression?: string
}

/** How a team differs from one that is well. `undefined` takes out what is there otherwise. */
export type Fault = {
  readonly namespace?: string
  readonly account?: string
  readonly identityName?: string
  readonly annotations?: (team: Team) => { readonly [key: string]: string | undefined }
  readonly labels?: Texts
  /** When the pod was made. */
  readonly born?: string
  /** Of the pod template; undefined: none. */
  readonly label?: string | undefined
  readonly ownLabels?: Texts
  readonly templateAnnotations?: Texts
  readonly template?: (team: Team) => JsonObject
  /** The pod is as its template says, and nothing injected. */
  readonly bare?: boolean
  readonly env?: (team: Team) => { readonly [name: string]: string | undefined }
  readonly credentials?: (team: Team) => readonly Credential[]
  readonly more?: (team: Team) => readonly JsonObject[]
  /** What Azure shows besides: a list of the command line, by file name. */
  readonly cloud?: (team: Team) => { readonly [file: string]: JsonObject }
  readonly projected?: string
  /** Nothing is exchanged at Entra by whoever examines: a driver or a proxy does that. */
  readonly elsewhere?: boolean
  /** Checks that go by a text alone, which stays where it was logged. */
  readonly stays?: string
  readonly event?: (team: Team) => string
}

const guid = (kind: string, at: number): string => `${kind}0000000-0000-4000-8000-${String(at).padStart(12, '0')}`

export function teamOf(name: string, at: number, fault: Fault = {}): Team {
  const namespace = fault.namespace ?? `t-${name}`
  const account = fault.account ?? 'cart'
  return {
    name,
    namespace,
    clientId: guid('c', at),
    principalId: guid('b', at),
    identity: `${group}/Microsoft.ManagedIdentity/userAssignedIdentities/${fault.identityName ?? `${name}-id`}`,
    subject: `system:serviceaccount:${namespace}:${account}`,
  }
}

const defined = (all: { readonly [key: string]: string | undefined }): JsonObject =>
  Object.fromEntries(Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])))
const folder = '/var/run/secrets/azure/tokens'

function objectsOf(team: Team, fault: Fault): readonly JsonObject[] {
  const { namespace } = team
  const account = fault.account ?? 'cart'
  const metadata = (name: string, more: JsonObject = {}): JsonObject => ({
    name,
    namespace,
    uid: `${namespace}-${name}`,
    creationTimestamp: before,
    ...more,
  })
  const label = 'label' in fault ? fault.label : 'true'
  const labels = { app: 'cart', ...(label === undefined ? {} : { [useLabel]: label }) }
  const annotations = defined({ [clientKey]: team.clientId, ...fault.annotations?.(team) })
  const templateAnnotations = fault.templateAnnotations === undefined ? {} : { annotations: fault.templateAnnotations }
  const containers = [{ name: 'cart', image: 'registry.example/shop/cart:1.4.2' }]
  const spec = { serviceAccountName: account, containers, ...fault.template?.(team) }
  const template = { metadata: { labels, ...templateAnnotations }, spec }
  const selector = { matchLabels: { app: 'cart' } }
  const set = metadata('cart-7d9f6c5b8', {
    ownerReferences: [
      { apiVersion: 'apps/v1', kind: 'Deployment', name: 'cart', uid: `${namespace}-cart`, controller: true },
    ],
  })
  const pod = metadata('cart-7d9f6c5b8-x2m4q', {
    labels,
    ...templateAnnotations,
    creationTimestamp: fault.born ?? '2026-01-12T08:45:02Z',
    ownerReferences: [
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        name: 'cart-7d9f6c5b8',
        uid: `${namespace}-cart-7d9f6c5b8`,
        controller: true,
      },
    ],
  })
  const env = defined({
    AZURE_CLIENT_ID: team.clientId,
    AZURE_TENANT_ID: tenant,
    AZURE_FEDERATED_TOKEN_FILE: `${folder}/azure-identity-token`,
    AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.com/',
    ...fault.env?.(team),
  })
  const injected = {
    containers: [
      {
        ...containers[0],
        env: Object.entries(env).map(([name, value]) => ({ name, value })),
        volumeMounts: [{ name: 'azure-identity-token', mountPath: folder, readOnly: true }],
      },
    ],
    volumes: [
      {
        name: 'azure-identity-token',
        projected: {
          defaultMode: 420,
          sources: [
            {
              serviceAccountToken: {
                audience: fault.projected ?? audience,
                expirationSeconds: 3600,
                path: 'azure-identity-token',
              },
            },
          ],
        },
      },
    ],
  }
  const event = fault.event?.(team)
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace }, status: { phase: 'Active' } },
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: metadata(account, {
        annotations,
        ...(fault.labels === undefined ? {} : { labels: fault.labels }),
      }),
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metadata('cart', fault.ownLabels === undefined ? {} : { labels: fault.ownLabels }),
      spec: { replicas: 1, selector, template },
    },
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: set, spec: { replicas: 1, selector, template } },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: pod,
      spec: { ...spec, ...(fault.bare === true ? {} : injected), nodeName: 'aks-nodes-1' },
      status: { phase: 'Running' },
    },
    ...(event === undefined
      ? []
      : [
          {
            apiVersion: 'v1',
            kind: 'Event',
            metadata: metadata('cart.1'),
            type: 'Warning',
            reason: 'Unhealthy',
            message: event,
            involvedObject: { kind: 'Pod', namespace, name: 'cart-7d9f6c5b8-x2m4q' },
          },
        ]),
    ...(fault.more?.(team) ?? []),
  ]
}

/** Documents of the demo's cluster with these teams in the place of its own. */
export function clusterOf(faults: { readonly [name: string]: Fault }): {
  readonly teams: readonly Team[]
  readonly files: { readonly [file: string]: string }
} {
  const all = Object.entries(faults).map(([name, fault], at) => ({ team: teamOf(name, at, fault), fault }))
  const identities = all.map(({ team }) => ({
    id: team.identity,
    name: team.identity.split('/').at(-1) ?? '',
    clientId: team.clientId,
    principalId: team.principalId,
    tenantId: tenant,
    location: 'eastus',
    type: 'Microsoft.ManagedIdentity/userAssignedIdentities',
  }))
  const credentials = all.flatMap(({ team, fault }) =>
    (fault.credentials?.(team) ?? [{}]).map((one, at) => ({
      id: `${team.identity}/federatedIdentityCredentials/${team.name}-${at}`,
      name: `${team.name}-${at}`,
      issuer: one.issuer ?? issuer,
      audiences: [one.audience ?? audience],
      ...(one.expression === undefined
        ? { subject: one.subject ?? team.subject }
        : { claimsMatchingExpression: { value: one.expression, languageVersion: 1 } }),
    })),
  )
  const cloud: { [file: string]: JsonObject[] } = {}
  for (const { team, fault } of all)
    for (const [file, one] of Object.entries(fault.cloud?.(team) ?? {})) cloud[file] = [...(cloud[file] ?? []), one]
  const read = (file: string): string => readFileSync(path.join(demo('azure-healthy'), file), 'utf8')
  return {
    teams: all.map(({ team }) => team),
    files: {
      'claims.json': read('claims.json'),
      'cluster.json': read('cluster.json'),
      'networkpolicies.json': read('networkpolicies.json'),
      'webhook.yaml': read('webhook.yaml'),
      ...Object.fromEntries(Object.entries(cloud).map(([file, list]) => [file, JSON.stringify(list)])),
      'identities.json': JSON.stringify(identities),
      'credentials.json': JSON.stringify(credentials),
      'teams.json': JSON.stringify({
        apiVersion: 'v1',
        kind: 'List',
        items: all.flatMap(({ team, fault }) => objectsOf(team, fault)),
      }),
    },
  }
}
