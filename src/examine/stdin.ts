/** Reads what was piped in, no more than is of use. */
import { usage } from './trouble.ts'

/** At most `most` bytes of stdin as text. Throws a usage error where nothing is piped in. */
export async function readStdin(most: number): Promise<string> {
  if (process.stdin.isTTY) throw usage('- reads from a pipe, and nothing is piped in')
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk)
    chunks.push(bytes)
    length += bytes.length
    if (length >= most) break
  }
  return Buffer.concat(chunks).subarray(0, most).toString('utf8')
}
