/** Addresses (`https://...`) in texts that are shown or stored. */

const ADDRESS = /\b([a-z][a-z0-9+.-]*:\/\/)(?:[^\s/?#"'@]*@)?([^\s?#"']*)([?#][^\s"']*)?/gi

/** The text without what may be secret in addresses: a name and password before the host, and what follows the path. */
export const withoutSecrets = (text: string): string =>
  text.replaceAll(ADDRESS, (_, scheme: string, place: string, rest?: string) =>
    rest === undefined ? `${scheme}${place}` : `${scheme}${place}${rest[0]}...`,
  )
