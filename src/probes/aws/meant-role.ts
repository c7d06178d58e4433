/** The role that a malformed ARN, or a bare name, evidently means: the one of that name in the account in question. */
import { absent, defineProbe, type Fact, onward, reading, type Soon } from '../../core/fact.ts'
import { textAt } from '../../core/json.ts'
import { parseRoleArn } from '../../domain/arn.ts'
import { aws } from '../../domain/questions.ts'
import { cluster } from './cluster.ts'
import { roleReference } from './role-reference.ts'

/** The account that is written, also the cluster's own where a reader of YAML has taken a leading zero from it. */
function accountIn(value: string, own: string | undefined): string | undefined {
  const [, digits = ''] = /(?:^|[:/])([\d-]{9,16})(?=[:/])/.exec(value) ?? []
  const bare = digits.replaceAll('-', '')
  if (bare.length === 12) return bare
  return bare !== '' && bare.padStart(12, '0') === own ? own : undefined
}

const isName = (text: string): boolean => /^[\w+=,.@-]{1,64}$/.test(text)

/** Its ARN. Absent where the value names no role, or IAM has none of that name. */
export const meantRole = defineProbe({
  id: 'aws/meant-role',
  about: 'the role of that name in the account',
  scope: 'service-account',
  needs: { roleReference },
  wants: { cluster },
  ask: ({ roleReference }, { cluster }, { ask }): Soon<Fact<string>> => {
    if (roleReference.state === 'absent' || roleReference.value.via === 'association') return absent(roleReference.from)
    const value = roleReference.value.value.trim()
    const parts = value.split(/[/:]/)
    const name = (/:assumed-role\//.test(value) ? parts.at(-2) : parts.at(-1))?.replace(/[^\w+=,.@-]+$/, '') ?? ''
    const own = cluster.state === 'known' ? cluster.value.account : undefined
    const told = accountIn(value, own)
    // An account that is written wrongly is nobody's, unless it is evidently that of the cluster.
    const account = told ?? (value.includes(':') ? undefined : own)
    if (!isName(name) || account === undefined) return absent(roleReference.from)
    return onward(ask(aws.role(account, name)), (answer) =>
      reading(answer, (json) => {
        const arn = textAt(json, 'Role', 'Arn') ?? ''
        const found = parseRoleArn(arn)
        return found?.account === account && found.name === name ? arn : undefined
      }),
    )
  },
})
