/** The checks of eks/: `export const check = defineCheck({…})` in the file that its id names, and a line here. */
import type { Check } from '../core/check.ts'
import { check as accessEntriesAreValid } from './eks/access-entries-are-valid.ts'
import { check as awsAuthEntriesCanMatch } from './eks/aws-auth-entries-can-match.ts'
import { check as clusterAdminsAreFew } from './eks/cluster-admins-are-few.ts'
import { check as kubeconfigPresentsAMappedIdentity } from './eks/kubeconfig-presents-a-mapped-identity.ts'
import { check as loadBalancerAnnotationsAreHonoured } from './eks/load-balancer-annotations-are-honoured.ts'
import { check as loadBalancerControllerCanCallAws } from './eks/load-balancer-controller-can-call-aws.ts'
import { check as maxPodsFitsTheAddresses } from './eks/max-pods-fits-the-addresses.ts'
import { check as nodeHasRoomForPods } from './eks/node-has-room-for-pods.ts'
import { check as nodesAreMapped } from './eks/nodes-are-mapped.ts'

export const eks: readonly Check[] = [
  accessEntriesAreValid,
  awsAuthEntriesCanMatch,
  clusterAdminsAreFew,
  kubeconfigPresentsAMappedIdentity,
  loadBalancerAnnotationsAreHonoured,
  loadBalancerControllerCanCallAws,
  maxPodsFitsTheAddresses,
  nodeHasRoomForPods,
  nodesAreMapped,
]
