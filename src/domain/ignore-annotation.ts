/** The annotation by which people say that they live with a fault for a while: `aws/role-exists=reason until 2027-01-01`. */

export const ignoreAnnotation = 'kubectl-wi/ignore'

export type Ignored = { readonly check: string; readonly reason: string; readonly until: string }

/** What it says, and what of it is not understood, in words that follow on the name of the object. */
export type IgnoreRead = { readonly ignored: readonly Ignored[]; readonly problems: readonly string[] }

const mostEntries = 50

const isDay = (text: string): boolean => {
  const time = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

/** Several stand apart by `;` or on lines of their own. One without an end is none: nobody would ever look at it again. */
export function readIgnore(text: string): IgnoreRead {
  const ignored: Ignored[] = []
  const problems: string[] = []
  const entries = text
    .split(/[;\n]/u)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
  for (const entry of entries.slice(0, mostEntries)) {
    const cut = entry.indexOf('=')
    const check = (cut === -1 ? (entry.split(/\s/u)[0] ?? '') : entry.slice(0, cut)).trim()
    const rest = cut === -1 ? entry.slice(check.length) : entry.slice(cut + 1)
    const until = /(?:^|\s)until\s+(\d{4}-\d{2}-\d{2})$/u.exec(rest)?.[1]
    const reason = rest.replace(/\s*\buntil\s+\S+$/u, '').trim()
    if (until === undefined || !isDay(until))
      problems.push(`${check} has no end; write "${check}=REASON until YYYY-MM-DD"`)
    else if (reason === '') problems.push(`${check} has no reason; write "${check}=REASON until ${until}"`)
    else ignored.push({ check, reason, until })
  }
  if (entries.length > mostEntries) problems.push(`more than ${mostEntries} entries; the others are passed over`)
  return { ignored, problems }
}

/** The day named is the last one, wherever on earth it is read. */
export const isOver = (until: string, now: string): boolean => Date.parse(`${until}T23:59:59.999Z`) < Date.parse(now)
