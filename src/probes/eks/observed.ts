/** The known error texts that speak of who may enter an EKS cluster, of its nodes and of its load balancers. */
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
    ask: (_have, { observedErrors }): Fact<readonly ObservedError[]> =>
      observedErrors.state === 'known'
        ? known(
            observedErrors.value.filter(({ text }) => fits(text)),
            observedErrors.from,
          )
        : absent(seen.errors()),
  })

/** Only what the authenticator itself says of the ConfigMap; `Unauthorized` has many other causes. */
export const ofAwsAuth = texts('eks/aws-auth-errors', 'what the authenticator says of aws-auth', (text) =>
  /error parsing config map: |one of rolearn or SSO must be supplied|value for userarn must be supplied/.test(text),
)

/** What is said to somebody, man or machine, who may not enter, and to whoever makes an access entry. */
export const ofEntering = texts('eks/entry-errors', 'refusals by the EKS authenticator', (text) =>
  /(?:identity|ARN) is not mapped|access entry resource is already in use|authentication mode must be set to one of|principalArn is invalid: invalid principal/.test(
    text,
  ),
)

/** What kubectl says that was not let in, and what STS says to the same credentials. */
export const ofSigningIn = texts('eks/sign-in-errors', 'what kubectl and STS say of the credentials', (text) =>
  /You must be logged in to the server|(?:identity|ARN) is not mapped|getting credentials: exec|exec plugin: invalid apiVersion|when calling the GetCallerIdentity operation/.test(
    text,
  ),
)
