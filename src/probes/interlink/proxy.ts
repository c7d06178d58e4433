/** The nginx server block behind a published route, as it was handed over. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { at, listAt, textAt, textsAt } from '../../core/json.ts'
import { documents } from '../../domain/questions.ts'

export type Proxy = {
  readonly file: string
  readonly listens: readonly { readonly port: number; readonly ssl: boolean }[]
  readonly upstreams: readonly string[]
  readonly verifies: boolean
}

/** Absent where none was handed over. */
export const proxies = defineProbe({
  id: 'interlink/proxies',
  about: "the proxy's server block",
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: async (_have, _want, { ask }): Promise<Fact<readonly Proxy[]>> => {
    const question = documents.ofKind('NginxServerBlock')
    const answer = await ask(question)
    const found = answer.state === 'known' ? listAt(answer.value, 'items') : []
    return found.length === 0
      ? absent(question)
      : known(
          found.map((one) => ({
            file: textAt(one, 'metadata', 'name') ?? '',
            listens: listAt(one, 'listens').map((listen) => ({
              port: Number(at(listen, 'port')),
              ssl: at(listen, 'ssl') === true,
            })),
            upstreams: textsAt(one, 'upstreams'),
            verifies: at(one, 'verifies') === true,
          })),
          question,
        )
  },
})
