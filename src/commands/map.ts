/** `kubectl wi map`: who can become whom. */
import { Command } from '@oclif/core'
import { mapFlags } from '../flags/map.ts'

export default class IdentityMap extends Command {
  static override summary = 'Show who can become whom: ServiceAccounts against the identities of the clouds.'
  static override description =
    `Puts every ServiceAccount beside every IAM role, Google service account and identity of Azure that it asks for, or that lets it through: exact trusts and wildcards told apart, trusts of ServiceAccounts that are not there, trusts of other clusters, and one name in several clusters. Nothing is changed, and no token is minted.

A role that nobody names is looked into as well: whoever may list roles sees which ServiceAccounts could take one without asking for it.

EXIT CODES
  0  the whole map
  2  usage, or the tool could not run at all
  3  something could not be seen, so links may be missing`
  static override examples = [
    { description: 'Everybody in the cluster', command: '<%= config.bin %> map -A' },
    { description: 'As a picture', command: '<%= config.bin %> map -A -o dot | dot -Tsvg > map.svg' },
    { description: 'Several clusters', command: '<%= config.bin %> map -A --contexts east,west -o csv' },
    { description: 'From documents', command: '<%= config.bin %> map -f ./collected -o mermaid' },
  ]
  static override usage = 'map [-n NAMESPACE | -A] [-f PATH…] [-o FORMAT]'
  static override flags = mapFlags

  override async run(): Promise<void> {
    const { flags } = await this.parse(IdentityMap)
    const { map } = await import('../examine/map.ts')
    process.exitCode = await map(flags, { version: this.config.version, process })
  }
}
