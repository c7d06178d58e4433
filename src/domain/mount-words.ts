/** The code of the system behind the words in which a program tells that a mount does not answer. */

const texts: readonly (readonly [fragment: string, code: string])[] = [
  ['Transport endpoint is not connected', 'ENOTCONN'],
  // Of musl.
  ['Socket not connected', 'ENOTCONN'],
  ['ermission denied', 'EACCES'],
  ['tale file handle', 'ESTALE'],
  ['tale NFS file handle', 'ESTALE'],
  ['nput/output error', 'EIO'],
  ['I/O error', 'EIO'],
]

/** What `ls` has said in the C locale, or the code itself. */
export const codeOfWords = (words: string): string =>
  texts.find(([fragment]) => words.includes(fragment))?.[1] ?? /\b(E[A-Z]{2,12})\b/.exec(words)?.[1] ?? 'an error'
