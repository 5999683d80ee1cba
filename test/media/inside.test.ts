import { mkdir, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, it } from "vitest"
import { inside } from "../../src/media/inside.ts"
import { IngestError } from "../../src/model/errors.ts"
import { tempFolder } from "../fixtures/temp.ts"

it("gives what lies below the folder, and nothing else", async () => {
  const folder = await tempFolder()
  const root = join(folder, "root")
  await mkdir(join(root, "sub"), { recursive: true })
  await writeFile(join(folder, "secret"), "")
  await writeFile(join(root, "sub/a.jpg"), "")
  await symlink(join(folder, "secret"), join(root, "escape"))
  await symlink("sub", join(root, "alias"))
  // Begins with the name of the folder, and is not in it.
  await mkdir(join(folder, "root-too"))
  await symlink(join(folder, "root-too"), join(root, "sibling"))

  expect(await inside(root, "sub/a.jpg", "x")).toBe(join(root, "sub/a.jpg"))
  expect(await inside(root, "./alias/a.jpg", "x")).toBe(join(root, "sub/a.jpg"))
  const refused: readonly (readonly [string, RegExp])[] = [
    ["../secret", /^x: expected a path inside of .*found "\.\.\/secret", which goes up with "\.\."$/],
    ["sub/../../secret", /goes up/],
    ["sub\\..\\a.jpg", /goes up/],
    [join(root, "sub/a.jpg"), /is absolute/],
    ["C:\\a.jpg", /is absolute/],
    ["", /names no file/],
    ["a\0b", /names no file/],
    ["escape", /which leads to .*secret$/],
    ["sibling", /leads to/],
    [".", /leads to/],
    ["sub/b.jpg", /^File not found: .*root\/sub\/b\.jpg$/],
    ["sub/a.jpg/b", /^File not found: /],
  ]
  for (const [path, message] of refused) {
    const outcome = inside(root, path, "x")
    await expect(outcome).rejects.toThrow(IngestError)
    await expect(outcome).rejects.toThrow(message)
  }
})
