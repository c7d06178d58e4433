/** ConfigMap kube-system/aws-auth, looked at only where the cluster itself was asked about; absent where nobody put it there. */
import { absent, defineProbe, type Fact, known, reading } from '../../core/fact.ts'
import { at, isObject, type Json, textAt } from '../../core/json.ts'
import type { AwsAuth } from '../../domain/aws-auth.ts'
import { kubernetes } from '../../domain/questions.ts'
import { cluster } from '../aws/cluster.ts'

const question = kubernetes.get('configmaps', 'kube-system', 'aws-auth')

/** Where it lands that was applied without its namespace, or with a guessed one. */
const elsewhere = ['default', 'kube-public', 'amazon-system'] as const

/** What nobody collected was not asked about; whatever else hides it leaves it open. */
export const isUncollected = (fact: Fact<unknown>): boolean => fact.state === 'unknown' && fact.why === 'not-collected'

/** Absent where it is not there, or nobody asked about the cluster. */
export const awsAuthMap = defineProbe({
  id: 'eks/aws-auth-map',
  about: 'ConfigMap kube-system/aws-auth',
  scope: 'cluster',
  needs: {},
  wants: { cluster },
  ask: async (_have, { cluster }, { subject, ask }): Promise<Fact<AwsAuth>> => {
    if (subject.whole !== true || cluster.state === 'absent') return absent(question)
    const answer = await ask(question)
    const { readAwsAuth } = await import('../../domain/aws-auth-text.ts')
    return reading(answer, (json: Json) => {
      const data = at(json, 'data')
      return readAwsAuth(isObject(data) ? data : {})
    })
  },
})

/** The same, absent also where nobody collected it: a folder without it was not put there for this. */
export const awsAuth = defineProbe({
  id: 'eks/aws-auth',
  about: 'ConfigMap kube-system/aws-auth',
  scope: 'cluster',
  needs: {},
  wants: { awsAuthMap },
  ask: (_have, { awsAuthMap }): Fact<AwsAuth> => (isUncollected(awsAuthMap) ? absent(question) : awsAuthMap),
})

/** A ConfigMap of that name that nobody reads; asked only where the right one was not found. */
export const awsAuthElsewhere = defineProbe({
  id: 'eks/aws-auth-elsewhere',
  about: 'ConfigMap aws-auth in another namespace',
  scope: 'cluster',
  needs: {},
  wants: { cluster, awsAuth },
  ask: async (_have, { cluster, awsAuth }, { subject, ask }): Promise<Fact<{ namespace: string; name: string }>> => {
    if (subject.whole !== true || cluster.state === 'absent' || awsAuth.state !== 'absent') return absent(question)
    for (const namespace of elsewhere) {
      const answer = await ask(kubernetes.get('configmaps', namespace, 'aws-auth'))
      const name = answer.state === 'known' ? textAt(answer.value, 'metadata', 'name') : undefined
      if (name !== undefined) return known({ namespace, name }, answer.from)
    }
    return absent(question)
  },
})
