/** Changes to files: the command that is shown for one does, in a real shell, what the plan says, and the way back undoes it. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Change } from '../src/core/plan.ts'
import { commandOf } from '../src/domain/change-commands.ts'
import { differences, editDocument, reworded } from '../src/domain/document-changes.ts'
import { withMember } from '../src/domain/interlink-edits.ts'

const folder = mkdtempSync(join(tmpdir(), 'file-commands-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = (change: Change | null): void => {
  const command = change === null ? undefined : commandOf(change)
  expect(command).toBeDefined()
  execFileSync('sh', ['-c', command ?? 'false'])
}

test('a key of an INI file, in its own section alone', () => {
  const file = join(folder, "cloud's.conf")
  const text =
    '; api-key = of nobody\n[Global]\nauth-url = https://keystone.example.com/v3\n  api-key = "s3cr|et&"\n\n[Other]\napi-key=kept\n'
  writeFileSync(file, text)
  const edit = { path: ['sections', 0, 'keys', 1, 'key'], before: 'api-key', after: 'password' }
  const words = [{ section: 'Global', from: 'api-key', to: 'password' }]
  const { change, undo } = editDocument({ kind: 'CloudConfig', name: 'cloud.conf', file }, [edit], words)
  run(change)
  expect(readFileSync(file, 'utf8')).toBe(text.replace('  api-key =', '  password ='))
  expect(readFileSync(`${file}.before`, 'utf8')).toBe(text)
  run(undo)
  expect(readFileSync(file, 'utf8')).toBe(text)
})

test('a text wherever it stands, to the letter', () => {
  const file = join(folder, 'bootstrap.yaml')
  const from = 'oidc.eks.eu-west-1.amazonaws.com/id/AAAA'
  const text = `# ${from.replace('.', 'x')} is another\nsub: ${from}:sub # twice: ${from}\n`
  writeFileSync(file, text)
  const edits = differences({ sub: `${from}:sub` }, reworded({ sub: `${from}:sub` }, from, 'oidc.example.com/b&c'), [
    'spec',
  ])
  expect(edits).toEqual([{ path: ['spec', 'sub'], before: `${from}:sub`, after: 'oidc.example.com/b&c:sub' }])
  const [edit] = edits
  if (edit === undefined) return
  const words = [{ from, to: 'oidc.example.com/b&c' }]
  run(editDocument({ kind: 'AWSIAMConfiguration', name: 'bootstrap', file }, [edit], words).change)
  expect(readFileSync(file, 'utf8')).toBe(text.replaceAll(from, () => 'oidc.example.com/b&c'))
})

const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
const block = 'KubernetesApiCaCrt: |\n  -----BEGIN CERTIFICATE-----\n  MIIB\n  -----END CERTIFICATE-----\n'
test.each([
  ['in the place of nothing', 'A: 1\nKubernetesApiCaCrt:\nB: 2 # kept\n', `A: 1\n${block}B: 2 # kept\n`],
  ['in the place of an empty text', 'A: 1\nKubernetesApiCaCrt: ""\nB: 2\n', `A: 1\n${block}B: 2\n`],
  ['in the place of another', `A: 1\n${block.replace('MIIB', 'MIIC')}B: 2\n`, `A: 1\n${block}B: 2\n`],
  ['at the end', `A: 1\n${block.replace('MIIB', 'MIIC')}`, `A: 1\n${block}`],
  ['where there was none', 'A: 1', `A: 1\n${block}`],
])('an authority in a configuration of interLink, %s', (_how, before, after) => {
  expect(withMember(before, 'KubernetesApiCaCrt', pem)).toBe(after)
})

test('what does not parse is left alone, and so is what means more than one place', () => {
  expect(withMember('A: [\n', 'DisableProjectedVolumes', false)).toBeUndefined()
  expect(withMember('- A\n', 'DisableProjectedVolumes', false)).toBeUndefined()
  expect(withMember('DisableProjectedVolumes: [true]\n', 'DisableProjectedVolumes', false)).toBeUndefined()
})
