/** What the command line is told by environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>
