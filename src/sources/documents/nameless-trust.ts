/** Of which role a bare trust policy is whose file is called after what it is, and not after its role. */
import { isObject, type Json, type JsonObject, textAt } from '../../core/json.ts'
import { roleAnnotation } from '../../domain/audiences.ts'
import { namedRole } from '../../domain/identity-marks.ts'
import { readPod, readWorkload } from '../../domain/workload-objects.ts'

/** Names that people give the file; a role may be called so, and is then named by whatever uses it. */
const ofFiles =
  /^(?:iam[-_]?)?(?:role[-_]?)?(?:(?:trust(?:ed)?|assume)[-_]?(?:role[-_]?)?)(?:policy|relationships?|entit(?:y|ies))?(?:[-_]?(?:policy|document|doc))?$/i

export const isNameOfFile = (stem: string): boolean => ofFiles.test(stem)

type Objects = (resource: string) => readonly JsonObject[]

/** The roles that the objects of a folder name, each once. */
export function rolesNamed(objects: Objects): ReadonlySet<string> {
  const ofAccount = (one: Json): string | undefined => {
    const arn = isObject(one) ? textAt(one, 'metadata', 'annotations', roleAnnotation) : undefined
    const name = arn?.trim().split('/').at(-1)
    return name === '' ? undefined : name
  }
  const names = [
    ...objects('serviceaccounts').map(ofAccount),
    ...objects('pods').map((one) => namedRole(readPod(one))),
    ...['deployments', 'statefulsets', 'daemonsets', 'jobs', 'cronjobs'].flatMap((resource) =>
      objects(resource).map((one) => namedRole(readWorkload(one))),
    ),
  ]
  return new Set(names.filter((name) => name !== undefined))
}
