/** GUIDs, by which Entra names tenants, applications and identities. */

/** Whether the whole text is one, in whatever case its letters are. */
export const isGuid = (text: string | undefined): text is string =>
  text !== undefined && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
