/** The pod projects a token for the audience that the cloud expects. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, editTemplate, type Place } from '../../domain/advice.ts'
import { cloudOfAudience } from '../../domain/federation-marks.ts'
import { allMechanisms, apiTokenFolder, mechanisms, tokenFilesOf } from '../../domain/token-files.ts'
import type { Pod, TokenSource, Volume } from '../../domain/workloads.ts'
import type { GoogleProvider } from '../../probes/cluster/registrations.ts'
import { acceptedAudiences } from '../../probes/workload/accepted-audiences.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { pod } from '../../probes/workload/pod.ts'

/** Seconds: of the API server, of the Azure webhook, of Entra (25 h), of Google (48 h). */
const least = 600
const azureWebhook = { least: 3600, most: 86_400 }
const entraMost = 90_000
const googleMost = 172_800

/** A pool provider without a list of its own takes its own name as the audience. */
const googleTakes = ({ name, audiences }: GoogleProvider): readonly string[] =>
  audiences.length > 0 ? audiences : [`//iam.googleapis.com/${name}`, `https://iam.googleapis.com/${name}`]

const kindOf = ({ type, tokens }: Volume): string => {
  if (type !== 'projected') return `volume of type ${type}`
  const [token] = tokens
  if (token === undefined) return 'projected volume without a token'
  return token.audience === undefined ? 'projected token without an audience' : `projected token for ${token.audience}`
}

const sourcesOf = (pod: Pod): readonly { readonly volume: string; readonly source: TokenSource }[] =>
  pod.volumes.flatMap(({ name, tokens }) => tokens.map((source) => ({ volume: name, source })))

const inTemplate = (data: Place, what: (where: string) => string): string => {
  const { where, commands } = editTemplate(data)
  return advice(what(where), ...commands)
}
const byWebhook: ReadonlySet<string> = new Set(allMechanisms.map((one) => mechanisms[one].volume))
/** A volume of a webhook's own is asked for by annotation, not in the template. */
const lifetime = (data: Place & { readonly volume: string }, seconds: string): string => {
  const accepted = seconds.replace(/ s$/, '')
  return inTemplate(data, (where) =>
    data.volume === mechanisms.azure.volume
      ? `Set annotation azure.workload.identity/service-account-token-expiration to ${accepted} (in seconds) on the ServiceAccount, or in ${where}.`
      : byWebhook.has(data.volume)
        ? `Set annotation eks.amazonaws.com/token-expiration to ${accepted} (in seconds) on the ServiceAccount, or expirationSeconds of volume ${data.volume} in ${where} where that declares it.`
        : `Set expirationSeconds to ${accepted} in the serviceAccountToken source of volume ${data.volume} in ${where}.`,
  )
}
const setAudience = (data: Place & { readonly volume: string; readonly expected: string }): string =>
  inTemplate(
    data,
    (where) =>
      `Set audience: ${data.expected} in the serviceAccountToken source of volume ${data.volume} in ${where}. A token for somebody else needs a source of its own.`,
  )
/** The API server's own token has to stay as it is: it is the wrong one to name. */
const nameAnother = (data: Place & { readonly expected: string }, variable: string): string =>
  inTemplate(
    data,
    (where) =>
      `Take ${variable} out of ${where} and let the webhook add it; or let it name a token of its own, projected for ${data.expected}.`,
  )

