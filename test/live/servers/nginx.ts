/** nginx as interLink's guide puts it before a Kubernetes API: TLS with a certificate of its own, and the paths that it publishes. */
import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import path from 'node:path'
import type { Pair } from './certificates.ts'
import type { NginxPrograms } from './nginx-build.ts'
import { freePorts } from './ports.ts'
import { serve, until } from './processes.ts'

export type Published = {
  /** Left out: no TLS at all. */
  readonly certificate?: Pair
  /** `/api` and what is below it; with `= ` before it that path alone. */
  readonly paths: readonly string[]
  /** The API server, and the file with the root that has signed for it. */
  readonly upstream: string
  readonly trusted: string
}
export type RunningNginx = { readonly port: number; readonly stop: () => Promise<void> }

/** https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_verify */
const location = (where: string, { upstream, trusted }: Published): string => `
    location ${where} {
      proxy_pass ${upstream};
      proxy_ssl_verify on;
      proxy_ssl_name kubernetes.default.svc;
      proxy_ssl_trusted_certificate ${trusted};
    }`

/** A prefix of Kubernetes ends where a word of the path ends: https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types */
const places = (where: string): readonly string[] => (where.startsWith('= ') ? [where] : [`= ${where}`, `${where}/`])

export async function startNginx(programs: NginxPrograms, folder: string, published: Published): Promise<RunningNginx> {
  await mkdir(folder, { recursive: true })
  const [port = 0] = await freePorts(1)
  const { certificate, paths } = published
  if (certificate !== undefined) {
    await writeFile(path.join(folder, 'tls.crt'), certificate.cert)
    await writeFile(path.join(folder, 'tls.key'), certificate.key, { mode: 0o600 })
  }
  const tls =
    certificate === undefined ? '' : `ssl_certificate ${folder}/tls.crt;\n    ssl_certificate_key ${folder}/tls.key;`
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${folder}/${name};`)
    .join('\n')
  const config = `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
${scratch}
  server {
    listen 127.0.0.1:${port}${certificate === undefined ? '' : ' ssl'};
    ${tls}${paths
      .flatMap(places)
      .map((where) => location(where, published))
      .join('')}
    location / { return 404; }
  }
}
`
  const file = path.join(folder, 'nginx.conf')
  await writeFile(file, config)
  const server = serve('nginx', programs.program(['-p', folder, '-c', file, '-e', 'stderr']), path.join(folder, 'log'))
  await until(server, 20, () => listens(port))
  return { port, stop: server.stop }
}

const listens = (port: number): Promise<true | undefined> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const end = (found: true | undefined): void => {
      socket.destroy()
      resolve(found)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(undefined))
  })
