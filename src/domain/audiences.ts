/** The audience that a ServiceAccount's tokens are made for, by what binds it to a cloud. */
import type { ServiceAccount } from './workloads.ts'

export const awsAudience = 'sts.amazonaws.com'
export const podIdentityAudience = 'pods.eks.amazonaws.com'
export const azureAudience = 'api://AzureADTokenExchange'

/** https://learn.microsoft.com/azure/aks/identity-bindings */
export const bindingAudience = 'api://AKSIdentityBinding'

/** Those that STS takes without anybody having chosen them. */
export const isUsualAudience = (audience: string): boolean =>
  audience === awsAudience || audience === `${awsAudience}.cn`

export const roleAnnotation = 'eks.amazonaws.com/role-arn'
/** https://github.com/aws/amazon-eks-pod-identity-webhook#eks-walkthrough */
export const audienceAnnotation = 'eks.amazonaws.com/audience'
export const azureClientAnnotation = 'azure.workload.identity/client-id'
export const googleAnnotation = 'iam.gke.io/gcp-service-account'

/** What the identity webhook would ask for; the default of AWS where nothing says otherwise. */
export const audienceOf = ({ annotations }: Pick<ServiceAccount, 'annotations'>): string => {
  const asked = annotations[audienceAnnotation]
  if (asked !== undefined && asked !== '') return asked
  return annotations[roleAnnotation] === undefined && annotations[azureClientAnnotation] !== undefined
    ? azureAudience
    : awsAudience
}
