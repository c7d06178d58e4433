/** Which checks a run judges: chosen by glob and by cloud, with all that must come before them. */
import type { Check, Cloud } from '../core/check.ts'
import { withBlockers } from '../core/order.ts'
import { nearest } from './near.ts'
import { usage } from './trouble.ts'

/** Whether a text fits a glob in which `*` stands for any run of characters; linear in the text for each `*`. */
export function fits(glob: string, text: string): boolean {
  const [head = '', ...rest] = glob.split('*')
  if (rest.length === 0) return text === glob
  const tail = rest.pop() ?? ''
  if (!text.startsWith(head) || !text.endsWith(tail) || text.length < head.length + tail.length) return false
  let from = head.length
  for (const middle of rest) {
    const found = text.indexOf(middle, from)
    if (found === -1) return false
    from = found + middle.length
  }
  return from <= text.length - tail.length
}

/** Throws a usage error that names the nearest ids where a glob fits no check. */
export function selectChecks(
  all: readonly Check[],
  { globs, cloud }: { readonly globs: readonly string[]; readonly cloud: Exclude<Cloud, 'any'> | undefined },
): readonly Check[] {
  const ids = all.map(({ meta }) => meta.id)
  for (const glob of globs) {
    const bare = glob.replace(/^!/u, '')
    if (ids.some((id) => fits(bare, id))) continue
    const near = nearest(bare, ids)
    const hint = near.length === 0 ? '`kubectl wi checks` lists them' : `did you mean ${near.join(' or ')}?`
    throw usage(`--check ${glob}: no check has this id; ${hint}`)
  }
  const wanted = globs.filter((glob) => !glob.startsWith('!'))
  const unwanted = globs.filter((glob) => glob.startsWith('!')).map((glob) => glob.slice(1))
  const ofCloud = all.filter(({ meta }) => cloud === undefined || meta.cloud === 'any' || meta.cloud === cloud)
  const chosen = ofCloud.filter(
    ({ meta }) =>
      (wanted.length === 0 || wanted.some((glob) => fits(glob, meta.id))) &&
      !unwanted.some((glob) => fits(glob, meta.id)),
  )
  if (chosen.length === 0) throw usage('no check is left to run: --check and --cloud exclude all of them')
  return withBlockers(chosen, ofCloud)
}
