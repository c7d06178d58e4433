/** Versions of tools, compared number by number, and the ranges that a table of them names. */

export type Version = readonly number[]

/** `v1.9.0-eksbuild.1` → 1.9.0 (a build is no other version); `1.34.1-gke.3899001` → 1.34.1.3899001, as GKE counts; undefined for `latest`. */
export function readVersion(text: string): Version | undefined {
  const [, plain, gke] = /^[vV]?(\d{1,9}(?:\.\d{1,9}){0,3})(?:-gke\.(\d{1,12}))?(?![\d.])/.exec(text.trim()) ?? []
  if (plain === undefined) return undefined
  const numbers = plain.split('.').map(Number)
  if (gke === undefined) return numbers
  while (numbers.length < 3) numbers.push(0)
  return [...numbers, Number(gke)]
}

/** Below 0 where the first is older; a part that is not written is 0. */
export function compareVersions(a: Version, b: Version): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

const holds: { readonly [sign: string]: (difference: number) => boolean } = {
  '<': (difference) => difference < 0,
  '<=': (difference) => difference <= 0,
  '>': (difference) => difference > 0,
  '>=': (difference) => difference >= 0,
  '': (difference) => difference === 0,
}

/** Whether a version is in a range: `*`, `1.26.1`, `>=1.9.0 <2.0.0`. */
export const inRange = (version: Version, range: string): boolean =>
  range === '*' ||
  range
    .split(' ')
    .filter((word) => word !== '')
    .every((word) => {
      const [, sign = '', bound = ''] = /^(<=?|>=?|)(.*)$/.exec(word) ?? []
      const read = readVersion(bound)
      return read !== undefined && holds[sign]?.(compareVersions(version, read)) === true
    })

/** The version that an image's tag names: `efrecon/s3fs:1.94` → 1.94; undefined for a digest, `latest`, or no tag. */
export const tagOf = (image: string): string | undefined => {
  const [named = ''] = image.split('@')
  const tag = /:([\w][\w.-]{0,127})$/.exec(named)?.[1]
  return tag !== undefined && readVersion(tag) !== undefined ? tag.replace(/^v(?=\d)/, '') : undefined
}
