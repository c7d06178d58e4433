/** A cluster that somebody names in place of the lane's own: what it calls its issuer, and the keys that it publishes. */
import { KubeConfig } from '@kubernetes/client-node'
import { isObject, type Json, listAt, textAt } from '../../src/core/json.ts'
import type { PublicKey } from './servers/issuer.ts'

export type GivenCluster = { readonly server: string; readonly issuer: string; readonly keys: readonly PublicKey[] }

/** @throws Error in one sentence where the cluster does not tell */
export async function askGivenCluster(kubeconfig: string): Promise<GivenCluster> {
  const config = new KubeConfig()
  config.loadFromFile(kubeconfig)
  const server = config.getCurrentCluster()?.server
  if (server === undefined) throw new Error(`${kubeconfig} names no current cluster`)
  const { request } = await import('node:https')
  const read = async (place: string): Promise<Json> => {
    const options: import('node:https').RequestOptions = { agent: false, timeout: 15_000 }
    await config.applyToHTTPSOptions(options)
    return new Promise((resolve, reject) => {
      const asked = request(`${server}${place}`, options, (reply) => {
        const parts: Buffer[] = []
        reply.on('data', (part: Buffer) => parts.push(part))
        reply.on('end', () => {
          if (reply.statusCode !== 200) return reject(new Error(`${server}${place} answered ${reply.statusCode}`))
          resolve(JSON.parse(Buffer.concat(parts).toString('utf8')))
        })
      })
      asked.on('timeout', () => asked.destroy(new Error(`${server} did not answer`)))
      asked.on('error', reject)
      asked.end()
    })
  }
  const issuer = textAt(await read('/.well-known/openid-configuration'), 'issuer')
  if (issuer === undefined) throw new Error(`${server} does not say which issuer it is`)
  const keys = listAt(await read('/openid/v1/jwks'), 'keys').filter(isObject)
  return { server, issuer, keys }
}
