/** Which mounter can use which credential, by version: the data behind the checks of storage. */
import type { Tool } from '../domain/mounters.ts'
import recorded from './mounters.json' with { type: 'json' }

export const mounters: readonly Tool[] = recorded.tools
