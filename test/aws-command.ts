/** The part of the aws command line that plans are written in, made of the SDK: `aws SERVICE OPERATION --name value…`, for a shell of a test. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as eksSdk from '@aws-sdk/client-eks'
import * as iamSdk from '@aws-sdk/client-iam'
import type { Lab } from '../src/lab/lab.ts'
import { eks, iam } from './labs.ts'

const pascal = (text: string): string =>
  text
    .split('-')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('')
    .replace('OpenIdConnect', 'OpenIDConnect')
    .replace(/ClientId(?=List|To|From|$)/, 'ClientID')
const camel = (text: string): string => text.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())

const lists = new Set(['client-id-list', 'kubernetes-groups', 'thumbprint-list'])
/** Structures and maps, which the real one takes as JSON. */
const structures = new Set(['access-scope', 'tags'])

type Answer = { readonly [member: string]: unknown }
type Sender = { readonly send: (command: unknown) => Promise<Answer> }
type Sdk = { readonly [name: string]: unknown }
type Commands = new (input: object) => unknown

function asked(words: readonly string[], name: (text: string) => string) {
  const input: { [member: string]: unknown } = {}
  let query = ''
  for (let index = 0; index < words.length; ) {
    const key = words[index]?.replace(/^--/, '') ?? ''
    const values: string[] = []
    for (index += 1; index < words.length && words[index]?.startsWith('--') === false; index += 1)
      values.push(words[index] ?? '')
    const [first = ''] = values
    if (key === 'query') query = first
    else if (key !== 'output')
      input[name(key)] = lists.has(key) ? values : structures.has(key) ? JSON.parse(first) : first
  }
  return { input, query }
}

async function run(lab: Lab, [service, operation = '', ...words]: readonly string[]): Promise<string> {
  const [sdk, client, name] = (service === 'iam' ? [iamSdk, iam(lab), pascal] : [eksSdk, eks(lab), camel]) as readonly [
    Sdk,
    Sender,
    (text: string) => string,
  ]
  const Command = sdk[`${pascal(operation)}Command`] as Commands | undefined
  if (Command === undefined) throw new Error(`aws: there is no ${service} ${operation}`)
  const { input, query } = asked(words, name)
  const answer = await client.send(new Command(input))
  if (query === 'associations[0].associationId')
    return (answer as { associations: readonly { associationId: string }[] }).associations[0]?.associationId ?? 'None'
  if (query === 'Role.AssumeRolePolicyDocument') {
    const { Role } = answer as { Role: { AssumeRolePolicyDocument: string } }
    // The real one decodes policies, and indents what it prints.
    return JSON.stringify(JSON.parse(decodeURIComponent(Role.AssumeRolePolicyDocument)), null, 4)
  }
  return JSON.stringify(answer)
}

/** `PATH` has an `aws` that talks to this lab; the SDK stays loaded, so that a command costs no more than the start of a process. */
export async function awsCommand(lab: Lab): Promise<{ readonly folder: string; readonly close: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'aws-command-'))
  const [bin, socket] = [join(folder, 'bin'), join(folder, 'socket')]
  mkdirSync(bin)
  const server = createServer({ allowHalfOpen: true }, (connection) => {
    let words = ''
    connection.on('data', (part) => {
      words += part
    })
    connection.on('end', async () => {
      const said = await run(lab, JSON.parse(words)).then(
        (out) => ({ out, code: 0 }),
        (error: unknown) => ({ err: String(error), code: 254 }),
      )
      connection.end(JSON.stringify(said))
    })
  })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  writeFileSync(
    join(bin, 'aws.mjs'),
    `import { connect } from 'node:net'
let answer = ''
const connection = connect(${JSON.stringify(socket)})
connection.on('data', (part) => { answer += part })
connection.on('end', () => {
  const { out, err, code } = JSON.parse(answer)
  if (out !== undefined) console.log(out)
  if (err !== undefined) console.error(err)
  process.exitCode = code
})
connection.end(JSON.stringify(process.argv.slice(2)))
`,
  )
  writeFileSync(join(bin, 'aws'), `#!/bin/sh\nexec '${process.execPath}' '${join(bin, 'aws.mjs')}' "$@"\n`)
  chmodSync(join(bin, 'aws'), 0o755)
  return {
    folder: bin,
    close: () => {
      server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
