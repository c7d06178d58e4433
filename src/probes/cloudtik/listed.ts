/** Whether the cluster that a CloudTik workspace names is in a whole list of clusters. */
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { at, listAt, textAt } from '../../core/json.ts'
import { aws } from '../../domain/questions.ts'
import { clusterOf, workspace } from './workspace.ts'

/** Asked only where the cluster itself was not seen; absent where no whole list was. */
export const clustersListed = defineProbe({
  id: 'cloudtik/clusters-listed',
  about: 'the list of EKS clusters of the region',
  scope: 'object',
  needs: {},
  wants: { workspace, clusterOf },
  ask: (_have, { workspace, clusterOf }, { ask }): Soon<Fact<boolean>> => {
    const of = workspace.state === 'known' ? workspace.value : undefined
    const none = aws.clusters('')
    if (of?.cloud !== 'aws' || clusterOf.state === 'known') return absent(none)
    const question = aws.clusters(of.values.region ?? '')
    return onward(ask(question), (answer): Fact<boolean> => {
      if (answer.state !== 'known') return absent(question)
      const names = listAt(answer.value, 'clusters').map((one) => textAt(one, 'name'))
      if (names.includes(of.values.eks_cluster_name)) return known(true, question)
      return at(answer.value, 'complete') === true ? known(false, question) : absent(question)
    })
  },
})
