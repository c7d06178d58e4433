/** IP addresses and blocks of them (CIDR), IPv4 and IPv6, as bits. */

function bits4(text: string): string | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || parts.some((part) => !/^\d{1,3}$/.test(part) || Number(part) > 255)) return undefined
  return parts.map((part) => Number(part).toString(2).padStart(8, '0')).join('')
}

function bits6(text: string): string | undefined {
  if (!/^[\da-fA-F:]{2,39}$/.test(text)) return undefined
  const [head = '', tail, ...more] = text.split('::')
  const groups = (part: string): readonly string[] => (part === '' ? [] : part.split(':'))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const gap = 8 - before.length - after.length
  if (more.length > 0 || gap < 0 || (tail === undefined && gap !== 0)) return undefined
  const all = [...before, ...Array.from({ length: gap }, () => '0'), ...after]
  return all.some((group) => !/^[\da-fA-F]{1,4}$/.test(group))
    ? undefined
    : all.map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0')).join('')
}

/** 32 or 128 bits; undefined for what is no address. */
const bitsOf = (text: string): string | undefined => (text.includes(':') ? bits6(text) : bits4(text))

/** The first bits of a block: `10.0.0.0/8` → eight of them; an address alone is a block of one. */
function blockBits(block: string): { readonly start: string; readonly wide: number } | undefined {
  const [address = '', length, ...more] = block.trim().split('/')
  const bits = bitsOf(address)
  if (bits === undefined || more.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length))) return undefined
  const size = length === undefined ? bits.length : Number(length)
  return size > bits.length ? undefined : { start: bits.slice(0, size), wide: bits.length }
}

/** Whether a block holds an address, or the whole of another block; undefined where one of them is neither. */
export function holds(block: string, other: string): boolean | undefined {
  const [outer, inner] = [blockBits(block), blockBits(other)]
  if (outer === undefined || inner === undefined) return undefined
  return outer.wide === inner.wide && inner.start.startsWith(outer.start)
}
