/** `sluice validate FILE...` */
import { escapeText } from "../../observe/escape.ts"
import { formatTime, nextTimes, parseCron } from "../../schedule/cron.ts"
import { print } from "../console.ts"
import { loadAll } from "../documents.ts"
import type { Environment } from "../environment.ts"

/** So many of the next times are shown. */
const TIMES_SHOWN = 5

export const validateCommand = async (
  files: readonly string[],
  options: { readonly set?: readonly string[]; readonly strict?: boolean },
  env: Environment,
): Promise<void> => {
  for (const { file, document, guarantee, schedule } of await loadAll(files, options.set ?? [], env, options)) {
    print(escapeText(`${file}: pipeline ${JSON.stringify(document.name)} is valid`))
    for (const line of guarantee) print(escapeText(`  ${line}`))
    if (!schedule) continue
    const times = parseCron(schedule.cron, schedule.timezone)
    print(escapeText(`  ${times.cron} in ${times.timezone}, next at`))
    for (const at of nextTimes(times, Date.now(), TIMES_SHOWN)) print(`  ${formatTime(at, times.timezone)}`)
  }
}
