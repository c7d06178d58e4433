/** All checks, by id, folder by folder. */
import type { Check } from '../core/check.ts'
import { aws } from './aws.ts'
import { azure } from './azure.ts'
import { capa } from './capa.ts'
import { cloudProvider } from './cloud-provider.ts'
import { cloudtik } from './cloudtik.ts'
import { cluster } from './cluster.ts'
import { eks } from './eks.ts'
import { gcp } from './gcp.ts'
import { interlink } from './interlink.ts'
import { storage } from './storage.ts'
import { workload } from './workload.ts'

export const checks: readonly Check[] = [
  ...aws,
  ...azure,
  ...capa,
  ...cloudProvider,
  ...cloudtik,
  ...cluster,
  ...eks,
  ...gcp,
  ...interlink,
  ...storage,
  ...workload,
]
