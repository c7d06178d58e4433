/** What is used of postject, which brings no types. */
declare module 'postject' {
  /** Writes `data` into an executable file, where the program finds it under this name. */
  export function inject(
    file: string,
    name: string,
    data: Buffer,
    options: { readonly sentinelFuse: string; readonly machoSegmentName?: string },
  ): Promise<void>
}
