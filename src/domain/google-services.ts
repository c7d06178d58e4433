/** The services of Google Cloud that are spoken to, by the first word of their host below googleapis.com. */
export const googleServices = [
  'container',
  'iam',
  'iamcredentials',
  'sts',
  'cloudresourcemanager',
  'storage',
  'serviceusage',
] as const
export type GoogleService = (typeof googleServices)[number]
