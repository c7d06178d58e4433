/** Text of others in Markdown: as code, or as prose in which it means nothing but itself. */

export const code = (text: string): string => (text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``)

/** Backticks stay: whoever writes a sentence here means code by them. */
export const prose = (text: string): string =>
  text
    .split(/(`[^`]*`)/u)
    .map((part) => (part.startsWith('`') ? part : part.replaceAll(/[*<[\]|\\]/gu, String.raw`\$&`)))
    .join('')
    .replaceAll(/\s+/gu, ' ')
    .trim()
