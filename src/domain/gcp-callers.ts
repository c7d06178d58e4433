/** As whom a call was made, as the denial of Google Cloud says it. */

export type GoogleCaller = {
  readonly email: string
  /** The project that the service account belongs to; left out for those that Google makes. */
  readonly project?: string
  /** The default account of Compute Engine, which nodes run as where nobody chose another. */
  readonly ofNodes: boolean
}

const denial = /\b([a-z0-9-]{1,63})@([a-z0-9.-]{1,80})\.gserviceaccount\.com does not have [a-zA-Z.]{1,80} access/g

/** Every denial in a text that names its caller. */
export function googleCallersIn(text: string): readonly GoogleCaller[] {
  const plain = text.slice(0, 20_000).replace(/(?:\\[ntr]|\s)+/g, ' ')
  return [...plain.matchAll(denial)].map(([, name = '', domain = '']) => ({
    email: `${name}@${domain}.gserviceaccount.com`,
    ...(domain.endsWith('.iam') ? { project: domain.slice(0, -'.iam'.length) } : {}),
    ofNodes: domain === 'developer' && /^\d+-compute$/.test(name),
  }))
}

/** `name@project.iam.gserviceaccount.com` → project. */
export const projectOf = (email: string): string | undefined =>
  /@([a-z0-9.-]{1,80})\.iam\.gserviceaccount\.com$/.exec(email)?.[1]
