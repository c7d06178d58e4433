/** A text of which every sign is one byte in memory: V8 reads, hashes and compiles it in half the time. */

/** The same script or JSON document, with its other signs, all of them in texts and patterns, written as escapes. */
export const ascii = (text: string): string =>
  text.replace(/[^\0-\x7f]/gu, (sign) =>
    [...Array(sign.length).keys()].map((at) => `\\u${sign.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  )
