/** Whether a check of what uses identities of Cluster API Provider AWS has anything to look at. */
import { userKinds } from '../../domain/capa.ts'
import { capaConcern } from './errors.ts'

export const userConcern = capaConcern('capa/user-concern', userKinds)
