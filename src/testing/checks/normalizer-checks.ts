/** What a run relies on in a normalizer. */
import { readFile, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
import type { Feed } from "../../model/feed.ts"
import type { Normalizer } from "../../model/normalizer.ts"
import { NORMALIZERS } from "../../normalizers/index.ts"
import { filesFeed, planOf } from "../../pipeline.ts"
import { memory } from "../../sinks/memory.ts"
import { files } from "../../sources/files.ts"
import { type Check, expected, inFolder, tryRun } from "./check.ts"
import { feedChecks } from "./feed-checks.ts"

/** What is left of a file that is cut off. */
const SHARES = [0, 0.25, 0.5, 0.75, 0.95]

/** Milliseconds that a damaged file may take. */
const TIMEOUT = 20_000

const feedOf = (normalizer: Normalizer, include: string | readonly string[]): Feed => {
  const others = NORMALIZERS.filter(({ name }) => name !== normalizer.name)
  const { columnTypes: _, ...feed } = filesFeed(files({ include }), {}, [normalizer, ...others])
  return { ...feed, columnTypes: normalizer.columns }
}

/**
 * Checks of a normalizer.
 *
 * @param samples paths of small files that it can read.
 * @example
 * ```ts
 * import { test } from "node:test"
 * import { normalizerChecks } from "sluice/testing"
 * import type { Normalizer } from "sluice"
 *
 * declare const subtitles: Normalizer
 * for (const { name, run } of normalizerChecks(subtitles, ["./samples/talk.srt"])) test(name, run)
 * ```
 */
export const normalizerChecks = (normalizer: Normalizer, samples: readonly string[]): readonly Check[] => [
  {
    name: "takes the samples, by their names or by what is in them",
    run: async () => {
      for (const sample of samples) {
        const sink = memory({ table: "checked" })
        const { rowsByMedium, rows, failure } = await tryRun(
          planOf({ name: "checks", feed: feedOf(normalizer, sample), sink }),
        )
        const found = failure ?? `rows of ${Object.keys(rowsByMedium).join(", ") || "nothing"}`
        expected(
          rows > 0 && rowsByMedium[normalizer.name] === rows,
          `${sample}: expected rows of the medium ${normalizer.name}, found ${found}`,
        )
      }
    },
  },
  ...feedChecks(() => feedOf(normalizer, samples)),
  {
    name: "lives through files that are cut off",
    run: () =>
      inFolder(async (folder) => {
        for (const sample of samples) {
          const bytes = await readFile(sample)
          for (const share of SHARES) {
            const cut = bytes.subarray(0, Math.floor(bytes.length * share))
            await writeFile(join(folder, `${share}-${basename(sample)}`), cut)
          }
        }
        const plan = planOf(
          { name: "checks", feed: feedOf(normalizer, folder), sink: memory({ table: "checked" }) },
          { errors: { max: SHARES.length * samples.length }, workers: { timeout: TIMEOUT } },
        )
        const { workersLost, failure } = await tryRun(plan)
        expected(
          workersLost === 0,
          `expected an error, or what is left of the rows, for each; found ${workersLost} workers that died or hung: ${failure}`,
        )
      }),
  },
]
