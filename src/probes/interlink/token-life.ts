/** How long the tokens last that the API server grants to remote pods. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { seen } from '../../domain/questions.ts'
import { apiServer, flagValues } from '../cluster/api-server.ts'
import { clock } from '../cluster/clock.ts'
import { configured } from './config.ts'
import { interLinkErrors } from './errors.ts'

/** Seconds; undefined where the API server grants whatever is asked. */
export type TokenLife = { readonly granted: number | undefined; readonly where: string; readonly now?: number }

/** `24h`, `1h30m`, `86400s` → seconds. */
function seconds(duration: string): number | undefined {
  const units: { readonly [unit: string]: number } = { h: 3600, m: 60, s: 1 }
  const parts = [...duration.matchAll(/(\d{1,12})(h|m|s)/g)]
  return parts.length === 0
    ? undefined
    : parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? 's'] ?? 1), 0)
}

/** Absent where no tokens are handed to remote pods by this configuration. */
export const tokenLife = defineProbe({
  id: 'interlink/token-life',
  about: 'how long the tokens of remote pods last',
  scope: 'object',
  needs: {},
  wants: { configured, apiServer, interLinkErrors, clock },
  ask: (_have, { configured, apiServer, interLinkErrors, clock }): Fact<TokenLife> => {
    if (configured.state !== 'known') return absent(configured.from)
    const time = clock.state === 'known' ? { now: clock.value } : {}
    const said = interLinkErrors.state === 'known' ? interLinkErrors.value : []
    for (const { text, place } of said) {
      const shortened = /requested expiration of 3153600000 seconds shortened to (\d{1,10})/.exec(text)?.[1]
      if (shortened !== undefined) return known({ granted: Number(shortened), where: place, ...time }, seen.errors())
    }
    if (apiServer.state === 'unknown') return apiServer
    if (apiServer.state === 'absent')
      return {
        state: 'unknown',
        why: 'not-collected',
        detail: 'how long the API server lets tokens live was not seen',
        lift: 'kubectl create token SERVICEACCOUNT -n NAMESPACE --duration 876000h, which warns where it is shortened',
        from: apiServer.from,
      }
    const flag = flagValues(apiServer.value.command, 'service-account-max-token-expiration').at(-1)
    return known(
      { granted: flag === undefined ? undefined : seconds(flag), where: apiServer.value.pod, ...time },
      apiServer.from,
    )
  },
})
