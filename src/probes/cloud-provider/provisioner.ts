/** What a StorageClass provisions its volumes with. */
import { absent, defineProbe, type Fact, known, onward, reading, type Soon } from '../../core/fact.ts'
import { textAt } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import { declared } from './plan.ts'

/** Absent for what is no StorageClass. */
export const provisioner = defineProbe({
  id: 'cloud-provider/provisioner',
  about: 'the provisioner of the StorageClass',
  scope: 'object',
  needs: {},
  wants: {},
  ask: (_have, _want, { subject, ask }): Soon<Fact<string>> => {
    const question = kubernetes.get('storageclasses', undefined, subject.name)
    if (subject.kind !== 'StorageClass') return absent(question)
    return onward(ask(question), (answer) => reading(answer, (json) => textAt(json, 'provisioner')))
  },
})

export const declarationConcerns = defineProbe({
  id: 'cloud-provider/declaration-concerns',
  about: 'whether something declares a cloud provider or a provisioner',
  scope: 'object',
  needs: {},
  wants: { declared },
  ask: (_have, { declared }, { subject }): Fact<true> =>
    subject.kind === 'StorageClass' || declared.state === 'known' ? known(true, declared.from) : absent(declared.from),
})
