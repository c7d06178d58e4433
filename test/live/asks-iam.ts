/** A program with nothing but its environment: asks IAM for the providers and for the role that it is given. */
import { GetRoleCommand, IAMClient, ListOpenIDConnectProvidersCommand } from '@aws-sdk/client-iam'

const iam = new IAMClient({ maxAttempts: 1 })
const nameOf = (error: unknown): string => (error instanceof Error ? error.name : String(error))
const providers = await iam.send(new ListOpenIDConnectProvidersCommand({})).then(
  ({ OpenIDConnectProviderList: list = [] }) => list.map(({ Arn }) => Arn),
  (error: unknown) => nameOf(error),
)
const role = await iam.send(new GetRoleCommand({ RoleName: process.argv[2] })).then(() => 'found', nameOf)
process.stdout.write(JSON.stringify({ providers, role }))
