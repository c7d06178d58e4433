/** The EKS cluster that is examined; absent where it is not EKS. */
import { defineProbe, inquire } from '../../core/fact.ts'
import { type Json, textAt } from '../../core/json.ts'
import { aws } from '../../domain/questions.ts'

export type EksCluster = {
  readonly name: string
  readonly arn: string
  /** 12 digits: where its IAM OIDC provider and, most often, its roles live. */
  readonly account: string
  readonly region: string
  /** `identity.oidc.issuer`; no cluster that is up lacks it, old printouts do. */
  readonly issuer?: string
  readonly vpc?: string
}

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelastickubernetesservice.html */
const clusterArn = /^arn:[a-z0-9-]+:eks:([a-z0-9-]+):(\d{12}):cluster\/[\w-]+$/

const read = (answer: Json): EksCluster | undefined => {
  const name = textAt(answer, 'cluster', 'name')
  const arn = textAt(answer, 'cluster', 'arn')
  const issuer = textAt(answer, 'cluster', 'identity', 'oidc', 'issuer')
  const vpc = textAt(answer, 'cluster', 'resourcesVpcConfig', 'vpcId')
  const [, region, account] = clusterArn.exec(arn ?? '') ?? []
  if (name === undefined || arn === undefined || region === undefined || account === undefined) return undefined
  return {
    name,
    arn,
    account,
    region,
    ...(issuer === undefined ? {} : { issuer }),
    ...(vpc === undefined ? {} : { vpc }),
  }
}

export const cluster = defineProbe<EksCluster>({
  id: 'aws/cluster',
  about: 'the EKS cluster',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, inquiry) => inquire(inquiry, aws.cluster(), read),
})
