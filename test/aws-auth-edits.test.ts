/** One entry of aws-auth is edited, and every other byte stays: comments, quotes, blank lines, the last line without an end. */
import { describe, expect, test } from 'vitest'
import { withEntry, withGroups, withoutEntry, withValue } from '../src/domain/aws-auth-edits.ts'

const role = (name: string): string => `arn:aws:iam::111122223333:role/${name}`
const text = `# nodes first
- rolearn: ${role('team/node')}   # with its path
  username: system:node:{{EC2PrivateDNSName}}
  groups:
  - system:bootstrappers

-   RoleArn: "${role('ci')}"
    username: 'ci'
    groups: [deployers]
# the last one
- groups: [people]
  rolearn: ${role('dev')}
  username: dev`

describe('one value', () => {
  test.each([
    [0, role('team/node'), role('node')],
    [1, role('ci'), role('build')],
    [2, role('dev'), role('people')],
  ] as const)('of entry %i', (index, before, after) => {
    expect(withValue(text, index, 'rolearn', before, after)).toBe(text.replace(before, after))
  })
  test('that is not what was seen, or is not there, is left', () => {
    expect(withValue(text, 0, 'rolearn', role('node'), role('other'))).toBeUndefined()
    expect(withValue(text, 3, 'rolearn', role('dev'), role('other'))).toBeUndefined()
    expect(withValue(text, 0, 'userarn', role('team/node'), role('other'))).toBeUndefined()
  })
  test('that something else refers to is left', () => {
    const shared = `- rolearn: &one ${role('a/b')}\n  username: x\n- rolearn: *one\n  username: y\n`
    expect(withValue(shared, 0, 'rolearn', role('a/b'), role('b'))).toBeUndefined()
  })
})

describe('one entry goes', () => {
  test('with its lines, and nothing beside it', () => {
    expect(withoutEntry(text, 0)).toBe(text.replace(/- rolearn[\s\S]*?bootstrappers\n/, ''))
    expect(withoutEntry(text, 1)).toBe(text.replace(/- {3}RoleArn[\s\S]*?deployers\]\n/, ''))
    expect(withoutEntry(text, 2)).toBe(text.slice(0, text.indexOf('- groups: [people]')))
  })
  test('of a list in one line none does', () => {
    expect(withoutEntry(`[{rolearn: ${role('a')}}, {rolearn: ${role('b')}}]`, 0)).toBeUndefined()
  })
})

describe('one entry comes', () => {
  const entry = { rolearn: role('gpu'), username: 'system:node:{{EC2PrivateDNSName}}', groups: ['system:nodes'] }
  const lines = (margin: string): string =>
    [`- rolearn: ${entry.rolearn}`, `  username: '${entry.username}'`, '  groups:', '    - system:nodes', '']
      .map((line) => (line === '' ? '' : `${margin}${line}`))
      .join('\n')
  test('at the end, in the margin of the others', () => {
    expect(withEntry(text, entry)).toBe(`${text}\n${lines('')}`)
    expect(withEntry(`  - rolearn: ${role('a')}\n    username: a\n`, entry)).toBe(
      `  - rolearn: ${role('a')}\n    username: a\n${lines('  ')}`,
    )
    expect(withEntry('', entry)).toBe(lines(''))
    expect(withEntry('[]', entry)).toBe(lines(''))
  })
  test('not into a text that is no list, or one line', () => {
    expect(withEntry('rolearn: x', entry)).toBeUndefined()
    expect(withEntry(`[{rolearn: ${role('a')}}]`, entry)).toBeUndefined()
    expect(withEntry('- rolearn: [', entry)).toBeUndefined()
  })
})

describe('groups come', () => {
  test('below those of the entry', () => {
    expect(withGroups(text, 0, ['system:nodes'])).toBe(
      text.replace('  - system:bootstrappers\n', '  - system:bootstrappers\n  - system:nodes\n'),
    )
  })
  test('not into a list in one line', () => {
    expect(withGroups(text, 1, ['system:nodes'])).toBeUndefined()
  })
})
