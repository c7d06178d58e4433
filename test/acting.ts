/** What tests of fix and undo share: the demo's documents with changes, what the lab holds, and runs of the built program against it. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetOpenIDConnectProviderCommand, GetRoleCommand } from '@aws-sdk/client-iam'
import { isObject, type Json, type JsonObject } from '../src/core/json.ts'
import type { Action, PlannedAction } from '../src/core/plan.ts'
import type { Lab } from '../src/lab/lab.ts'
import { api, demo, iam } from './labs.ts'
import { entry } from './running.ts'

export const account = '111122223333'
export const provider = `arn:aws:iam::${account}:oidc-provider/oidc.eks.us-west-2.amazonaws.com/id/5D2A9C41E7B84F6AB2F0C1D3E4F50617`

/** The demo's documents by file, without its expectation. */
export function documents(name: string, changes: readonly (readonly [from: string, to: string])[] = []) {
  const folder = demo(name)
  const files = readdirSync(folder).filter((file) => file !== 'expect.yaml')
  return Object.fromEntries(
    files.map((file) => [
      file,
      changes.reduce((text, [from, to]) => text.replaceAll(from, to), readFileSync(join(folder, file), 'utf8')),
    ]),
  )
}

const folders: string[] = []
export const stateFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'kubectl-wi-state-'))
  folders.push(folder)
  return folder
}
export const forgetStates = (): void => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

export type Ran = { readonly status: number | null; readonly out: string; readonly err: string }

/** The built program, in the lab's world, with a journal of its own. */
export const wi = (lab: Lab, state: string, args: readonly string[], file = entry): Promise<Ran> =>
  new Promise((resolve) => {
    const env = { ...lab.env, XDG_STATE_HOME: state, COLUMNS: '120', NO_COLOR: '1' }
    const child = spawn(process.execPath, [file, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, err] = ['', '']
    child.stdout.on('data', (part) => {
      out += part
    })
    child.stderr.on('data', (part) => {
      err += part
    })
    child.on('close', (status) => resolve({ status, out, err }))
  })

/** What the terminal shows, and what is typed as soon as it does. */
type Typed = readonly [shown: string, typed: string]

/** The same with a terminal of its own of this kind, on which each is typed in turn; everything that the terminal shows. */
export const onTerminal = (
  lab: Lab,
  state: string,
  args: readonly string[],
  { kind = 'dumb', typed }: { readonly kind?: string; readonly typed: readonly Typed[] },
): Promise<string> =>
  new Promise((resolve) => {
    const env = { ...lab.env, XDG_STATE_HOME: state, NO_COLOR: '1', TERM: kind, CI: '' }
    const line = [process.execPath, entry, ...args].map((word) => `'${word}'`).join(' ')
    const command = ['-qec', `stty cols 120 rows 40; exec ${line}`, '/dev/null']
    const child = spawn('script', command, { env, stdio: ['pipe', 'pipe', 'inherit'] })
    let [shown, seen] = ['', 0]
    const left = [...typed]
    child.stdout.on('data', (part) => {
      shown += part
      const [next] = left
      const place = next === undefined ? -1 : shown.indexOf(next[0], seen)
      if (next === undefined || place < 0) return
      seen = shown.length
      left.shift()
      child.stdin.write(next[1])
    })
    child.on('close', (status) => resolve(`${shown}\nexit ${status}`))
  })

/** What a server sets anew with each write is no part of what a person has written. */
function own(object: Json): Json {
  if (!isObject(object)) return object
  const metadata: JsonObject = isObject(object.metadata) ? object.metadata : {}
  const { resourceVersion: _, managedFields: __, generation: ___, ...kept } = metadata
  return { ...object, metadata: kept }
}

/** The objects that the tests' plans may touch, as they stand now, to the byte. */
export async function holdings(lab: Lab): Promise<string> {
  const places = [
    '/api/v1/namespaces/shop/serviceaccounts/cart',
    '/apis/apps/v1/namespaces/shop/deployments/cart',
    '/api/v1/namespaces/shop/configmaps/made',
  ]
  const objects = await Promise.all(places.map((place) => api(lab, 'GET', place)))
  const { Role } = await iam(lab).send(new GetRoleCommand({ RoleName: 'cart' }))
  const ClientIDList = await iam(lab)
    .send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: provider }))
    .then(
      (answer) => answer.ClientIDList ?? [],
      () => 'no provider',
    )
  return JSON.stringify(
    [
      ...objects.map(({ status, body }) => (status === 200 ? own(body) : status)),
      Role?.AssumeRolePolicyDocument,
      ClientIDList,
    ],
    null,
    1,
  )
}

export const planned = (action: Action, round = 1): PlannedAction => ({ ...action, for: [], round, document: {} })
