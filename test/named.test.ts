/** Whom a person has named and nobody has: said in a sentence, and never taken for somebody who is well. */
import { expect, it } from 'vitest'
import { demo, entry, run } from './running.ts'

const tried: readonly (readonly [words: string, says: string])[] = [
  ['doctor node/ip-10-0-9-9', 'node/ip-10-0-9-9 does not exist'],
  [
    'doctor sa/cart deployment/crt -n shop',
    'deployment/crt does not exist in namespace shop; did you mean deployment/cart?',
  ],
  ['doctor -n shpo', 'there is no namespace shpo: create it first, or name another with -n'],
  ['fix pod/nobody -n shop', 'pod/nobody does not exist in namespace shop'],
  ['bind sa cart -n shpo --aws-role cart', 'there is no namespace shpo: create it first, or name another with -n'],
  ['map -n shpo', 'there is no namespace shpo: create it first, or name another with -n'],
]

it('ends with a sentence where somebody who was named is not there', () => {
  const script = tried.map(([words]) => `"$0" "$1" ${words} 2>&1 >/dev/null; echo "exit code $?"`).join('\n')
  const { stdout } = run(['lab', demo('healthy'), '--', 'sh', '-c', script, process.execPath, entry])
  expect(stdout.split('\n')).toEqual([...tried.flatMap(([, says]) => [`error: ${says}`, 'exit code 2']), ''])
})
