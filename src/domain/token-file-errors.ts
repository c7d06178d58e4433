/** What an error text says of a token file that could not be read: which file, and what was the matter. */

export type FileTrouble = { readonly path?: string; readonly what: 'missing' | 'denied' | 'unreadable' }

const missing =
  /no such file|does not exist, or it is not a file|ENOENT|NoSuchFile|Could not find (?:file|a part of the path)/i
const denied = /permission denied|EACCES|AccessDeniedException|Access to the path .{1,200} is denied/i
const file = /(?:\/[\w.@-]{1,120}){2,20}/g

/** Line ends and the escapes of JSON logs count as blanks; the file is the first path that speaks of secrets or tokens. */
export function fileTroubleIn(text: string): FileTrouble {
  const plain = text.slice(0, 20_000).replace(/(?:\\[ntr]|\s)+/g, ' ')
  const path = [...plain.matchAll(file)].map(([one]) => one).find((one) => /secret|token/i.test(one))
  const what = denied.test(plain) ? 'denied' : missing.test(plain) ? 'missing' : 'unreadable'
  return path === undefined ? { what } : { path, what }
}
