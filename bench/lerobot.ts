/** Half a million frames of a LeRobot dataset, a column for each number of state and action. */
import type { Question } from "./harness.ts"
import { bareFrames, ourFrames, writeFrames } from "./lerobot-inputs.ts"

const question: Question = {
  title: "LeRobot: 510,000 frames, state and action of 26 numbers, unpacked",
  prepare: (folder) => writeFrames(folder, 510_000),
  variants: {
    sluice: (input, output) => ourFrames(input, output, true),
    bare: (input, output) => bareFrames(input, output, true),
  },
  goals: { bare: 0.8 },
}

export default question
