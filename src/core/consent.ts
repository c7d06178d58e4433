/** What a person can answer where a plan asks, and how a typed line is read. */

/** `all`: this one and the remaining ones. `stop`: end the run, as Ctrl-C does. */
export type Answer = 'yes' | 'no' | 'all' | 'stop'

/** What is to be typed in full before an action is done, and why a yes is not enough for it. */
export type Touch = { readonly name: string; readonly why: string }

/** What the line `typed` answers where the name in full is the only yes; undefined: neither that nor an answer. */
export function answerTyped(typed: string, name: string): Answer | undefined {
  const line = typed.trim()
  if (line === name) return 'yes'
  if (/^(no?)?$/i.test(line)) return 'no'
  return line === 'q' ? 'stop' : undefined
}
