/** What the texts of the EFS mount helper say of how it was called. */

/** Of a file system whose policy lets nobody in by name, and of one that refuses whom it knows: https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html */
export const isEfsDenial = (text: string): boolean =>
  /access denied by server while mounting 127\.0\.0\.1:\//.test(text)

const called = /-t efs -o (\S{1,400})/

/** What is no error by itself, but tells how the helper was called. */
export const tellsOfEfs = (text: string): boolean =>
  called.test(text) || /AWS credentials source used for IAM authentication/.test(text)

/** The options that a text shows; `iam` alone where it only shows that IAM was used. */
export function efsOptionsIn(text: string): readonly string[] {
  const options = called.exec(text)?.[1]?.split(',')
  return options ?? (/AWS credentials source used for IAM authentication/.test(text) ? ['iam', 'tls'] : [])
}
