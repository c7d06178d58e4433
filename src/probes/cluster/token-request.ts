/** The version of an API server that is said to mint no tokens. */
import { absent, defineProbe, type Fact, inquire, type Soon } from '../../core/fact.ts'
import { textAt } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import { observedErrors } from './observed-errors.ts'

/** Absent where nobody said so: then it does not matter. */
export const tokenRequestVersion = defineProbe({
  id: 'cluster/token-request-version',
  about: 'the version of the API server',
  scope: 'cluster',
  needs: {},
  wants: { observedErrors },
  ask: (_have, { observedErrors }, inquiry): Soon<Fact<string>> => {
    const question = kubernetes.nonResource('/version')
    const errors = observedErrors.state === 'known' ? observedErrors.value : []
    return errors.some(({ text }) => /TokenRequest|failed to fetch token/.test(text))
      ? inquire(inquiry, question, (answer) => textAt(answer, 'gitVersion'))
      : absent(question)
  },
})
