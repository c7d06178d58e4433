/** The words that somebody may have meant. */

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

const parts = (word: string): readonly string[] =>
  word
    .toLowerCase()
    .split(/[^a-z0-9]+/u)
    .filter((part) => part.length > 2)

/** At most three of `words`, nearest first: those that share a part with `word`, or are spelt almost like it. */
export function nearest(word: string, words: readonly string[]): readonly string[] {
  const typed = word.slice(0, 100).toLowerCase()
  const wanted = parts(typed)
  return words
    .map((candidate) => {
      const shared = parts(candidate).filter((part) => wanted.includes(part)).length
      return { candidate, shared, away: distance(typed, candidate.toLowerCase()) }
    })
    .filter(({ candidate, shared, away }) => shared > 0 || away <= Math.max(2, candidate.length / 3))
    .sort((a, b) => b.shared - a.shared || a.away - b.away || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, 3)
    .map(({ candidate }) => candidate)
}
