/** Words of a command line: a real shell has to read each as the value that was written. */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { advice } from '../src/domain/advice.ts'
import { sh, shellWord } from '../src/domain/shell-words.ts'

const readBack = (word: string): string =>
  execFileSync('/bin/sh', ['-c', `printf '%s' ${word}`], { encoding: 'utf8', env: { PATH: process.env.PATH ?? '' } })

const values = [
  'arn:aws:iam::111122223333:role/team/cart+a=b,c.d@e',
  'a b',
  "it's",
  '$(touch /tmp/never) `id` $HOME $(( 1+1 )) ; | & > < * ? ~ ! # " \\',
  '$HOME',
  '{name}',
  '~root',
  '*',
  'ünïcödé',
  'two\nlines; and a\ttab',
  'zero\u200bwidth \\ % %s \\n "$(id)" \'quoted\'',
  '\u202eright to left',
  '\u001b[31mred',
]

describe('shellWord', () => {
  it.each(values)('reads back as it was written: %j', (value) => {
    expect(readBack(shellWord(value))).toBe(value)
  })
  it('leaves alone what no shell reads anything into', () => {
    expect(shellWord('https://oidc.example/id_1%20,a=b@c+d')).toBe('https://oidc.example/id_1%20,a=b@c+d')
  })
  it('makes a word of the empty text', () => {
    expect(shellWord('')).toBe("''")
  })
  it.each(values)('stays on one line and shows what it holds: %j', (value) => {
    expect(shellWord(value)).toMatch(/^[^\p{Cc}\p{Cf}\u2028\u2029]+$/u)
  })
})

describe('sh', () => {
  it('quotes what is filled in and nothing else', () => {
    expect(sh`kubectl annotate serviceaccount/${'cart'} -n ${'shop'} key=${'a b'} > ${'file'}`).toBe(
      "kubectl annotate serviceaccount/cart -n shop key='a b' > file",
    )
  })
  it('keeps a value one word beside the text that it stands at', () => {
    expect(readBack(sh`--audience=${'x y; id'}`)).toBe('--audience=x y; id')
  })
})

describe('advice', () => {
  it('begins a line with no value', () => {
    expect(advice('Rename a\nrm -rf /\u2028b', sh`echo ${'a\nrm -rf /'}`).split('\n')).toEqual([
      'Rename a rm -rf / b',
      'echo "$(printf %b \'a\\0012rm -rf /\')"',
    ])
  })
})
