/** How many single characters have to change to make one text of another. */

/** Levenshtein distance; `limit + 1` as soon as it is clear that it is more than `limit`. Bounded by the length of the shorter text. */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    let least = i
    for (let j = 1; j <= b.length; j += 1) {
      const cost = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
      )
      next.push(cost)
      least = Math.min(least, cost)
    }
    if (least > limit) return limit + 1
    row = next
  }
  return row[b.length] ?? limit + 1
}
