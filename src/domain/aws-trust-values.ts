/** Values that condition operators compare: exact decimals, instants, address ranges, base64. */

export type Decimal = { readonly negative: boolean; readonly whole: string; readonly fraction: string }

/** An exact decimal number, so that "1.0" equals "1" and no digit is lost; undefined if the text is none. */
export function decimal(text: string): Decimal | undefined {
  const parts = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text)
  if (parts === null) return undefined
  const [, sign, digits = '', decimals = '', exponent = '0'] = parts
  if (digits === '' && decimals === '') return undefined
  const shift = Number(exponent)
  let all = digits + decimals
  let point = digits.length + shift
  if (point < 0) {
    all = '0'.repeat(-point) + all
    point = 0
  }
  const whole = all.slice(0, point).padEnd(point, '0').replace(/^0+/, '')
  const fraction = withoutTrailingZeros(all.slice(point))
  return { negative: sign === '-' && whole + fraction !== '', whole, fraction }
}

/** Below zero, zero or above zero, as a sorting function has it. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.negative !== b.negative) return a.negative ? -1 : 1
  const magnitude = a.whole.length - b.whole.length || order(a.whole, b.whole) || order(a.fraction, b.fraction)
  return a.negative ? -magnitude : magnitude
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

// A loop, for /0+$/ takes quadratic time on long runs of zeros.
function withoutTrailingZeros(digits: string): string {
  let end = digits.length
  while (end > 0 && digits[end - 1] === '0') end--
  return digits.slice(0, end)
}

const DATE =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,18}))?)?(?:Z|([+-])(\d\d):?(\d\d))?)?)?)?$/i
const SECONDS_OF_400_YEARS = 146097 * 86400

/**
 * Nanoseconds since 1970 of an ISO 8601 date (W3C profile) or of epoch seconds; undefined if the text is neither. Four
 * digits are a year. Without an offset the time is UTC.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date
 */
export function instant(text: string): bigint | undefined {
  const date = DATE.exec(text)
  if (date === null) return epoch(text)
  const [
    ,
    year,
    month = '1',
    day = '1',
    hour = '0',
    minute = '0',
    second = '0',
    decimals = '',
    sign,
    hours = '0',
    minutes = '0',
  ] = date
  // 400 years later the calendar is the same; Date.UTC reads the years 0 to 99 as 1900 to 1999.
  const midnight = new Date(Date.UTC(Number(year) + 400, Number(month) - 1, Number(day)))
  if (midnight.getUTCMonth() !== Number(month) - 1 || midnight.getUTCDate() !== Number(day)) return undefined
  if (Number(hour) > 24 || Number(minute) > 59 || Number(second) > 60 || Number(minutes) > 59) return undefined
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60 : 60)
  const ofDay = Number(hour) * 3600 + Number(minute) * 60 + Number(second) - offset
  return nanoseconds(midnight.getTime() / 1000 - SECONDS_OF_400_YEARS + ofDay, decimals)
}

function epoch(text: string): bigint | undefined {
  const parts = /^([+-]?)(\d{1,15})(?:\.(\d{1,18}))?$/.exec(text)
  if (parts === null) return undefined
  const size = nanoseconds(Number(parts[2]), parts[3] ?? '')
  return parts[1] === '-' ? -size : size
}

function nanoseconds(seconds: number, decimals: string): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(decimals.slice(0, 9).padEnd(9, '0'))
}

/** The bytes of an IPv4 or IPv6 address. */
export function address(text: string): readonly number[] | undefined {
  return text.includes(':') ? version6(text) : version4(text)
}

/** Whether an address lies in a CIDR range; a bare address is a range of one. False if either is none. */
export function inRange(text: string, range: string): boolean {
  const [start, length, ...more] = range.split('/')
  const given = address(text)
  const first = address(start ?? '')
  if (given === undefined || first === undefined || given.length !== first.length || more.length > 0) return false
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return false
  const bits = length === undefined ? first.length * 8 : Number(length)
  if (bits > first.length * 8) return false
  return first.every((byte, index) => {
    const shared = Math.min(8, Math.max(0, bits - index * 8))
    return byte >> (8 - shared) === (given[index] ?? -1) >> (8 - shared)
  })
}

function version4(text: string): readonly number[] | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  const bytes = parts?.slice(1).map(Number)
  return bytes?.every((byte) => byte < 256) ? bytes : undefined
}

function version6(text: string): readonly number[] | undefined {
  if (text.length > 45) return undefined
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map((half, index) => groups(half, index === halves.length - 1))
  if (head === undefined) return undefined
  if (halves.length === 1) return head.length === 16 ? head : undefined
  if (tail === undefined || head.length + tail.length > 14) return undefined
  return [...head, ...Array.from({ length: 16 - head.length - tail.length }, () => 0), ...tail]
}

function groups(text: string, last: boolean): readonly number[] | undefined {
  if (text === '') return []
  const bytes: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    const embedded = last && index === parts.length - 1 ? version4(part) : undefined
    if (embedded !== undefined) bytes.push(...embedded)
    else if (/^[0-9a-f]{1,4}$/i.test(part)) bytes.push(Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 255)
    else return undefined
  }
  return bytes
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Whether two texts are base64 of the same bytes; false if either is no base64. */
export function sameBytes(a: string, b: string): boolean {
  const left = bytesOf(a)
  const right = bytesOf(b)
  return left !== undefined && left.length === right?.length && left.every((byte, index) => byte === right[index])
}

function bytesOf(text: string): readonly number[] | undefined {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const length = text.length - padding
  if (length % 4 === 1 || (padding > 0 && text.length % 4 !== 0)) return undefined
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (let index = 0; index < length; index++) {
    const value = BASE64.indexOf(text[index] ?? '')
    if (value < 0) return undefined
    bits = ((bits << 6) | value) & 0xffff
    held += 6
    if (held >= 8) {
      held -= 8
      bytes.push((bits >> held) & 255)
    }
  }
  return bytes
}
