/** The token names this workload and the right audience. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { type Account, accountOf, advice, podsOf } from '../../domain/advice.ts'
import {
  audienceAnnotation,
  audienceOf,
  awsAudience,
  azureClientAnnotation,
  roleAnnotation,
} from '../../domain/audiences.ts'
import { cloudOfAudience } from '../../domain/federation-marks.ts'
import { sh } from '../../domain/shell-words.ts'
import { mintedToken } from '../../probes/workload/minted-token.ts'
import { errorsOfServiceAccount } from '../../probes/workload/observed-errors.ts'
import { ownTokens } from '../../probes/workload/own-tokens.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

const notCollected = 'not collected'

/** The ServiceAccount, and the audience that its token should have; that of AWS where nothing says otherwise. */
type Wanted = Account & { readonly wanted: string }

const show = ({ serviceAccount, namespace, wanted }: Wanted): string =>
  sh`kubectl wi token ${`sa/${serviceAccount}`} -n ${namespace} --audience ${wanted}`

export const check = defineCheck({
  meta: {
    id: 'workload/token-is-for-this-workload',
    title: 'The token names this workload and the right audience',
    severity: 'error',
    scope: 'service-account',
    cloud: 'any',
    section: 'Workload',
    why: 'A cloud decides by what the token says of its subject and audience, whatever the pod is called or meant to be.',
    fix: {
      safety: 'manual',
      does: 'Have the workload send the token of its own ServiceAccount, projected for the one audience that the cloud expects, as it lies in its file.',
    },
    links: [
      'https://github.com/aws/aws-sdk-ruby/issues/2698',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/232',
      'https://github.com/Azure/kubelogin/issues/413',
      'https://github.com/MicrosoftDocs/azure-docs/issues/90276',
      'https://kep.k8s.io/1205',
    ],
  },
  needs: {},
  wants: { mintedToken, ownTokens, serviceAccount, errorsOfServiceAccount },
  after: ['workload/service-account-is-used', 'workload/token-volume-asks-for-the-audience'],
  messages: {
    malformed: ({ reason }: Wanted & { reason: string }) => `the token is not three base64url parts: ${reason}`,
    'not-a-service-account-token': ({ issuer }: Wanted & { issuer: string }) =>
      `the token was issued by ${issuer} and is no Kubernetes ServiceAccount token`,
    'legacy-token': ({ issuer }: Wanted & { issuer: string }) =>
      `the token is a legacy Secret token (issuer ${issuer}, no audience, no expiry); no cloud accepts it`,
    'several-audiences': ({ actual }: Wanted & { actual: string }) =>
      `the token has audiences ${actual}; STS takes one`,
    'subject-differs': ({ actual, expected }: Wanted & { actual: string; expected: string }) =>
      `the token is for ${actual}, expected ${expected}`,
    'audience-differs': ({ actual, expected }: Wanted & { actual: string; expected: string }) =>
      `the token's audience is ${actual}, expected ${expected}`,
  },
  remedies: {
    malformed: (data) =>
      advice(
        'Send the token as it lies in its file, all of it and nothing else: not its path, not in quotes, not encoded once more. The command shows how a sound one reads.',
        show(data),
      ),
    'not-a-service-account-token': (data) =>
      advice(
        'Send the projected token of the ServiceAccount (the file that AWS_WEB_IDENTITY_TOKEN_FILE or AZURE_FEDERATED_TOKEN_FILE names), not one that another issuer gave out. The command shows how it reads.',
        show(data),
      ),
    'legacy-token': (data) =>
      advice(
        `Read a projected token (a volume with serviceAccountToken, audience ${data.wanted}) instead of the token in the Secret; outside of a pod, ask for one.`,
        sh`kubectl create token ${data.serviceAccount} -n ${data.namespace} --audience ${data.wanted}`,
      ),
    'several-audiences': (data) =>
      advice(
        `Ask for one audience only, ${data.wanted}, where the token is requested; a token for others is another token.`,
        show(data),
      ),
    'subject-differs': (data) =>
      advice(
        `Have the workload run as, and send the token of, ServiceAccount ${data.serviceAccount} in namespace ${data.namespace} (serviceAccountName in its pod template). Do not let the cloud trust the other subject instead.`,
        podsOf(data),
        show(data),
      ),
    'audience-differs': (data) =>
      advice(
        `Set audience: ${data.wanted} where the token is requested: in the serviceAccountToken source of the volume, or by annotation ${audienceAnnotation} where the EKS webhook makes it; then make the pods anew.`,
        podsOf(data),
      ),
  },
  judge: ({ want, subject }) => {
    const seen = want.ownTokens.state === 'known' ? want.ownTokens.value : { tokens: [], malformed: [] }
    const errors = want.errorsOfServiceAccount.state === 'known' ? want.errorsOfServiceAccount.value : []
    const account = want.serviceAccount.state === 'known' ? want.serviceAccount.value : undefined
    const said = (shape: RegExp) => errors.find(({ text }) => shape.test(text))
    const fromText = (error: { text: string; place: string }): readonly Evidence[] => [
      { question: want.errorsOfServiceAccount.from, path: error.place, observed: error.text },
    ]
    const fromFile = (
      file: string,
      path: string,
      observed: string | readonly string[],
      expected: string,
    ): Evidence => ({
      question: want.ownTokens.from,
      path: `${file} ${path}`,
      observed,
      expected,
    })
    const expectedSubject =
      subject.kind === 'ServiceAccount' ? `system:serviceaccount:${subject.namespace}:${subject.name}` : undefined
    const isAws =
      account !== undefined && (roleAnnotation in account.annotations || audienceAnnotation in account.annotations)
    const wantedAudience = account === undefined ? awsAudience : audienceOf(account)
    const whose = { ...accountOf(subject), wanted: wantedAudience }
    const isBound = isAws || (account !== undefined && azureClientAnnotation in account.annotations)
    const expectedAudience = isBound && account !== undefined ? audienceOf(account) : undefined

    const broken = seen.malformed[0]
    if (broken !== undefined)
      return {
        status: 'fail',
        message: 'malformed',
        data: { ...whose, reason: broken.reason },
        evidence: [fromFile(broken.file, '', broken.reason, 'header.claims.signature')],
      }
    const notJwt = said(/ID Token provided is not a valid JWT|AADSTS50027\b/)
    if (notJwt !== undefined)
      return {
        status: 'fail',
        message: 'malformed',
        data: { ...whose, reason: 'the cloud could not read what it was sent, and the token itself was not collected' },
        evidence: fromText(notJwt),
      }
    const foreign = seen.tokens.find(({ kind }) => kind === 'other')
    const fromEntra = said(/AADSTS700222\b/)
    if (foreign !== undefined)
      return {
        status: 'fail',
        message: 'not-a-service-account-token',
        data: { ...whose, issuer: foreign.issuer ?? 'nobody' },
        evidence: [fromFile(foreign.file, 'sub', foreign.subject ?? '', 'system:serviceaccount:NAMESPACE:NAME')],
      }
    if (fromEntra !== undefined)
      return {
        status: 'fail',
        message: 'not-a-service-account-token',
        data: { ...whose, issuer: 'Microsoft Entra itself' },
        evidence: fromText(fromEntra),
      }
    const legacy = seen.tokens.find(({ kind }) => kind === 'legacy')
    const noAudience = said(/Missing a required claim: aud/)
    if (legacy !== undefined)
      return {
        status: 'fail',
        message: 'legacy-token',
        data: { ...whose, issuer: legacy.issuer ?? notCollected },
        evidence: [fromFile(legacy.file, 'exp', 'none', 'a time')],
      }
    if (noAudience !== undefined)
      return {
        status: 'fail',
        message: 'legacy-token',
        data: { ...whose, issuer: notCollected },
        evidence: fromText(noAudience),
      }
    const [held] = seen.tokens
    const severalSaid = said(/Token audience contains more than one audience/)
    if (
      held !== undefined &&
      held.audiences.length > 1 &&
      (isAws || held.audiences.some((one) => cloudOfAudience(one) === 'aws'))
    )
      return {
        status: 'fail',
        message: 'several-audiences',
        data: { ...whose, actual: held.audiences.join(', ') },
        evidence: [fromFile(held.file, 'aud', held.audiences, expectedAudience ?? 'one audience')],
      }
    if (severalSaid !== undefined)
      return {
        status: 'fail',
        message: 'several-audiences',
        data: { ...whose, actual: notCollected },
        evidence: fromText(severalSaid),
      }

    const token = want.mintedToken.state === 'known' ? want.mintedToken.value : undefined
    const minted = token?.borrowed === true ? undefined : token
    for (const { actual, evidence } of [
      {
        actual: held?.subject,
        evidence: held === undefined ? [] : [fromFile(held.file, 'sub', held.subject ?? '', expectedSubject ?? '')],
      },
      {
        actual: minted?.subject,
        evidence: [{ question: want.mintedToken.from, path: 'claims.sub', observed: minted?.subject ?? null }],
      },
    ])
      if (expectedSubject !== undefined && actual !== undefined && actual !== expectedSubject)
        return {
          status: 'fail',
          message: 'subject-differs',
          data: { ...whose, actual, expected: expectedSubject },
          evidence,
        }

    const other = held?.audiences[0]
    if (held !== undefined && expectedAudience !== undefined && !held.audiences.includes(expectedAudience))
      return {
        status: 'fail',
        message: 'audience-differs',
        data: { ...whose, actual: other ?? 'none', expected: expectedAudience },
        evidence: [fromFile(held.file, 'aud', held.audiences, expectedAudience)],
      }
    const refused = said(
      /does not match the expected audience|token audiences .{0,600} is invalid for the target audiences/,
    )
    if (refused !== undefined) {
      const [, actual = notCollected, expected = expectedAudience ?? notCollected] =
        /token audiences \\?"?\[?([^\]"\\]{1,512})\]?\\?"? is invalid for the target audiences \\?"?\[?([^\]"\\]{1,512})/.exec(
          refused.text,
        ) ??
        /audience in ID Token \[?([^\]\s]{1,512})\]? does not match/.exec(refused.text) ??
        []
      const wanted = expected === notCollected ? wantedAudience : expected
      return {
        status: 'fail',
        message: 'audience-differs',
        data: { ...whose, wanted, actual, expected },
        evidence: fromText(refused),
      }
    }
    if (minted === undefined && held === undefined && want.mintedToken.state === 'absent')
      return { status: 'not-applicable', reason: 'the ServiceAccount does not exist, so it has no token' }
    if (token?.borrowed === true && held === undefined)
      return {
        status: 'not-applicable',
        reason: 'among many ServiceAccounts one token stands for all; name this one to examine its own',
      }
    const proof = minted?.subject ?? held?.subject
    return {
      status: 'pass',
      evidence:
        proof === undefined
          ? []
          : [
              {
                question: want.mintedToken.from,
                path: 'claims.sub',
                observed: proof,
                expected: expectedSubject ?? proof,
              },
            ],
    }
  },
})
