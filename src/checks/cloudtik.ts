/** The checks of cloudtik/: `export const check = defineCheck({…})` in the file that its id names, and a line here. */
import type { Check } from '../core/check.ts'
import { check as grantsAreNarrow } from './cloudtik/grants-are-narrow.ts'
import { check as mountsCanAuthenticate } from './cloudtik/mounts-can-authenticate.ts'
import { check as workspaceCanBeCreated } from './cloudtik/workspace-can-be-created.ts'
import { check as workspaceIsInPlace } from './cloudtik/workspace-is-in-place.ts'

export const cloudtik: readonly Check[] = [
  grantsAreNarrow,
  mountsCanAuthenticate,
  workspaceCanBeCreated,
  workspaceIsInPlace,
]
