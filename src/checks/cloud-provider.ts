/** The checks of cloud-provider/: `export const check = defineCheck({…})` in the file that its id names, and a line here. */
import type { Check } from '../core/check.ts'
import { check as configHoldsNoPlainSecret } from './cloud-provider/config-holds-no-plain-secret.ts'
import { check as configIsUnderstood } from './cloud-provider/config-is-understood.ts'
import { check as controllerManagerRuns } from './cloud-provider/controller-manager-runs.ts'
import { check as ecrImagesCanBePulled } from './cloud-provider/ecr-images-can-be-pulled.ts'
import { check as flagsFitTheVersion } from './cloud-provider/flags-fit-the-version.ts'
import { check as nodeIsInitialized } from './cloud-provider/node-is-initialized.ts'
import { check as nodeRolesAreNarrow } from './cloud-provider/node-roles-are-narrow.ts'
import { check as nothingReliesOnInTreeCode } from './cloud-provider/nothing-relies-on-in-tree-code.ts'

export const cloudProvider: readonly Check[] = [
  configHoldsNoPlainSecret,
  configIsUnderstood,
  controllerManagerRuns,
  ecrImagesCanBePulled,
  flagsFitTheVersion,
  nodeIsInitialized,
  nodeRolesAreNarrow,
  nothingReliesOnInTreeCode,
]
