/** When tokens end and when the kubelet renews them, and what error texts say of it. All times in seconds since 1970. */

export type Expiry = {
  /** Left out where the text does not tell. */
  readonly ended?: number
  readonly sent?: number
}

const moment = (text: string | undefined): number | undefined => {
  const plain = text?.replace(/[.,]+$/, '') ?? ''
  if (/^\d{9,11}$/.test(plain)) return Number(plain)
  const time = Date.parse(plain)
  return Number.isNaN(time) ? undefined : Math.floor(time / 1000)
}

const aws = /current date\/time\s?([\dTZ:.+-]{8,40})\s?must be before the expiration date\/time\s?([\dTZ:.+-]{8,40})/
const entra = /Current time: ([\dTZ:.+-]{8,40}),? .{0,120}?expiry time of assertion ([\dTZ:.+-]{8,40})/

/** What a text says of the end of the token that was sent; undefined where the text says that it had not ended. */
export function expiryIn(text: string): Expiry | undefined {
  const plain = text.slice(0, 20_000).replace(/(?:\\[ntr]|\s)+/g, ' ')
  const [, now, end] = aws.exec(plain) ?? entra.exec(plain) ?? []
  const sent = moment(now)
  const ended = moment(end)
  // A token whose time has not come yet is a matter of clocks.
  if (sent !== undefined && ended !== undefined && ended > sent) return undefined
  return { ...(ended === undefined ? {} : { ended }), ...(sent === undefined ? {} : { sent }) }
}

const day = 86_400
/** The kubelet's own jitter, and some time to write the file. */
const grace = 130

/** The age at which the kubelet has surely replaced a token: https://github.com/kubernetes/kubernetes/blob/v1.36.2/pkg/kubelet/token/token_manager.go */
export const renewedAfter = (lifetime: number): number => Math.floor(Math.min(lifetime * 0.8, day)) + grace

export const inWords = (time: number): string => new Date(time * 1000).toISOString().replace('.000Z', 'Z')

const start = /Current time: ([\dTZ:.+-]{8,40}),? .{0,40}?valid from ([\dTZ:.+-]{8,40})/

/** What Entra says of a token whose time had not come when it was shown; undefined where the text says nothing like it. */
export function startIn(text: string): { readonly current: number; readonly validFrom: number } | undefined {
  const plain = text.slice(0, 20_000).replace(/(?:\\[ntr]|\s)+/g, ' ')
  const [, now, from] = start.exec(plain) ?? []
  const current = moment(now)
  const validFrom = moment(from)
  return current !== undefined && validFrom !== undefined && validFrom > current ? { current, validFrom } : undefined
}
