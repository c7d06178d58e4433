/** What a pod template may be given: a variable, a volume with its mount, a container that waits; each beside what is there. */
import { at, isList, type Json, listAt, textAt } from '../core/json.ts'
import type { Path } from '../core/plan.ts'
import type { Edit } from './kubernetes-changes.ts'
import type { Held, Template } from './template-changes.ts'

/** A member more in a list, which may not be there yet. `place`: where the object with the list stands in the template. */
const joining = (json: Json | undefined, place: Path, list: string, member: Json): Edit =>
  isList(at(json, list)) ? { path: [...place, list, '-'], after: member } : { path: [...place, list], after: [member] }

/** Undefined where the container has the variable, whatever its value. */
export const withVariable = ({ json, path }: Held, name: string, value: string): Edit | undefined =>
  listAt(json, 'env').some((one) => textAt(one, 'name') === name)
    ? undefined
    : joining(json, path, 'env', { name, value })

/** A mount more in the container. */
export const withMount = ({ json, path }: Held, name: string, mountPath: string): Edit =>
  joining(json, path, 'volumeMounts', { name, mountPath, readOnly: true })

/** A volume more in the template; undefined where one has this name. */
export const withVolume = ({ template }: Template, volume: { readonly name: string; readonly [type: string]: Json }) =>
  listAt(template, 'spec', 'volumes').some((one) => textAt(one, 'name') === volume.name)
    ? undefined
    : joining(at(template, 'spec'), ['spec'], 'volumes', volume)

/** A container that runs to its end before the others start; undefined where one has this name. */
export const withInitContainer = (
  { template }: Template,
  container: { readonly name: string; readonly [member: string]: Json },
) =>
  listAt(template, 'spec', 'initContainers').some((one) => textAt(one, 'name') === container.name)
    ? undefined
    : joining(at(template, 'spec'), ['spec'], 'initContainers', container)

/** As the API server fills it in, so that what was added is what is found again. */
const fileMode = 0o644

/** A projected token, alone in its volume. */
export const tokenVolume = (name: string, audience: string, path: string) => ({
  name,
  projected: { defaultMode: fileMode, sources: [{ serviceAccountToken: { audience, expirationSeconds: 3600, path } }] },
})

/** A ConfigMap with one of its keys under a name of its own. */
export const configMapVolume = (name: string, configMap: string, key: string, path: string) => ({
  name,
  configMap: { name: configMap, defaultMode: fileMode, items: [{ key, path }] },
})
