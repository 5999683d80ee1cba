/** What the library takes from the environment by itself; everything else is for the command line to read. */

/** The database of a client that is not told one: `SLUICE_URI`, or `./data`. */
// biome-ignore lint/style/noProcessEnv: the only place outside of the command line
export const defaultUri = (): string => process.env.SLUICE_URI || "./data"
