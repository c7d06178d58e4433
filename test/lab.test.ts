/** What the lab makes of a case, what it leaves behind, and `kubectl wi lab` itself. */
import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { CaseError } from '../src/lab/case-documents.ts'
import { startLab } from '../src/lab/lab.ts'
import { ask, closeLabs, demo, mint, refusal, start } from './labs.ts'

afterAll(closeLabs)

describe('a case', () => {
  const token = (kid: string) =>
    JSON.stringify({
      header: { alg: 'RS256', kid },
      payload: { iss: 'https://issuer.example/a', sub: 'system:serviceaccount:shop:cart' },
    })
  const keys = JSON.stringify({ keys: [{ kty: 'RSA', kid: 'first', n: 'AQAB', e: 'AQAB', use: 'sig', alg: 'RS256' }] })
  const account = 'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: cart, namespace: shop}\n'
  const provider = JSON.stringify({ Url: 'https://issuer.example/a', ClientIDList: ['sts.amazonaws.com'] })
  const policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' },
  })

  it.each([
    ['first', 'AccessDenied'],
    ['second', 'InvalidIdentityToken'],
  ])('whose tokens are signed with the key %s of its key set is answered with %s', async (kid, code) => {
    const lab = await start({
      'token.json': token(kid),
      'jwks.json': keys,
      'sa.yaml': account,
      '111122223333.json': provider,
      'cart.json': policy,
    })
    expect(lab.issuer).toBe('https://issuer.example/a')
    expect(await refusal(lab, await mint(lab))).toMatchObject({ code })
  })

  it('leaves nothing behind', async () => {
    const lab = await startLab(demo('broken'), {
      base: { PATH: '/bin', AWS_PROFILE: 'mine', AWS_SESSION_TOKEN: 'mine', HOME: '/home/me' },
    })
    const folder = path.dirname(lab.kubeconfig)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(statSync(lab.kubeconfig).mode & 0o777).toBe(0o600)
    expect(lab.env).toMatchObject({
      PATH: '/bin',
      HOME: '/home/me',
      AWS_REGION: 'us-west-2',
      AWS_ENDPOINT_URL_STS: lab.urls.sts,
    })
    expect(lab.env).not.toHaveProperty('AWS_PROFILE')
    expect(lab.env).not.toHaveProperty('AWS_SESSION_TOKEN')
    expect(await readFile(lab.kubeconfig, 'utf8')).toContain(
      'current-context: arn:aws:eks:us-west-2:111122223333:cluster/shop',
    )
    await lab.close()
    await lab.close()
    expect(existsSync(folder)).toBe(false)
    await expect(ask(lab, lab.urls.sts)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('that is not there, or is nothing, is one sentence', async () => {
    await expect(startLab('/nowhere')).rejects.toThrow(CaseError)
    await expect(startLab({ 'note.txt': 'nothing' })).rejects.toThrow('holds no document')
    await expect(startLab({ 'bad.yaml': 'a: [' })).rejects.toThrow(/bad\.yaml/)
  })
})
