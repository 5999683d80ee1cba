/** What is told of an error, and the exit code that it gives. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { exitCodeOf } from "../../src/cli/failure.ts"
import { ConfigError, IngestError } from "../../src/model/errors.ts"

describe("an error", () => {
  let told = ""
  beforeEach(() => {
    told = ""
    vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      told += String(text)
      return true
    })
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it("that is meant for people is its message, without anything that acts upon a terminal", () => {
    expect(exitCodeOf(new IngestError("cannot read a\u001b[2Jb"))).toBe(1)
    expect(told).toBe("error: cannot read a\\x1b[2Jb\n")
  })

  it("with places keeps them at the start of the line", () => {
    expect(exitCodeOf(new ConfigError("p.yaml:1:2  name: missing\np.yaml:2:2  x: unknown key"))).toBe(2)
    expect(told).toBe("p.yaml:1:2  name: missing\np.yaml:2:2  x: unknown key\n")
  })

  it("of the system is no bug", () => {
    const denied = Object.assign(new Error("EACCES: permission denied, mkdir '/x'"), {
      code: "EACCES",
      syscall: "mkdir",
    })
    expect(exitCodeOf(denied)).toBe(1)
    expect(told).toBe("error: EACCES: permission denied, mkdir '/x'\n")
  })

  it("that nobody foresaw is a bug, and shows where", () => {
    expect(exitCodeOf(new TypeError("x is not a function"))).toBe(1)
    expect(told).toMatch(/^This is a bug in sluice, please report it:\nTypeError: x is not a function\n {4}at /)
  })
})
