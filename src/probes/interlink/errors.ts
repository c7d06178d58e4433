/** The known error texts of interLink's virtual kubelet and its plugins. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { seen } from '../../domain/questions.ts'
import { type ObservedError, observedErrors } from '../cluster/observed-errors.ts'

const ours =
  /InterLink configuration does not contains|RemoteExecution\(\)|InterLink VK has|CFGMaps\/Secrets not found|unable to retrieve ConfigMaps or Secrets after 5m|no override found|requested expiration of 3153600000|:10250\/containerLogs\//

/** Absent where nothing was said. */
export const interLinkErrors = defineProbe({
  id: 'interlink/errors',
  about: 'what the virtual kubelet and its plugins say',
  scope: 'cluster',
  needs: {},
  wants: { observedErrors },
  ask: (_have, { observedErrors }): Fact<readonly ObservedError[]> => {
    const own = observedErrors.state === 'known' ? observedErrors.value.filter(({ text }) => ours.test(text)) : []
    return own.length === 0 ? absent(seen.errors()) : known(own, seen.errors())
  },
})
