/** The tokens among the documents that are bound to this very pod by its name. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { at, textAt } from '../../core/json.ts'
import { tokenSubjectOf } from '../cluster/judged.ts'
import { type SeenToken, seenTokens } from '../cluster/seen-tokens.ts'
import { pod } from './pod.ts'

export type PodToken = SeenToken & {
  /** Uids of the pod and of the ServiceAccount that it is bound to. */
  readonly podUid?: string
  readonly accountUid?: string
  /** Until when the API server takes it without a warning; only tokens for the API server have it. */
  readonly warnAfter?: number
}

/** Absent where there are none. */
export const podTokens = defineProbe({
  id: 'workload/pod-tokens',
  about: "the pod's tokens among the documents",
  scope: 'pod',
  needs: {},
  wants: { pod, seenTokens },
  ask: (_have, { pod, seenTokens }): Fact<readonly PodToken[]> => {
    if (pod.state !== 'known' || seenTokens.state !== 'known') return absent(seenTokens.from)
    const { namespace, name, serviceAccount } = pod.value
    const subject = tokenSubjectOf({ namespace, name: serviceAccount })
    const own = seenTokens.value.tokens
      .filter((token) => token.pod === name && token.subject === subject)
      .map((token): PodToken => {
        const podUid = textAt(token.claims, 'kubernetes.io', 'pod', 'uid')
        const accountUid = textAt(token.claims, 'kubernetes.io', 'serviceaccount', 'uid')
        const warnAfter = at(token.claims, 'kubernetes.io', 'warnafter')
        return {
          ...token,
          ...(podUid === undefined ? {} : { podUid }),
          ...(accountUid === undefined ? {} : { accountUid }),
          ...(typeof warnAfter === 'number' ? { warnAfter } : {}),
        }
      })
    return own.length === 0 ? absent(seenTokens.from) : known(own, seenTokens.from)
  },
})
