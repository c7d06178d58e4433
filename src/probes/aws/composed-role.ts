/** The ARN that a webhook with --compose-role-arn makes of a bare role name; absent where no bare name is written. */
import { absent, defineProbe, type Fact, known, type Soon } from '../../core/fact.ts'
import { isWebIdentity, roleReference } from './role-reference.ts'
import { podIdentityWebhook, webhookFlags } from './webhook.ts'

export const composedRole = defineProbe({
  id: 'aws/composed-role',
  about: 'whether the webhook makes ARNs of role names',
  scope: 'service-account',
  needs: {},
  wants: { roleReference },
  ask: (_have, { roleReference }, inquiry): Soon<Fact<string>> => {
    if (roleReference.state !== 'known' || !isWebIdentity(roleReference.value)) return absent(roleReference.from)
    const { value } = roleReference.value
    if (value.includes(':')) return absent(roleReference.from)
    return (async (): Promise<Fact<string>> => {
      const webhook = await podIdentityWebhook.ask({}, {}, inquiry)
      const flags = await webhookFlags(webhook, inquiry)
      if (flags.state !== 'known') return flags
      return flags.value.composesRoleArns ? known(value, flags.from) : absent(flags.from)
    })()
  },
})
