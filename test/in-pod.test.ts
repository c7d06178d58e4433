/** exchange-test beside a container of a pod: an ephemeral container and a Job in the lab, run by a kubelet of the test's own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { refusalIn, stateOf } from '../src/apply/in-pod.ts'
import { isObject, type JsonObject, listAt, textAt } from '../src/core/json.ts'
import { ephemeralContainer, jobLike } from '../src/domain/in-pod.ts'
import { toldProof } from '../src/domain/told-proof.ts'
import { statuses, stepsOf } from './exchanging.ts'
import { type Asked, playKubelet, type Ran } from './kubelet.ts'
import { api, closeLabs, demo, start } from './labs.ts'
import { entry, sentence } from './running.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-in-pod-'))
const heard: string[] = []
const lab = await start(demo('healthy'), { overhear: (body) => heard.push(body) })
const image = 'registry.example/kubectl-wi:test'
const node = 'ip-10-0-3-17.us-west-2.compute.internal'
const pod = 'cart-7d9f6c5b8-x2m4q'
const place = `/api/v1/namespaces/shop/pods/${pod}`
const labEnv = Object.fromEntries(
  Object.entries(lab.env).filter(([name]) => !/^(AWS_(?!CA|ENDPOINT)|AZURE_|GOOGLE_)/.test(name)),
)

type Outcome = { readonly code: number | null; readonly out: string; readonly err: string }
const wi = (
  args: readonly string[],
  env: NodeJS.ProcessEnv = lab.env,
): { child: ChildProcess; ended: Promise<Outcome> } => {
  const child = spawn(process.execPath, [entry, ...args], { env })
  let [out, err] = ['', '']
  child.stdout.on('data', (part) => {
    out += part
  })
  child.stderr.on('data', (part) => {
    err += part
  })
  return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err }))) }
}

/** What a runtime does, as far as a process without a container can: the mounts lie in a folder, and the variables lead there. */
const seen: Asked[] = []
let count = 0
const run = async (asked: Asked): Promise<Ran> => {
  seen.push(asked)
  const root = path.join(folder, String(++count))
  for (const [file, text] of Object.entries(asked.files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
    writeFileSync(path.join(root, file), text)
  }
  const env = Object.fromEntries(
    Object.entries(asked.env).map(([name, value]) => [name, value in asked.files ? path.join(root, value) : value]),
  )
  const { code, out, err } = await wi(asked.args, { ...labEnv, HOME: root, ...env }).ended
  return { log: err + out, code: code ?? 1 }
}
const kubelet = await playKubelet({ kubeconfig: lab.kubeconfig, node, image, run, controller: true })
afterAll(async () => {
  await kubelet.close()
  await closeLabs()
  rmSync(folder, { recursive: true, force: true })
})
const inPod = (more: readonly string[] = [], what = image) =>
  wi(['exchange-test', '--in-pod', pod, '-n', 'shop', '--image', what, ...more])
const jobs = async () => listAt((await api(lab, 'GET', '/apis/batch/v1/namespaces/shop/jobs')).body, 'items')

describe('beside a container', () => {
  test('an ephemeral container proves what the container was given, and says before that it stays', async () => {
    const { code, out, err } = await inPod().ended
    sentence(err)
    expect(err).toMatch(/stays in the pod's description until the pod is deleted; --job leaves nothing behind/u)
    expect(out).toMatch(/^pod shop\/cart-7d9f6c5b8-x2m4q/u)
    expect(out).toContain('a session of role cart in account 111122223333, as AWS_ROLE_ARN names it')
    expect(out).toMatch(/^proven/mu)
    const added = listAt((await api(lab, 'GET', place)).body, 'spec', 'ephemeralContainers')
    expect(added.map((one) => textAt(one, 'image'))).toEqual([image])
    expect(seen.at(-1)?.env.AWS_ROLE_ARN).toBe('arn:aws:iam::111122223333:role/cart')
    for (const token of seen.flatMap(({ files }) => Object.values(files)))
      for (const part of token.split('.').slice(1)) expect(out + err).not.toContain(part)
    expect(code).toBe(0)
  })
  test('a Job does the same on the same node, and is deleted', async () => {
    const { code, out, err } = await inPod(['--job', '-o', 'json']).ended
    expect(err).toMatch(/Created Job .*\n.*Deleted Job/u)
    expect(JSON.parse(out)).toMatchObject({ subject: `pod shop/${pod}`, verdict: 'proven' })
    expect(stepsOf({ out })[0]).toMatchObject({ id: 'beside', status: 'pass' })
    expect(statuses({ out })).toMatchObject({ identity: 'pass', exchange: 'pass', 'who-am-i': 'pass' })
    expect(await jobs()).toEqual([])
    expect(code).toBe(0)
  })
  test('a Job is deleted on Ctrl-C, too', async () => {
    const silent = 'registry.example/never:pulled'
    const { child, ended } = inPod(['--job'], silent)
    child.stderr?.on('data', (part) => {
      if (String(part).includes('Created Job')) child.kill('SIGINT')
    })
    const { code, err } = await ended
    sentence(err)
    expect(err).toContain('Deleted Job')
    expect(await jobs()).toEqual([])
    expect(code).toBe(130)
  })
  test('says what is missing before it asks anybody', async () => {
    const { code, err } = await wi(['exchange-test', '--in-pod', pod, '-n', 'shop']).ended
    expect(err).toContain('--image')
    expect(code).toBe(2)
  })
})

describe('a refusal of the API server', () => {
  const deed = { verb: 'patch', resource: 'pods/ephemeralcontainers' }
  const said = (message: string, status = 403) => refusalIn(status, message, deed, 'shop')
  test('is told by what refuses: Pod Security, a webhook, a quota, RBAC', () => {
    const restricted = `pods "cart" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true (container "wi" must set it)`
    expect(said(restricted).detail).toBe(
      'Pod Security (restricted:latest) of namespace shop does not admit it: runAsNonRoot != true (container "wi" must set it)',
    )
    expect(said('admission webhook "validate.kyverno.svc" denied the request: no ephemeral containers').detail).toBe(
      'the admission webhook validate.kyverno.svc does not admit it: no ephemeral containers',
    )
    expect(said('pods "x" is forbidden: exceeded quota: compute, requested: pods=1').lift).toBe('room in the quota')
    expect(said('User "jane" cannot patch resource "pods/ephemeralcontainers"').lift).toBe(
      'RBAC: patch on pods/ephemeralcontainers in namespace shop',
    )
  })
})

describe('a container that does not start', () => {
  const status = (state: JsonObject) => ({ status: { ephemeralContainerStatuses: [{ name: 'wi', state }] } })
  test('is waited for only while it may still start', () => {
    const pulling = { waiting: { reason: 'ContainerCreating' } }
    expect(stateOf(status(pulling), 'wi')).toEqual({ started: false, waiting: 'ContainerCreating' })
    const never = { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "x"' } }
    expect(stateOf(status(never), 'wi').hopeless?.why).toContain('ImagePullBackOff: Back-off pulling image "x"')
    expect(stateOf(status({ terminated: { exitCode: 3 } }), 'wi')).toEqual({ started: true, code: 3 })
    const evicted = { status: { phase: 'Failed', reason: 'OutOfcpu', message: 'Node did not have enough resource' } }
    expect(stateOf(evicted, 'wi').hopeless?.why).toContain('OutOfcpu: Node did not have enough')
  })
})

describe('what runs beside a container', () => {
  const mount = (name: string, mountPath: string, more = {}) => ({ name, mountPath, ...more })
  const container = {
    name: 'app',
    image: 'app:1',
    command: ['serve'],
    ports: [{ containerPort: 80 }],
    env: [{ name: 'AWS_ROLE_ARN', value: 'arn' }],
    securityContext: { runAsUser: 1000, capabilities: { drop: ['ALL'] } },
    volumeMounts: [
      mount('token', '/var/run/secrets/token'),
      mount('kube-api-access-x', '/var/run/secrets/kubernetes.io/serviceaccount'),
      mount('data', '/data', { mountPropagation: 'Bidirectional' }),
      mount('conf', '/etc/app.conf', { subPath: 'app.conf' }),
    ],
  }
  const given = {
    metadata: { labels: { app: 'app', 'azure.workload.identity/use': 'true' }, annotations: { note: 'x' } },
    spec: {
      serviceAccountName: 'app',
      nodeName: 'n1',
      securityContext: { fsGroup: 2000 },
      volumes: [
        { name: 'token', projected: { sources: [] } },
        { name: 'kube-api-access-x', projected: { sources: [] } },
        { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
        { name: 'conf', configMap: { name: 'conf' } },
      ],
      containers: [container],
    },
  }
  const order = { name: 'wi', image: 'wi:1', args: ['exchange-test'] }

  test('has its variables, mounts and security context, and none of its ports or commands', () => {
    const { object, without } = ephemeralContainer(given, container, order)
    expect(object).toEqual({
      name: 'wi',
      image: 'wi:1',
      imagePullPolicy: 'IfNotPresent',
      args: ['exchange-test'],
      env: container.env,
      securityContext: container.securityContext,
      volumeMounts: [
        mount('token', '/var/run/secrets/token', { readOnly: true }),
        mount('kube-api-access-x', '/var/run/secrets/kubernetes.io/serviceaccount', { readOnly: true }),
        mount('data', '/data', { readOnly: true }),
      ],
    })
    expect(without.join('\n')).toContain('/etc/app.conf')
    expect(without.join('\n')).not.toContain('the user of its image')
  })
  test('as a Job has ServiceAccount, node and identity labels, and nothing by which a Service would find it', () => {
    const { object, without } = jobLike(given, container, { ...order, namespace: 'shop', seconds: 90 })
    const template = isObject(object.spec) ? object.spec.template : undefined
    expect(template).toMatchObject({
      metadata: { labels: { 'azure.workload.identity/use': 'true' }, annotations: {} },
      spec: { serviceAccountName: 'app', nodeName: 'n1', restartPolicy: 'Never', securityContext: { fsGroup: 2000 } },
    })
    expect(JSON.stringify(template)).not.toMatch(/"app":"app"|kube-api-access|persistentVolumeClaim/u)
    expect(object.spec).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 90, ttlSecondsAfterFinished: 90 })
    expect(without.join('\n')).toContain('/data')
  })
})

describe('what a container has written', () => {
  const report = {
    schema: 'kubectl-wi/exchange-test/v1',
    subject: 'this pod',
    proofs: [],
    lookedFor: [],
    verdict: 'proven',
  }
  test('is a report only where it is one', () => {
    expect(toldProof(`Warning: something\n${JSON.stringify(report, null, 2)}\n`)).toMatchObject({ verdict: 'proven' })
    expect(toldProof(JSON.stringify({ ...report, schema: 'other' }))).toBeUndefined()
    expect(toldProof(JSON.stringify({ ...report, verdict: 'fine' }))).toBeUndefined()
    expect(toldProof('exec format error')).toBeUndefined()
  })
  test('has no step of a status that there is not', () => {
    const step = { id: 'a', title: 'A', says: 'a', milliseconds: 1 }
    const proofs = [
      {
        cloud: 'aws',
        mechanism: 'x',
        steps: [
          { ...step, status: 'pass' },
          { ...step, status: 'great' },
        ],
      },
    ]
    expect(toldProof(JSON.stringify({ ...report, proofs }))?.proofs[0]?.steps.map(({ status }) => status)).toEqual([
      'pass',
    ])
  })
})
