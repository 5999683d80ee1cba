import { diffVersions, type Plan, restoreVersion, run, tagVersion } from "sluice"

/** Brings a table in line with its source, and takes that back when more than `most` items have gone with it. */
export const carefulSync = async (plan: Plan, uri: string, most: number) => {
  const { table } = plan.sink
  await tagVersion(uri, table, "before-sync", { move: true })
  await run(plan)
  const removed: string[] = []
  for await (const { item, change } of diffVersions(uri, table, "before-sync"))
    if (change === "removed") removed.push(item)
  if (removed.length > most) await restoreVersion(uri, table, "before-sync")
  return { removed, restored: removed.length > most }
}
