/** A source whose answers hold no token, key or password: the last wrapper, behind everything that never lets them in. */
import { type Fact, onward, type Source } from '../core/fact.ts'
import type { Json } from '../core/json.ts'
import { withoutSecrets, withoutSecretsIn } from './secrets.ts'

function clean(fact: Fact<Json>): Fact<Json> {
  if (fact.state === 'absent') return fact
  if (fact.state === 'known') {
    const value = withoutSecretsIn(fact.value)
    return value === fact.value ? fact : { ...fact, value }
  }
  const detail = withoutSecrets(fact.detail)
  return detail === fact.detail ? fact : { ...fact, detail }
}

/** Passes a fact on as it is where there is nothing to take out. */
export const redacted = (source: Source): Source => ({
  name: source.name,
  ask: (question, signal) => onward(source.ask(question, signal), clean),
})
