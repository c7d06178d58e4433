/** Recognises the input of clusterawsadm, which looks like a Kubernetes object and is none. */
import { isObject, textAt } from '../../core/json.ts'
import type { Reader } from './configurations.ts'
import { accountOf } from './document.ts'

/** https://cluster-api-aws.sigs.k8s.io/topics/iam-permissions */
export const awsIamConfiguration: Reader = (document) => {
  const { value, stem, line } = document
  if (!isObject(value) || value.kind !== 'AWSIAMConfiguration') return undefined
  const account = accountOf(document)
  const { apiVersion, spec } = value
  return {
    kind: 'AWSIAMConfiguration',
    name: textAt(value, 'metadata', 'name') ?? stem,
    content: {
      ...(apiVersion === undefined ? {} : { apiVersion }),
      ...(spec === undefined ? {} : { spec }),
      ...(account === undefined ? {} : { account }),
      line,
    },
  }
}