export const check = defineCheck({
  meta: {
    id: 'workload/token-volume-asks-for-the-audience',
    title: 'The pod projects a token for the audience that the cloud expects',
    severity: 'error',
    scope: 'pod',
    cloud: 'any',
    section: 'Workload',
    why: 'A token has the audience and the lifetime that its volume asks for; a cloud refuses one that is made for others or lives too long.',
    fix: {
      safety: 'review',
      does: 'Rename the clashing volume and its mounts, or set audience, path and lifetime of the token source, in the pod template; never edit a running pod, never ask for more than one audience.',
    },
    links: [
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/315',
      'https://github.com/Azure/azure-workload-identity/issues/1675',
      'https://github.com/kubernetes/kubernetes/tree/v1.36.2/pkg/apis/authentication/validation',
      'https://github.com/MicrosoftDocs/azure-docs/issues/86915',
    ],
  },
  needs: { pod },
  wants: { acceptedAudiences },
  after: [],
  messages: {
    'name-taken': ({ volume, pod, kind }: Place & { volume: string; pod: string; kind: string }) =>
      `volume ${volume} of pod ${pod} is a ${kind}, not the token that the webhook would have put there`,
    'no-token-volume': ({ pod, path }: Place & { pod: string; path: string; expected: string }) =>
      `pod ${pod} names token file ${path} and has no projected serviceAccountToken volume`,
    'audience-left-out': ({
      volume,
      apiAudience,
      expected,
    }: Place & {
      volume: string
      apiAudience: string
      expected: string
    }) =>
      `volume ${volume} names no audience, so its token is for the API server (${apiAudience}) and not for ${expected}`,
    'audience-differs': (data: Place & { volume: string; actual: string; cloud: string; expected: string }) =>
      `volume ${data.volume} asks for audience ${data.actual}; ${data.cloud} expects ${data.expected}`,
    'lifetime-too-short': ({ volume, seconds }: Place & { volume: string; seconds: number }) =>
      `volume ${volume} asks for ${seconds} s; the API server's least is ${least} s`,
    'lifetime-not-accepted': (data: Place & { volume: string; seconds: number; cloud: string; accepted: string }) =>
      `volume ${data.volume} asks for ${data.seconds} s; ${data.cloud} takes ${data.accepted}`,
  },
  remedies: {
    'name-taken': (data) =>
      inTemplate(
        data,
        (where) =>
          `Give volume ${data.volume} and its mounts another name in ${where}; the webhook then adds its own under this one.`,
      ),
    'no-token-volume': (data) =>
      inTemplate(data, (where) => {
        const cut = data.path.lastIndexOf('/')
        return `Add a projected volume with a serviceAccountToken source (audience: ${data.expected}, path: ${data.path.slice(cut + 1)}) and mount it at ${data.path.slice(0, cut)} in ${where}; or take the variable out there and let the webhook add both.`
      }),
    'audience-left-out': setAudience,
    'audience-differs': setAudience,
    'lifetime-too-short': (data) => lifetime(data, `at least ${least} s`),
    'lifetime-not-accepted': (data) => lifetime(data, data.accepted),
  },
  judge: ({ have, want }) => {
    if (have.pod.state === 'absent') return { status: 'not-applicable', reason: 'the pod does not exist' }
    const pod = have.pod.value
    const accepted = want.acceptedAudiences.state === 'known' ? want.acceptedAudiences.value : undefined
    if (accepted === undefined) return { status: 'pass', evidence: [] }
    const place: Place = { workload: workloadOf(pod), namespace: pod.namespace }
    const files = tokenFilesOf(pod)
    const sources = sourcesOf(pod)
    const evidence: readonly Evidence[] = sources.map(({ volume, source }) => ({
      question: have.pod.from,
      path: `spec.volumes[${volume}].projected.sources.serviceAccountToken`,
      observed: source.audience ?? null,
    }))
    const named = (mechanism: (typeof allMechanisms)[number]): boolean =>
      pod.containers.some(({ env }) => mechanisms[mechanism].variable in env) ||
      accepted.asked?.includes(mechanism) === true

    for (const mechanism of allMechanisms) {
      if (!named(mechanism)) continue
      const expected = accepted.of[mechanism]
      const volume = pod.volumes.find((one) => one.name === mechanisms[mechanism].volume)
      // What the webhook itself asks for is nobody else's volume, whatever the cloud would rather have.
      const fits = volume?.tokens.some(
        ({ audience }) =>
          audience !== undefined && (expected.includes(audience) || mechanisms[mechanism].audiences.includes(audience)),
      )
      if (volume !== undefined && fits !== true)
        return {
          status: 'fail',
          message: 'name-taken',
          data: { ...place, volume: volume.name, pod: pod.name, kind: kindOf(volume) },
          evidence: [
            ...evidence,
            {
              question: have.pod.from,
              path: `spec.volumes[${volume.name}]`,
              observed: kindOf(volume),
              expected: `projected token for ${expected[0] ?? ''}`,
            },
          ],
        }
    }

    let open: string | undefined
    for (const { mechanism, path, volume } of files) {
      if (volume !== undefined || path.startsWith(`${apiTokenFolder}/`)) {
        // Something else may well write a token there: an agent in a sidecar, a CSI driver.
        if (volume !== undefined && volume.type !== 'projected')
          open = `what writes ${path} into volume ${volume.name} (${volume.type}) was not seen`
        continue
      }
      // A token that is there and mounted nowhere is another fault, and no pass.
      if (sources.some(({ source }) => source.audience !== undefined)) {
        open = `nothing is mounted where ${path} should be, although the pod has a token for a cloud`
        continue
      }
      // What a webhook would add to a manifest is not known.
      if (pod.uid === undefined && (accepted.asked === undefined || accepted.asked.includes(mechanism))) {
        open = `the pod is a manifest; whether a webhook adds the volume for ${path} is not known`
        continue
      }
      return {
        status: 'fail',
        message: 'no-token-volume',
        data: {
          ...place,
          pod: pod.name,
          path,
          expected: accepted.of[mechanism][0] ?? 'AUDIENCE',
        },
        evidence: [{ question: have.pod.from, path: 'spec.volumes', observed: pod.volumes.map(({ name }) => name) }],
      }
    }
    for (const { mechanism, volume, source, path } of files) {
      const ofApiServer = path.startsWith(`${apiTokenFolder}/`) && source?.audience === undefined
      if (!ofApiServer && (volume === undefined || source === undefined)) continue
      const expected = accepted.of[mechanism]
      const audience = source?.audience
      const [first = ''] = expected
      if (ofApiServer && expected.includes(accepted.apiServer ?? '')) continue
      if (ofApiServer && !accepted.apiServerCertain) {
        open = `${path} is the API server's own token, and for which audience that is was not seen`
        continue
      }
      const data = { ...place, volume: volume?.name ?? 'kube-api-access', expected: first }
      if (audience === undefined || audience === '')
        return {
          status: 'fail',
          message: 'audience-left-out',
          data: { ...data, apiAudience: accepted.apiServer ?? 'its own audience' },
          evidence: [...evidence, { question: have.pod.from, path: mechanisms[mechanism].variable, observed: path }],
          ...(ofApiServer ? { remedy: { words: nameAnother(data, mechanisms[mechanism].variable) } } : {}),
        }
      if (!expected.includes(audience))
        return {
          status: 'fail',
          message: 'audience-differs',
          data: { ...data, actual: audience, cloud: mechanisms[mechanism].cloud },
          evidence,
        }
    }
    const readsGoogle = pod.containers.some(({ env }) => 'GOOGLE_APPLICATION_CREDENTIALS' in env)
    const google = sources.filter(
      ({ source: { audience } }) => audience !== undefined && (cloudOfAudience(audience) === 'gcp' || readsGoogle),
    )
    const taken = accepted.google.flatMap(googleTakes)
    if (google.length > 0 && accepted.googleUnseen !== undefined)
      open ??= `which audiences the provider takes was not seen: ${accepted.googleUnseen}`
    // Of several projected tokens one may be for somebody else.
    const foreign = google.length === 1 && accepted.google.length > 0 ? google[0] : undefined
    if (foreign?.source.audience !== undefined && !taken.includes(foreign.source.audience))
      if (files.length === 0)
        return {
          status: 'fail',
          message: 'audience-differs',
          data: {
            ...place,
            volume: foreign.volume,
            actual: foreign.source.audience,
            cloud: 'Google STS',
            expected: taken[0] ?? '',
          },
          evidence,
        }

    for (const { volume, source } of sources) {
      const seconds = source.expirationSeconds
      if (seconds === undefined) continue
      if (seconds < least)
        return { status: 'fail', message: 'lifetime-too-short', data: { ...place, volume, seconds }, evidence }
      const cloud = source.audience === undefined ? undefined : cloudOfAudience(source.audience)
      if (cloud === 'azure' && seconds > entraMost)
        return {
          status: 'fail',
          message: 'lifetime-not-accepted',
          data: { ...place, volume, seconds, cloud: 'Microsoft Entra', accepted: `at most ${entraMost} s` },
          evidence,
        }
      if (cloud === 'gcp' && seconds > googleMost)
        return {
          status: 'fail',
          message: 'lifetime-not-accepted',
          data: { ...place, volume, seconds, cloud: 'Google STS', accepted: `at most ${googleMost} s` },
          evidence,
        }
    }
    const seconds = accepted.azureLifetime
    if (seconds !== undefined && (seconds < azureWebhook.least || seconds > azureWebhook.most))
      return {
        status: 'fail',
        message: 'lifetime-not-accepted',
        data: {
          ...place,
          volume: mechanisms.azure.volume,
          seconds,
          cloud: 'the Azure webhook',
          accepted: `${azureWebhook.least} to ${azureWebhook.most} s`,
        },
        evidence,
      }
    if (open !== undefined) return { status: 'undecided', lacks: open, evidence }
    const forCloud =
      files.length > 0 ||
      google.length > 0 ||
      sources.some(({ source }) => source.audience !== undefined && cloudOfAudience(source.audience) !== undefined)
    return forCloud
      ? { status: 'pass', evidence }
      : { status: 'not-applicable', reason: 'the pod names no token file of a cloud' }
  },
})
