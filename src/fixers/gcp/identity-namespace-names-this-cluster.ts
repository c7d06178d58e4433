/** Writes into the store, or into the configuration, the one field as the cluster or the membership has it. */
import { check } from '../../checks/gcp/identity-namespace-names-this-cluster.ts'
import type { MessageData } from '../../core/check.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { rewritten } from '../../domain/gcp-configuration-changes.ts'
import { word } from '../../domain/gcp-words.ts'
import { patchObject } from '../../domain/kubernetes-changes.ts'
import { googleConfiguration } from '../../probes/gcp/objects.ts'

const needs = {}
const wants = { googleConfiguration }
type Brief = ProposalBrief<typeof needs, typeof wants, MessageData>

const field =
  (name: string) =>
  ({ data, finding: { subject } }: Brief): Proposal => {
    const [before, after] = [word(data, 'observed'), word(data, 'expected')]
    const resource = subject.kind === 'SecretStore' ? 'secretstores' : 'clustersecretstores'
    const { namespace } = subject
    const place = { resource, ...(namespace === undefined ? {} : { namespace }), name: subject.name }
    const path = ['spec', 'provider', 'gcpsm', 'auth', 'workloadIdentity', name]
    const summary = `Write ${name} of ${subject.kind} ${subject.name} as ${after}`
    return [{ summary, safety: 'review', ...patchObject(place, [{ path, before, after }]) }]
  }

/** A configuration names its pool in the audience; a tool that builds it from the project id has no field for it. */
const audience = (of: (before: string) => string) => (brief: Brief) => {
  const seen = brief.want.googleConfiguration
  return seen.state === 'known'
    ? (rewritten(seen.value.configuration, ['audience'], (before) => of(String(before))) ?? byHand)
    : byHand
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: {
    'location-differs': field('clusterLocation'),
    'cluster-differs': field('clusterName'),
    'project-differs': field('clusterProjectID'),
    'pool-rebuilt': (brief: Brief) =>
      audience((before) =>
        before.replace(/^identitynamespace:[^:]+:/, `identitynamespace:${word(brief.data, 'expected')}:`),
      )(brief),
    'fleet-audience-differs': (brief: Brief) =>
      audience(
        () =>
          `identitynamespace:${word(brief.data, 'pool')}:https://gkehub.googleapis.com/projects/${word(brief.data, 'fleetProject')}/locations/global/memberships/${word(brief.data, 'membership')}`,
      )(brief),
  },
})
