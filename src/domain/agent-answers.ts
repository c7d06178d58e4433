/** What a text tells of a call to the EKS Pod Identity agent: that nobody answered, or what the agent answered. */

export type AgentCall = { readonly address: string; readonly outcome: 'refused-address' | 'no-answer' | 'answered' }

const addresses = /169\.254\.170\.23|\[?fd00:ec2::23\]?/
const invalid = /Called agent through invalid address.{0,120}?address not (\S{1,80})/
const timedOut =
  /(?:Connect|Read) timeout on endpoint URL|Could not connect to the endpoint URL|i\/o timeout|connect(?:ion)? timed out|connection refused|no route to host|network is unreachable|context deadline exceeded|connect E(?:CONNREFUSED|TIMEDOUT|HOSTUNREACH|NETUNREACH)/i
/** The agent hands on what EKS Auth says: https://github.com/aws/eks-pod-identity-agent/tree/d4dc0f3 */
const handedOn = /\[[0-9a-f-]{8,40}\]: \(\w{1,60}Exception\)|Service account token (?:cannot be|failed)/

/** The same codes are those of other services: what the agent hands on stands behind the id of its request, or names the agent. */
const ofAgent =
  /\[[^\]\s]{1,60}\]: \(\w{1,60}Exception\)|fault: (?:client|server)|container[- ]metadata|AssumeRoleForPodIdentity|169\.254\.170\.23|fd00:ec2::23/
const ofOthers = /when calling the (?!AssumeRoleForPodIdentity\b)\w{1,80} operation/

/** Whether a text with a code of EKS Auth is an answer of the Pod Identity agent. */
export function isOfAgent(text: string): boolean {
  const plain = text.slice(0, 20_000).replace(/(?:\\[ntr]|\s)+/g, ' ')
  return ofAgent.test(plain) && !ofOthers.test(plain)
}

/** Line ends and the escapes of JSON logs count as blanks. */
export function agentCallIn(text: string): AgentCall | undefined {
  const plain = text.slice(0, 20_000).replace(/(?:\\[ntr]|\s)+/g, ' ')
  const wrong = invalid.exec(plain)?.[1]
  if (wrong !== undefined) return { address: wrong, outcome: 'refused-address' }
  if (handedOn.test(plain)) return { address: '169.254.170.23', outcome: 'answered' }
  const address = addresses.exec(plain)?.[0]
  return address !== undefined && timedOut.test(plain) ? { address, outcome: 'no-answer' } : undefined
}

export type EksAuthCall =
  | { readonly outcome: 'not-allowed'; readonly role: string }
  | { readonly outcome: 'no-answer'; readonly host: string }
  | { readonly outcome: 'answered' }

const notAllowed =
  /User: arn:aws[a-z-]{0,20}:sts::[^:\s]{0,40}:assumed-role\/([^/\s]{1,80})\/\S{1,80} is not authorized to perform: eks-auth:AssumeRoleForPodIdentity/
const host = /\b(eks-auth\.[a-z0-9.-]{1,80})/
/** EKS looks at who calls before it looks at the token. */
const judged = /\[[0-9a-f-]{8,40}\]: \((?:ResourceNotFound|ExpiredToken|InvalidToken)Exception\)/

/** How a call of the agent to EKS Auth ended, as far as a text tells. */
export function eksAuthCallIn(text: string): EksAuthCall | undefined {
  const plain = text.slice(0, 20_000).replace(/(?:\\[ntr]|\s)+/g, ' ')
  const role = notAllowed.exec(plain)?.[1]
  if (role !== undefined) return { outcome: 'not-allowed', role }
  const called = host.exec(plain)?.[1]
  if (called !== undefined && /context deadline exceeded|i\/o timeout|no such host/.test(plain))
    return { outcome: 'no-answer', host: called }
  return judged.test(plain) ? { outcome: 'answered' } : undefined
}
