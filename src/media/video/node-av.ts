/** Whether the FFmpeg that the package node-av brings can be used. */
import { messageOf } from "../../model/errors.ts"

/** Why it cannot: it is not installed, or its native part does not fit the system. */
export const nodeAvProblem = async (): Promise<string | undefined> => {
  try {
    await import("node-av/lib")
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}
