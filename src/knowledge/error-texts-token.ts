/** Known error texts about the token file in a pod: that it cannot be read, or that what was read from it had ended. */
import type { ErrorText } from '../domain/error-texts.ts'

export const tokenErrorTexts = [
  {
    fragment: 'Token expired: current date/time … must be before the expiration date/time',
    leads: [{ check: 'workload/token-is-fresh', message: 'expired' }],
    means: 'The token had expired before it was sent: the client keeps an old copy, or the file is not renewed.',
  },
  {
    fragment: 'ExpiredTokenException',
    leads: [{ check: 'workload/token-is-fresh', message: 'expired' }],
    means: 'The token had expired before it was sent: the client keeps an old copy, or the file is not renewed.',
  },
  {
    fragment:
      'The token included in the request is expired: current date/time … must be before the expiration date/time',
    leads: [{ check: 'workload/token-is-fresh', message: 'expired' }],
    means:
      'The EKS Pod Identity agent was shown a token that had expired: the client keeps an old copy, or the file is not renewed.',
  },
  {
    fragment: 'Service account token failed basic claim validations: token is expired',
    leads: [{ check: 'workload/token-is-fresh', message: 'expired' }],
    means:
      'The EKS Pod Identity agent was shown a token that had expired: the client keeps an old copy, or the file is not renewed.',
  },
  {
    fragment: 'ID Token issued at … is stale to sign-in',
    leads: [
      { check: 'workload/token-is-fresh', message: 'expired' },
      { check: 'gcp/token-is-current', message: 'stale' },
    ],
    means: 'Google STS was shown a token that had expired.',
  },
  {
    fragment: 'service account token has expired',
    leads: [{ check: 'workload/token-is-fresh', message: 'expired' }],
    means: 'The API server was shown a token that has expired.',
  },
  ...(['service account UID (…) does not match claim', 'does not match service account pod ref claim'] as const).map(
    (fragment): ErrorText => ({
      fragment,
      leads: [{ check: 'workload/token-is-fresh', message: 'bound-object-gone' }],
      means: 'The object that the token is bound to was replaced by another of the same name.',
    }),
  ),
  {
    fragment: 'Service account token cannot be empty',
    leads: [{ check: 'workload/token-file-is-readable' }],
    means: 'The Pod Identity agent was called without a token: the token file is empty, or was not read.',
  },
  {
    fragment: 'Service account token cannot be parsed',
    leads: [{ check: 'workload/token-is-for-this-workload', message: 'malformed' }],
    means: 'What was sent to the Pod Identity agent as a token is no JWT.',
  },
  {
    fragment: 'service account token has been invalidated',
    leads: [{ check: 'workload/token-is-fresh', message: 'bound-object-gone' }],
    means: 'The object that the token is bound to, its pod or its ServiceAccount, was deleted or replaced.',
  },
  {
    fragment: 'token … expired and refresh failed:',
    leads: [{ check: 'workload/token-is-fresh', message: 'not-rotated' }],
    means: 'The kubelet could not renew the token before it ended.',
  },
  {
    fragment: 'token: permission denied',
    leads: [{ check: 'workload/token-file-is-readable', message: 'mode-excludes-user' }],
    means: 'The process may not read its token file.',
  },
  {
    fragment: 'open /var/run/secrets/…: permission denied',
    leads: [{ check: 'workload/token-file-is-readable', message: 'mode-excludes-user' }],
    means: 'The process may not read its token file.',
  },
  {
    // As cat, Python, Node and Java say it.
    fragment: "/\\/(?:var\\/)?run\\/secrets\\/(?!azure\\/)[\\w.\\/-]{1,120}'?: Permission denied/",
    leads: [{ check: 'workload/token-file-is-readable', message: 'mode-excludes-user' }],
    means: 'The process may not read its token file.',
  },
  {
    fragment:
      "/(?:Permission denied:|Permission denied @ rb_sysopen -|EACCES: permission denied, open|AccessDeniedException:) '?\\/(?:var\\/)?run\\/secrets\\/(?!azure\\/)/",
    leads: [{ check: 'workload/token-file-is-readable', message: 'mode-excludes-user' }],
    means: 'The process may not read its token file.',
  },
  {
    fragment: 'open /var/run/secrets/…/token: no such file or directory',
    leads: [{ check: 'workload/token-file-is-readable', message: 'not-mounted' }],
    means: 'The token file that the variables name is not mounted.',
  },
  {
    // As .NET says it.
    fragment: "/Access to the path '\\/(?:var\\/)?run\\/secrets\\/(?!azure\\/)[\\w.\\/-]{1,120}' is denied/",
    leads: [{ check: 'workload/token-file-is-readable', message: 'mode-excludes-user' }],
    means: 'The process may not read its token file.',
  },
  {
    // As Node, Python, Ruby, Java and .NET say it.
    fragment:
      "/(?:ENOENT: no such file or directory, open|No such file or directory(?:: | @ rb_sysopen - )|NoSuchFileException:|Could not find (?:file|a part of the path)) ?'?\\/(?:var\\/)?run\\/secrets\\/(?!azure\\/|kubernetes)/",
    leads: [{ check: 'workload/token-file-is-readable', message: 'not-mounted' }],
    means: 'The token file that the variables name is not mounted.',
  },
  {
    fragment: 'unable to read file at /var/run/secrets/',
    leads: [{ check: 'workload/token-file-is-readable' }],
    means: 'The token file that the variables name cannot be read.',
  },
  {
    fragment: 'The file at … does not exist, or it is not a file',
    leads: [{ check: 'workload/token-file-is-readable', message: 'not-mounted' }],
    means: 'The token file that the client is pointed at is not mounted.',
  },
  {
    fragment: 'No content on the file',
    leads: [{ check: 'workload/token-file-is-readable' }],
    means: 'The token file that the client is pointed at is empty.',
  },
] as const satisfies readonly ErrorText[]
