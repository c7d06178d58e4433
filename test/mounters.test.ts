/** Every row of the table of mounters, judged in a pod or a volume that uses it; and versions, by which a row is chosen. */
import { describe, expect, test } from 'vitest'
import { check as asks } from '../src/checks/storage/mounter-asks-for-the-identity.ts'
import { check as supports } from '../src/checks/storage/mounter-supports-the-identity.ts'
import { examine } from '../src/core/engine.ts'
import type { JsonObject } from '../src/core/json.ts'
import { mounterCalls } from '../src/domain/mounter-words.ts'
import { findOption, type Row, rowOf, type Tool } from '../src/domain/mounters.ts'
import { compareVersions, inRange, readVersion, tagOf } from '../src/domain/versions.ts'
import { mounters } from '../src/knowledge/mounters.ts'
import { subjectsFor } from '../src/probes/subjects.ts'
import { documentsFrom } from '../src/sources/documents/index.ts'
import { remembered } from '../src/sources/remembered.ts'

const version = (text: string) => readVersion(text) ?? []

describe('versions', () => {
  test.each([
    ['1.9.0', '1.10.0'],
    ['1.9', '1.9.1'],
    ['v1.7.2', '1.8.0'],
    ['1.34.1-gke.3899001', '1.34.8-gke.1218000'],
    ['1.34.8-gke.99', '1.34.8-gke.1218000'],
  ])('%s is before %s', (older, newer) => {
    expect(compareVersions(version(older), version(newer))).toBeLessThan(0)
    expect(compareVersions(version(newer), version(older))).toBeGreaterThan(0)
  })
  test('ranges', () => {
    expect(inRange(version('1.92'), '>=1.92')).toBe(true)
    expect(inRange(version('1.91'), '>=1.92')).toBe(false)
    expect(inRange(version('1.100'), '>=1.92')).toBe(true)
    expect(inRange(version('2.0.0'), '>=1.9.0 <2.0.0')).toBe(false)
    expect(inRange(version('1.26.1'), '1.26.1')).toBe(true)
  })
  test('tags', () => {
    expect(tagOf('registry.example:5000/s3fs:v1.94-alpine')).toBe('1.94-alpine')
    expect(tagOf('registry.example:5000/s3fs')).toBeUndefined()
    expect(tagOf('s3fs:latest')).toBeUndefined()
    expect(tagOf('s3fs:1.94@sha256:00')).toBe('1.94')
  })
})

describe('what of a command may be seen', () => {
  const calls = (...command: readonly string[]) => mounterCalls({ command })
  test('options, in whatever form they come', () => {
    expect(calls('s3fs', 'b', '/m', '-o', 'iam_role=auto,use_cache=/tmp', '-oallow_other')).toEqual([
      ['s3fs', 'iam_role=auto', 'use_cache=…', 'allow_other'],
    ])
    expect(calls('sh', '-c', 'mkdir /m &&\n  exec /usr/bin/s3fs b /m -o ecs; sleep inf')).toEqual([['s3fs', 'ecs']])
    expect(calls('gcsfuse', '--key-file', '/k.json', 'b', '/m')).toEqual([['gcsfuse', '--key-file=/k.json']])
    expect(calls('sh', '-c', 'mount -t gcsfuse -o rw b /m')[0]?.slice(0, 3)).toEqual(['mount', '-t', 'gcsfuse'])
    expect(calls('rclone', 'copy', 'a', 'b')).toEqual([])
  })
  test('no secret', () => {
    const seen = JSON.stringify([
      calls(
        'rclone',
        'mount',
        ':s3,access_key_id=AKIACANARY,secret_access_key=canary:b',
        '/m',
        '--s3-secret-access-key',
        'canary',
      ),
      calls('s3fs', 'b', '/m', '-o', 'url=https://u:canary@h,passwd=canary'),
      calls('juicefs', 'mount', '--secret-key=canary', 'redis://:canary@h/1', '/m'),
    ])
    expect(seen).not.toMatch(/canary/i)
  })
})

/** A version in the range, as an image would carry it. */
const within = (range: string): string => {
  const bound = /[\d.]+/.exec(range)?.[0] ?? '9.9.9'
  const [major = 0, minor = 0, patch = 0] = version(bound)
  if (!range.startsWith('<')) return bound === '9.9.9' ? '2.5.5' : bound
  return patch > 0 ? `${major}.${minor}.${patch - 1}` : minor > 0 ? `${major}.${minor - 1}.9` : `${major - 1}.99.9`
}
test('a version is in the range that it is made for', () => {
  for (const { modes } of mounters)
    for (const row of Object.values(modes).flatMap((rows) => rows ?? []))
      expect(inRange(version(within(row.versions)), row.versions), row.versions).toBe(true)
})

