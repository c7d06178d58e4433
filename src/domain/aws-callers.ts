/** As whom a call was made, as the denial of AWS says it. */
import { type Caller, parseCaller } from './arn.ts'

export type Denial = { readonly arn: string; readonly caller: Caller; readonly action: string; readonly text: string }

const denial =
  /User:\s+(arn:aws[a-z0-9-]*:(?:sts|iam)::[^\s:]{0,40}:[^\s]{1,300}?)\s+is not authorized to perform:?\s+([\w-]{1,40}:[\w*]{1,80})/g

/** Every denial in a text that names its caller; line ends and the escapes of JSON logs count as blanks. */
export function denialsIn(text: string): readonly Denial[] {
  const plain = text.slice(0, 20_000).replace(/(?:\\[ntr]|\s)+/g, ' ')
  return [...plain.matchAll(denial)].flatMap(([, arn = '', action = '']) => {
    const caller = parseCaller(arn)
    return caller === undefined ? [] : [{ arn, caller, action, text: plain }]
  })
}

/** An instance profile names its sessions after the instance; placeholders for digits occur in what people paste. */
export const isNodeSession = ({ kind, session }: Caller): boolean =>
  kind === 'session' && /^i-[0-9a-z]+$/.test(session ?? '')

/** What a node, its agents and the people who set up identity do under their own names. */
export const isOwnBusiness = ({ action, text }: Denial): boolean =>
  action === 'eks-auth:AssumeRoleForPodIdentity' || /Failed to pull image|ErrImagePull|ImagePullBackOff/.test(text)

export const isSetUp = ({ action }: Denial): boolean => /^(?:iam|eks|organizations|cloudformation):/.test(action)

/**
 * Names that SDKs and EKS give sessions by themselves: those are of programs, not of people.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
 */
export const isProgramSession = (caller: Caller): boolean =>
  caller.kind === 'session' &&
  (isNodeSession(caller) ||
    /^(?:\d{16,20}|botocore-session-\d+|aws-sdk-[a-z]+-(?:session-)?\d+|aws-go-sdk-\d+|web-identity-token-\d+|eks-[\w-]+-[0-9a-f]{8}-[0-9a-f-]{20,})$/.test(
      caller.session ?? '',
    ))
