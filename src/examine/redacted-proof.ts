/** The last guard of a proof: nothing that looks like a secret leaves in it, whoever wrote it into a name or an answer. */
import type { Json } from '../core/json.ts'
import type { ProofReport } from '../core/proof.ts'
import { withoutSecrets } from '../sources/secrets.ts'

/** The same report, each of its texts without what looks like a secret. */
export function redactedProof(report: ProofReport): ProofReport {
  // Texts alone are looked at: no member of a report is made to hold a secret.
  return JSON.parse(JSON.stringify(report), (_name, value: Json) =>
    typeof value === 'string' ? withoutSecrets(value) : value,
  )
}
