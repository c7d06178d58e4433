/** Ceph's RADOS Gateway on one monitor and one object store daemon in memory: a real STS, IAM and S3. */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import type { CephPrograms } from './gateway-build.ts'
import { freePorts } from './ports.ts'
import { run, type Server, serve, until } from './processes.ts'

/** Somebody with long-term credentials. */
export type User = {
  readonly account: string
  readonly name: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export type Users = {
  /** May do everything with roles and OIDC providers. */
  readonly admin: User
  /** In the same account, and may do nothing. */
  readonly bystander: User
  /** What admin is, in another account. */
  readonly stranger: User
}

export type Gateway = {
  /** Speaks http on loopback. */
  readonly url: string
  readonly users: Users
  readonly seconds: number
  readonly stop: () => Promise<void>
}

const starting = 90
/** Ceph calls it a tenant, and writes it into ARNs where AWS writes the account. */
const [account, elsewhere] = ['123456789012', '210987654321']
const everything = 'roles=*;oidc-provider=*;user-policy=*'

/** `proxy` is where the gateway finds issuers by their name. */
export async function startGateway(order: {
  readonly programs: CephPrograms
  readonly folder: string
  readonly proxy: string
}): Promise<Gateway> {
  const { programs, folder, proxy } = order
  const started = performance.now()
  const running: Server[] = []
  const stop = async (): Promise<void> => {
    for (const one of running.splice(0).reverse()) await one.stop()
  }
  const at = (...parts: readonly string[]): string => path.join(folder, ...parts)
  try {
    for (const data of ['mon', 'osd', 'rgw']) await mkdir(at(data), { recursive: true, mode: 0o700 })
    const [monitor = 0, http = 0] = await freePorts(2)
    const fsid = randomUUID()
    const address = `[v2:127.0.0.1:${monitor}/0]`
    await writeFile(at('ceph.conf'), configuration({ folder, fsid, address, http, places: programs.places }), {
      mode: 0o600,
    })
    const conf = ['-c', at('ceph.conf')]
    const once = (name: string, args: readonly string[]): Promise<string> =>
      run(programs.program(name, [...args, ...(name === 'monmaptool' ? [] : conf)]), starting)
    const daemon = (name: string, args: readonly string[], env: { readonly [name: string]: string } = {}): Server => {
      const program = programs.program(name, ['-f', ...args, ...conf])
      const server = serve(name, { ...program, env: { ...program.env, ...env } }, at(`${name}.out`))
      running.push(server)
      return server
    }

    await once('monmaptool', ['--create', '--fsid', fsid, '--addv', 'a', address, at('monmap')])
    await once('ceph-mon', ['--mkfs', '-i', 'a', '--monmap', at('monmap')])
    const mon = daemon('ceph-mon', ['-i', 'a'])
    const uuid = randomUUID()
    await until(mon, starting, () => once('ceph', ['osd', 'new', uuid, '--connect-timeout', '20']))
    await once('ceph-osd', ['--mkfs', '-i', '0', '--osd-uuid', uuid])
    const osd = daemon('ceph-osd', ['-i', '0'])
    await until(osd, starting, async () =>
      /\b1 up\b/.test(await once('ceph', ['osd', 'stat', '--connect-timeout', '20'])) ? true : undefined,
    )
    const user = async (tenant: string, name: string, caps?: string): Promise<User> => {
      const accessKeyId = `AKIA${randomBytes(8).toString('hex').toUpperCase()}`
      const secretAccessKey = randomBytes(20).toString('hex')
      await once('radosgw-admin', [
        ...['user', 'create', '--tenant', tenant, '--uid', name, '--display-name', name],
        ...['--access-key', accessKeyId, '--secret-key', secretAccessKey],
        ...(caps === undefined ? [] : ['--caps', caps]),
      ])
      return { account: tenant, name, accessKeyId, secretAccessKey }
    }
    // One after the other: the first makes the pools that all of them need.
    const users = {
      admin: await user(account, 'admin', everything),
      bystander: await user(account, 'bystander'),
      stranger: await user(elsewhere, 'stranger', everything),
    }
    // libcurl, by which the gateway fetches key sets, knows the proxy by these names alone.
    const gateway = daemon('radosgw', ['-n', 'client.rgw'], { https_proxy: proxy, no_proxy: '127.0.0.1' })
    const url = `http://127.0.0.1:${http}`
    await until(gateway, starting, async () => ((await status(url)) === 200 ? true : undefined))
    return { url, users, seconds: (performance.now() - started) / 1000, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function status(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false, timeout: 5000 }, (reply) => {
      reply.resume()
      reply.on('end', () => resolve(reply.statusCode ?? 0))
    })
    asked.on('timeout', () => asked.destroy(new Error('no answer within 5 s')))
    asked.on('error', reject)
    asked.end()
  })
}

function configuration(order: {
  readonly folder: string
  readonly fsid: string
  readonly address: string
  readonly http: number
  readonly places: { readonly [setting: string]: string }
}): string {
  const { folder, fsid, address, http, places } = order
  const sections: { readonly [section: string]: { readonly [setting: string]: string } } = {
    global: {
      fsid,
      'mon host': address,
      'public addr': '127.0.0.1',
      'cluster addr': '127.0.0.1',
      // Everything is on loopback and forgotten at the end: keys between the daemons would protect nothing.
      'auth cluster required': 'none',
      'auth service required': 'none',
      'auth client required': 'none',
      'run dir': folder,
      'admin socket': '',
      'pid file': '',
      'log file': path.join(folder, '$name.log'),
      'log to stderr': 'false',
      'mon cluster log file': path.join(folder, 'cluster.log'),
      'crash dir': path.join(folder, 'crash'),
      keyring: path.join(folder, 'keyring'),
      'osd pool default size': '1',
      'osd pool default min size': '1',
      'osd pool default pg num': '4',
      'osd pool default pg autoscale mode': 'off',
      'osd crush chooseleaf type': '0',
      'mon allow pool size one': 'true',
      'mon max pg per osd': '10000',
      // Changes wait two seconds for company by default; each of the gateway's pools is several.
      'paxos propose interval': '0.05',
      'paxos min wait': '0.01',
      ...places,
    },
    mon: { 'mon data': path.join(folder, 'mon'), 'mon initial members': 'a', 'mon data avail crit': '1' },
    osd: {
      'osd data': path.join(folder, 'osd'),
      'osd journal': path.join(folder, 'osd', 'journal'),
      'osd objectstore': 'memstore',
      'memstore device bytes': '1073741824',
      'osd class load list': '*',
      'osd class default list': '*',
    },
    'client.rgw': {
      // The gateway asks for an encrypted way to the monitor, which there is none of without keys.
      'ms mon client mode': 'crc',
      'rgw data': path.join(folder, 'rgw'),
      'rgw frontends': `beast endpoint=127.0.0.1:${http}`,
      'rgw enable apis': 's3, iam, sts',
      'rgw s3 auth use sts': 'true',
      'rgw sts key': randomBytes(8).toString('hex'),
      // The issuer's certificate is the lane's own.
      'rgw verify ssl': 'false',
      'rgw enable usage log': 'false',
      'rgw thread pool size': '64',
    },
  }
  return Object.entries(sections)
    .map(([name, settings]) =>
      [`[${name}]`, ...Object.entries(settings).map(([key, value]) => `${key} = ${value}`), ''].join('\n'),
    )
    .join('\n')
}
