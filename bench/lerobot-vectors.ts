/** Half a million frames of a LeRobot dataset, state and action one vector each. */
import type { Question } from "./harness.ts"
import { bareFrames, ourFrames, writeFrames } from "./lerobot-inputs.ts"

const question: Question = {
  title: "LeRobot: 510,000 frames, state and action of 26 numbers, as vectors",
  prepare: (folder) => writeFrames(folder, 510_000),
  variants: {
    sluice: (input, output) => ourFrames(input, output, false),
    bare: (input, output) => bareFrames(input, output, false),
  },
  goals: { bare: 0.8 },
}

export default question
