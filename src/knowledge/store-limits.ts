/** How large what is written at once may be, store by store: a mounter that writes in small parts ends at a small file. */

type Limits = readonly (readonly [name: string, value: string])[]

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const s3: Limits = [
  ['one put', 'up to 5 GiB'],
  ['in parts', '10,000 parts of 5 MiB to 5 GiB each'],
  ['so', 'a mounter that writes parts of 8 MiB ends at 78 GiB, with 5 MiB at 48 GiB'],
]

/** https://cloud.google.com/storage/quotas#objects */
const gcs: Limits = [
  ['one put', 'up to 5 TiB'],
  [
    'in parts',
    '10,000 parts of 5 MiB to 5 GiB each by the XML interface; chunks of a resumable upload are multiples of 256 KiB',
  ],
]

/** https://learn.microsoft.com/azure/storage/blobs/scalability-targets */
const blob: Limits = [
  ['one put', 'up to 5000 MiB'],
  ['in parts', '50,000 blocks of up to 4000 MiB each'],
  ['so', 'a mounter that writes blocks of 16 MiB ends at 781 GiB'],
]

export const storeLimits = { s3, gcs, blob } as const
