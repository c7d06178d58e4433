/** Where a token comes from, and who can say whether its signature holds: a file against the published keys, or the cluster. */
import { readFile } from 'node:fs/promises'
import type { Fact, Source } from '../core/fact.ts'
import { isObject, type Json, textAt } from '../core/json.ts'
import { kubernetes, oidc, type TokenName } from '../domain/questions.ts'
import type { KubeconfigValues } from '../flags/kubeconfig.ts'
import { readStdin } from './stdin.ts'
import { brokenPage, readToken, type SignatureVerdict, type TokenPage, tokenPage } from './token.ts'
import { usage } from './trouble.ts'
import type { Page } from './words.ts'

const mostBytes = 256 * 1024
const seconds = (): number => Date.now() / 1000

async function textOf(path: string): Promise<string> {
  if (path === '-') return readStdin(mostBytes)
  if (/^eyJ/u.test(path) || path.length > 4096)
    throw usage(
      "a token on the command line ends up in the shell's history: pipe it in, or name the file that holds it",
    )
  try {
    return (await readFile(path, 'utf8')).slice(0, mostBytes)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const why =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : `it cannot be read (${code})`
    throw usage(`${path}: ${why}; name a file with a token, - for stdin, or sa/NAME`)
  }
}

const open = (reason: string): SignatureVerdict => ({ state: 'open', reason })
const unseen = (fact: Fact<Json>): SignatureVerdict =>
  open(fact.state === 'unknown' ? fact.detail : 'the issuer does not publish it')

/** Asks the issuer for its keys and these for the signature. */
async function verdictOf(source: Source, token: TokenName, issuer: string | undefined): Promise<SignatureVerdict> {
  if (issuer === undefined) return open('the token names no issuer')
  const discovery = await source.ask(oidc.discovery(issuer))
  if (discovery.state !== 'known') return unseen(discovery)
  const failure = isObject(discovery.value) ? textAt(discovery.value.failure, 'detail') : undefined
  if (failure !== undefined) return open(`the issuer does not publish its keys: ${failure}`)
  const uri = isObject(discovery.value) ? textAt(discovery.value.document, 'jwks_uri') : undefined
  if (uri === undefined) return open(`${issuer} answers with no discovery document`)
  const signature = await source.ask(oidc.signature(uri, token))
  if (signature.state !== 'known') return unseen(signature)
  if (isObject(signature.value) && signature.value.verified === true) return { state: 'verified' }
  return { state: 'refuted', reason: textAt(signature.value, 'reason') ?? 'no published key verifies it' }
}

/** Reads a token from a file or stdin. `verify` asks its issuer for the keys, over the network. */
export async function examineToken(path: string, verify: boolean, page: Page): Promise<TokenPage> {
  const raw = (await textOf(path)).trim()
  if (raw === '') throw usage(`${path === '-' ? 'stdin' : path} is empty; a token was expected`)
  const reading = readToken(raw)
  if (reading.state === 'broken') return brokenPage(reading, page)
  if (!verify || reading.unsigned)
    return tokenPage(reading, open('--verify asks the issuer for its keys'), seconds(), page)
  const { oidcSource } = await import('../sources/live/oidc.ts')
  const { tokenVault } = await import('../sources/live/token-vault.ts')
  const name: TokenName = { namespace: '', name: 'given', audience: '' }
  const vault = tokenVault()
  vault.keep(name, raw)
  const source = oidcSource({ vault, mint: async () => ({ state: 'known', value: {}, from: kubernetes.token(name) }) })
  try {
    return tokenPage(reading, await verdictOf(source, name, textAt(reading.claims, 'iss')), seconds(), page)
  } finally {
    vault.empty()
    source.close()
  }
}

/** Has the cluster mint a token for a ServiceAccount, as the kubelet would, and examines that. */
export async function examineMinted(
  name: string,
  audience: string,
  flags: KubeconfigValues,
  version: string,
  page: Page,
): Promise<TokenPage> {
  const { openLive } = await import('./world.ts')
  const live = await openLive(flags, { version })
  try {
    const token: TokenName = { namespace: live.namespace ?? 'default', name, audience }
    const minted = await live.source.ask(kubernetes.token(token))
    if (minted.state === 'absent') throw usage(`ServiceAccount ${token.namespace}/${name} does not exist`)
    if (minted.state === 'unknown')
      throw usage(
        `no token was minted: ${minted.detail}${minted.lift === undefined ? '' : `; to get one: ${minted.lift}`}`,
      )
    const header = isObject(minted.value) && isObject(minted.value.header) ? minted.value.header : {}
    const claims = isObject(minted.value) && isObject(minted.value.claims) ? minted.value.claims : {}
    const verdict = await verdictOf(live.source, token, textAt(claims, 'iss'))
    return tokenPage({ header, claims, unsigned: textAt(header, 'alg') === 'none' }, verdict, seconds(), page)
  } finally {
    live.close()
  }
}
