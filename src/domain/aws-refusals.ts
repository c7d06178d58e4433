/** What AWS refused, to whom, and which policy was the reason, as its denial says it. */
import { type Caller, parseCaller } from './arn.ts'

export type Refusal = {
  /** As the text has it: an ARN, or what the service calls the caller; empty where the text begins behind it. */
  readonly who: string
  readonly caller?: Caller
  readonly action: string
  readonly resource?: string
  /** `identity-based`, `resource-based`, `session`, `VPC endpoint`, `service control`, `permissions boundary`, …: none of these allows it. */
  readonly lacking?: string
  /** `a service control policy`: that denies it. */
  readonly denying?: string
  readonly text: string
}

const refusal =
  /(?:^|\s)(?:(\S{1,400})\s+)?is not authorized to perform:?\s+([\w-]{1,40}:[\w*]{1,80})(?:\s+on(?:\s+resource:?)?\s+([^\s,]{1,700}))?/g

/** Every refusal in a text; line ends and the escapes of JSON logs count as blanks. https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html */
export function refusalsIn(text: string): readonly Refusal[] {
  const plain = text.slice(0, 20_000).replace(/(?:\\[ntr]|\s)+/g, ' ')
  return [...plain.matchAll(refusal)].flatMap((match) => {
    const [whole, who = '', action = '', target] = match
    const rest = plain.slice(match.index + whole.length, match.index + whole.length + 200)
    const lacking = /^[\s,.:;]*because no ([\w -]{3,40}?)(?: policy| policies)? allows? /.exec(rest)?.[1]
    const denying = /^[\s,.:;]*with an explicit deny in ((?:an? |the )?[\w -]{3,60})/.exec(rest)?.[1]?.trim()
    const caller = parseCaller(who)
    const resource = target?.replace(/^["']|["'.;:)\]]+$/g, '')
    return [
      {
        who,
        action,
        text: plain,
        ...(caller === undefined ? {} : { caller }),
        ...(resource === undefined || resource === '' ? {} : { resource }),
        ...(lacking === undefined ? {} : { lacking }),
        ...(denying === undefined ? {} : { denying }),
      },
    ]
  })
}