const webhookVariables: { readonly [mode: string]: readonly JsonObject[] } = {
  'aws-web-identity': [{ name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::111122223333:role/app' }],
  'eks-pod-identity': [{ name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/v1/credentials' }],
  'azure-workload-identity': [
    { name: 'AZURE_FEDERATED_TOKEN_FILE', value: '/var/run/secrets/azure/tokens/azure-identity-token' },
  ],
  'gcp-external-account': [{ name: 'GOOGLE_APPLICATION_CREDENTIALS', value: '/etc/gcp/config.json' }],
}
/** What stands in the command for an option of the table. */
const wordsFor = (row: Row): readonly string[] =>
  (row.needs ?? []).flatMap((need) => {
    const option = typeof need === 'string' ? need : (need[0] ?? '')
    if (/^[A-Z_]+$/.test(option)) return []
    return [`--${option.replace(/^--/, '').replace(/=$/, '=x').replace(': ', '=')}`]
  })

const backends: { readonly [tool: string]: string } = {
  'rclone-s3': 's3',
  'rclone-azureblob': 'azureblob',
  'rclone-gcs': 'gcs',
}

async function judged(tool: Tool, mode: string, row: Row, told: boolean) {
  const [command = ''] = tool.recognise.commands ?? []
  const backend = backends[tool.tool]
  const external = mode === 'gcp-external-account'
  const annotations = mode === 'gke-metadata' ? { 'iam.gke.io/gcp-service-account': 'a@p.iam.gserviceaccount.com' } : {}
  const manifests = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'app', namespace: 'shop', annotations } },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'app', namespace: 'shop', uid: 'u' },
      spec: {
        serviceAccountName: 'app',
        volumes: external
          ? [
              {
                name: 't',
                projected: {
                  sources: [
                    {
                      serviceAccountToken: {
                        audience:
                          '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
                        path: 't',
                      },
                    },
                  ],
                },
              },
            ]
          : [],
        containers: [
          {
            name: 'app',
            image: `registry.example/${command}:${within(row.versions)}`,
            command: [
              command,
              'mount',
              ...(backend === undefined ? [] : [`--type=${backend}`]),
              ...(told ? wordsFor(row) : []),
            ],
            env: [...(webhookVariables[mode] ?? [])],
            securityContext: { privileged: true },
          },
        ],
      },
    },
  ]
  const { source } = documentsFrom(
    manifests.map((one, index) => ({ name: `${index}.json`, text: JSON.stringify(one) })),
    {},
  )
  const asked = remembered(source)
  const { subjects } = await subjectsFor(asked, { targets: ['pod/app'], namespace: 'shop', documents: true })
  const { findings } = await examine({ checks: [supports, asks], subjects, source: asked })
  return new Map(findings.filter(({ subject }) => subject.kind === 'Pod').map((one) => [one.check, one]))
}

/** Modes that a pod shows by itself; the others are the node's, or a key. */
const shown = [
  'aws-web-identity',
  'eks-pod-identity',
  'azure-workload-identity',
  'gke-metadata',
  'gcp-external-account',
]
const rows = mounters
  .filter(({ recognise }) => recognise.commands !== undefined)
  .flatMap((tool) =>
    shown.flatMap((mode) =>
      (tool.modes[mode] ?? []).map(
        (row) => [`${tool.tool} ${row.versions}, ${mode}: ${row.verdict}`, tool, mode, row] as const,
      ),
    ),
  )

describe('each row of a mounter that a pod runs', () => {
  test.each(rows)('%s', async (_name, tool, mode, row) => {
    const found = await judged(tool, mode, row, true)
    const word = found.get('storage/mounter-supports-the-identity')
    const said = JSON.stringify(word)
    if (row.verdict === 'fails') {
      expect(word?.status, said).toBe('fail')
      expect(word?.messageId).toMatch(/^(?:too-old|unsupported)$/)
    } else if (row.verdict === 'unproven') expect(word?.status, said).toBe('unknown')
    else {
      expect(word?.messageId ?? word?.status, said).toMatch(/^(?:pass|known-fault)$/)
      const told = found.get('storage/mounter-asks-for-the-identity')
      expect(told?.status, JSON.stringify(told)).toMatch(/^(?:pass|blocked|unknown)$/)
      const silent = (await judged(tool, mode, row, false)).get('storage/mounter-asks-for-the-identity')
      if (wordsFor(row).length > 0) expect(silent?.status, JSON.stringify(silent)).toMatch(/^(?:fail|unknown|blocked)$/)
    }
  })
})

describe('each row of a driver', () => {
  const ofDrivers = mounters.flatMap((tool) =>
    Object.entries(tool.modes).flatMap(([mode, found]) =>
      (found ?? []).map(
        (row) => [`${tool.tool} ${row.level ?? ''} ${row.versions}, ${mode}: ${row.verdict}`, tool, mode, row] as const,
      ),
    ),
  )
  test.each(ofDrivers)('%s is the only one of its version', (_name, tool, mode, row) => {
    expect(rowOf(tool, mode, row.level, version(within(row.versions)))).toBe(row)
  })
})

test('an option is found under each of its names', () => {
  const option = (name: string, value?: string) => [{ name, value, where: 'x' }]
  expect(findOption(option('RCLONE_CONFIG_STORE_ENV_AUTH', 'true'), 'env_auth=true')).toBeDefined()
  expect(findOption(option('--s3-env-auth'), 'env_auth=true')).toBeDefined()
  expect(findOption(option('env_auth', 'false'), 'env_auth=true')).toBeUndefined()
  expect(findOption(option('AZURE_STORAGE_AUTH_TYPE', 'MSI'), 'mode: msi')).toBeDefined()
  expect(findOption(option('mode', '…'), 'mode: msi')).toBe('hidden')
})
