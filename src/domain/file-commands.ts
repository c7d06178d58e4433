/** A change to a file as the command that makes it: sed, which is everywhere, and which leaves comments and order alone. */
import { type JsonObject, listAt, textAt } from '../core/json.ts'
import { sh } from './shell-words.ts'

/** A text as a basic regular expression, with `|` around it. */
const literal = (text: string): string => text.replace(/[\\.*[\]^$|]/g, '\\$&')
const replacement = (text: string): string => text.replace(/[\\&|]/g, '\\$&')

/** The file as it was stays beside it, as FILE.before; undefined where the words of the file are not known. */
export function fileCommand(input: JsonObject): string | undefined {
  const file = textAt(input, 'file')
  const words = listAt(input, 'words')
  if (file === undefined || words.length === 0) return undefined
  const scripts = words.map((one) => {
    const [from, to, section] = [textAt(one, 'from') ?? '', textAt(one, 'to') ?? '', textAt(one, 'section')]
    if (section === undefined) return sh` -e ${`s|${literal(from)}|${replacement(to)}|g`}`
    // A key of one section of an INI file; its value is never looked at.
    const inside = `/^[[:space:]]*\\[${literal(section)}\\]/,/^[[:space:]]*\\[/`
    return sh` -e ${`${inside}s|^\\([[:space:]]*\\)${literal(from)}\\([[:space:]]*=\\)|\\1${replacement(to)}\\2|`}`
  })
  return `sed -i.before${scripts.join('')} ${sh`${file}`}`
}
