/** An nginx server block, as far as it tells how bearer tokens travel through it. */
import type { JsonObject } from '../core/json.ts'

/** → `{listens: [{port, ssl}…], upstreams: [address…], verifies: boolean}`; undefined for what is no server block. */
export function readServerBlock(text: string): JsonObject | undefined {
  if (!/\bserver\s{0,9}\{/.test(text)) return undefined
  const plain = text
    .split(/\r?\n/)
    .slice(0, 5000)
    .map((line) => line.replace(/(^|\s)#.*$/, ''))
    .join('\n')
  const listens = [...plain.matchAll(/(?:^|[\s;{])listen\s{1,9}([^;\n]{1,200});/g)].map(([, words = '']) => {
    const [address = '', ...rest] = words.trim().split(/\s+/)
    const port = Number(/(?:^|:)(\d{1,5})$/.exec(address)?.[1] ?? 80)
    return { port, ssl: rest.includes('ssl') }
  })
  const variables = new Map(
    [...plain.matchAll(/(?:^|[\s;{])set\s{1,9}\$(\w{1,60})\s{1,9}([^;\n]{1,300});/g)].map(
      ([, name = '', value = '']) => [name, value.trim().replace(/^["']|["']$/g, '')] as const,
    ),
  )
  const upstreams = [...plain.matchAll(/(?:^|[\s;{])proxy_pass\s{1,9}([^;\n]{1,300});/g)].map(([, word = '']) =>
    word.trim().replace(/\$\{?(\w{1,60})\}?/g, (whole, name: string) => variables.get(name) ?? whole),
  )
  return { listens, upstreams, verifies: /(?:^|[\s;{])proxy_ssl_verify\s{1,9}on\s{0,9};/.test(plain) }
}
