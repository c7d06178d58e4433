/** The known error texts that speak of cloud providers. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { seen } from '../../domain/questions.ts'
import { type ObservedError, observedErrors } from '../cluster/observed-errors.ts'

const texts = (id: string, about: string, fits: (text: string) => boolean) =>
  defineProbe({
    id,
    about,
    scope: 'cluster',
    needs: {},
    wants: { observedErrors },
    ask: (_have, { observedErrors }): Fact<readonly ObservedError[]> => {
      const own = observedErrors.state === 'known' ? observedErrors.value.filter(({ text }) => fits(text)) : []
      return own.length === 0 ? absent(seen.errors()) : known(own, seen.errors())
    },
  })

/** What components say of their flags; absent where they say nothing. */
export const ofFlags = texts('cloud-provider/flag-errors', 'what components say of their cloud provider', (text) =>
  /built-in cloud providers are disabled|unknown cloud provider "|could not init cloud provider|unknown flag: --cloud-/.test(
    text,
  ),
)

/** What the installer and the providers say of the configuration. */
export const ofConfig = texts('cloud-provider/config-errors', 'what is said of the cloud config', (text) =>
  /is not a valid cloud provider|cloud config file was not found at|\] cannot be overridden|no cloud provider config given/.test(
    text,
  ),
)

/** What the cloud controller manager, and the scheduler for it, say. */
export const ofController = texts('cloud-provider/controller-errors', 'what is said of the cloud controller', (text) =>
  /failed to get instance metadata for node|cloudprovider\.kubernetes\.io\/uninitialized/.test(text),
)
