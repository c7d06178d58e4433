/** Checks whose findings could be put right by a fixer that is not written yet; this list only shrinks. */
export const withoutFixer: readonly string[] = []
