// Installs the dependencies where that is still to be done, and puts `npx sluice` in place, which runs from the source.
// Runs on the machine's own Node, before there is any other.
import { spawnSync } from "node:child_process"
import { existsSync, statSync, symlinkSync } from "node:fs"

const installed = "node_modules/.package-lock.json"
const upToDate = existsSync(installed) && statSync(installed).mtimeMs >= statSync("package-lock.json").mtimeMs

if (!upToDate) {
  console.error("Installing dependencies ...")
  // Not `npm ci`: it refuses a lock that lacks an optional package of another platform, as registries with a part of
  // the packages make it. What is locked is installed as it is locked all the same.
  const { status } = spawnSync("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"], {
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
    // The video package would fetch a command-line ffmpeg that is not needed.
    env: { ...process.env, SKIP_FFMPEG: "true" },
  })
  if (status !== 0) process.exit(status ?? 1)
}

const bin = "node_modules/.bin/sluice"
if (process.platform !== "win32" && !existsSync(bin)) symlinkSync("../../src/cli/main.ts", bin)
