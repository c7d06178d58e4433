/** Which words of a container's command a check may see: flags that tell how tokens are made, and where tokens are looked for. */
import { isList, isObject, type Json, type JsonObject } from '../core/json.ts'

type Draft = { [key: string]: Json }

const flags: ReadonlySet<string> = new Set([
  '--api-audiences',
  '--anonymous-auth',
  '--annotation-prefix',
  '--token-audience',
  '--token-mount-path',
  '--token-expiration',
  '--compose-role-arn',
  '--watch-config-map',
  '--sts-regional-endpoint',
  '--aws-default-region',
  '--aws-vpc-id',
  '--aws-vpc-tags',
  '--aws-region',
  '--feature-gates',
  '--cluster-name',
  '--cloud-provider',
  '--cloud-config',
  '--controllers',
  '--image-credential-provider-config',
  '--image-credential-provider-bin-dir',
])

/** argv[0] (of a command) and the flags that tell how tokens are made, in the form in which they were written. */
export function pickWords(words: readonly Json[], isCommand: boolean): readonly Json[] {
  const picked: Json[] = []
  const first = words[0]
  if (isCommand && typeof first === 'string' && first.length <= 256) picked.push(first)
  for (let index = isCommand ? 1 : 0; index < words.length; index += 1) {
    const word = words[index]
    if (typeof word !== 'string' || !word.startsWith('--')) continue
    const equals = word.indexOf('=')
    const name = equals < 0 ? word : word.slice(0, equals)
    if (!name.startsWith('--service-account-') && !flags.has(name)) continue
    picked.push(word)
    const next = words[index + 1]
    if (equals < 0 && typeof next === 'string' && !next.startsWith('-')) {
      picked.push(next)
      index += 1
    }
  }
  return picked
}

/** Where the Azure webhook mounts its token, before and since v1.6.0: https://github.com/Azure/AKS/issues/5541 */
const azureTokenPath = /\/var\/run\/secrets\/azure\/(?:tokens\/azure-identity-token|wi\/token\/azure-identity-token)/g
const asksMetadata = /\baz\s+login\s+(?:--identity|-i)\b|Connect-AzAccount\s+-Identity\b/i
const longestHint = 64 * 1024

const pathsIn = (text: Json | undefined): readonly string[] =>
  typeof text === 'string' && text.length <= longestHint && text.includes('/secrets/azure/')
    ? (text.match(azureTokenPath) ?? [])
    : []

/** Of words and values that are dropped, which token paths of Azure are written out in them, and whether they ask for the node's identity. */
export function pickAzureHints(from: JsonObject, draft: Draft): void {
  const { command, args, env, tokenPaths } = from
  // What was picked before has them already.
  if (from.asksMetadata === true) draft.asksMetadata = true
  let paths: string[] | undefined
  let logsIn = false
  for (const list of [command, args, tokenPaths]) {
    if (!isList(list)) continue
    for (const word of list) {
      for (const path of pathsIn(word)) {
        paths ??= []
        paths.push(path)
      }
      logsIn ||= typeof word === 'string' && /login|Connect-AzAccount/i.test(word)
    }
  }
  if (logsIn) {
    const words = [command, args]
      .flatMap((list) => (isList(list) ? list : []))
      .filter((word) => typeof word === 'string')
    const joined = words.join(' ')
    if (joined.length <= longestHint && asksMetadata.test(joined)) draft.asksMetadata = true
  }
  if (isList(env))
    for (const one of env)
      if (isObject(one) && one.name !== 'AZURE_FEDERATED_TOKEN_FILE')
        for (const path of pathsIn(one.value)) {
          paths ??= []
          paths.push(path)
        }
  if (paths !== undefined) draft.tokenPaths = [...new Set(paths)]
}
