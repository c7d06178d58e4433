/** Checks whose findings could be put right by a fixer that is not written yet; this list only shrinks. */
export const withoutFixer: readonly string[] = [
  'azure/secrets-store-names-identity',
  'azure/webhook-serving',
  'eks/access-entries-are-valid',
]
