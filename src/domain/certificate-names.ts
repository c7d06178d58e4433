/** Names in certificates: whom one is issued to or by, and which addresses it is good for. */

/** `CN=a, O=b` whatever the order and the spaces. */
export const plainName = (name: string): string =>
  name
    .split(/,\s*/)
    .map((one) => one.trim())
    .sort()
    .join(',')

/** Whether a name, a star for its first part among them, stands for this address. */
export const covers = (name: string, address: string): boolean =>
  name.toLowerCase() === address.toLowerCase() ||
  (name.startsWith('*.') && address.toLowerCase().split('.').slice(1).join('.') === name.slice(2).toLowerCase())
