/** Names of columns, for what datasets on the Hub have under `names`. */
import { join } from "node:path"
import { expect, it } from "vitest"
import { LeRobotEpisodes } from "../../../src/formats/lerobot/episodes.ts"
import { LeRobotFrames } from "../../../src/formats/lerobot/frames.ts"
import { features, infoOf, writeInfo } from "../../fixtures/lerobot.ts"
import { tempFolder } from "../../fixtures/temp.ts"

const dataset = async (features: unknown, info: object = {}): Promise<string> => {
  const folder = await tempFolder()
  await writeInfo(join(folder, "d"), { ...infoOf("v2.1"), features, ...info })
  return join(folder, "d")
}

const framesOf = async (features: unknown, unpack = true): Promise<Record<string, string>> => {
  const schema = new LeRobotFrames({ datasetDir: await dataset(features), unpack }).schema()
  return Object.fromEntries(Object.entries(schema).slice(5))
}

const namesOf = async (names: unknown, size: number): Promise<string[]> =>
  Object.keys(await framesOf({ "observation.state": { dtype: "float32", shape: [size], names } }))

const videosOf = async (keys: readonly string[]): Promise<string[]> => {
  const features = Object.fromEntries(keys.map((key) => [key, { dtype: "video", shape: [4, 4, 3], names: null }]))
  return Object.keys(new LeRobotEpisodes({ datasetDir: await dataset(features) }).schema()).slice(3)
}

it("are those of the table that DROID has", async () => {
  const { "observation.state": state, action } = features("v2.1") as Record<string, unknown>
  expect(Object.keys(await framesOf({ action, "observation.state": state }))).toEqual([
    ...["x", "y", "z", "roll", "pitch", "yaw", "gripper"].map((name) => `action_${name}`),
    ...["x", "y", "z", "roll", "pitch", "yaw", "pad", "gripper"].map((name) => `state_${name}`),
  ])
  const droid = ["exterior_image_1_left", "exterior_image_2_left", "wrist_image_left"]
  const videos = ["exterior_1_video", "exterior_2_video", "wrist_video"]
  expect(await videosOf(droid.map((name) => `observation.images.${name}`))).toEqual(videos)
  expect(await videosOf(["exterior_1_left", "exterior_2_left", "wrist_left"])).toEqual(videos)
})

it("are found in lists, lists in lists, and lists or positions by name", async () => {
  expect(await namesOf(["a", "b"], 2)).toEqual(["state_a", "state_b"])
  expect(await namesOf([["a", "b"]], 2)).toEqual(["state_a", "state_b"])
  expect(await namesOf({ motors: ["a", "b"] }, 2)).toEqual(["state_a", "state_b"])
  expect(await namesOf({ arm: ["a"], hand: ["b", "c"] }, 3)).toEqual(["state_a", "state_b", "state_c"])
  expect(await namesOf({ b: 1, a: 0 }, 2)).toEqual(["state_a", "state_b"])
  expect(await namesOf(["shoulder_pan.pos", "Gelenk 1/β`"], 2)).toEqual(["state_shoulder_pan_pos", "state_Gelenk_1_β_"])
})

it("are numbers where there is not one for each value, or not one alone", async () => {
  for (const names of [null, [], ["a"], ["a", "b", "c"], ["a", "a"], ["a.b", "a b"], ["a", "A"], { motors: null }]) {
    expect(await namesOf(names, 2)).toEqual(["state_0", "state_1"])
  }
})

it("and types go by what a feature is", async () => {
  const one = (dtype: string, shape: readonly number[] = [1]) => ({ dtype, shape, names: null })
  expect(
    await framesOf({
      "observation.state": one("float64", [2]),
      actions: one("int64", [2]),
      "next.reward": one("float32"),
      "next.done": one("bool"),
      "observation.instruction": one("string"),
      "observation.tactile": one("float32", [500]),
      "observation.points": one("uint8", [3, 2]),
      "observation.column": one("int16", [1, 1]),
      "observation.image": one("image", [4, 4, 3]),
      "observation.images.top": one("video", [4, 4, 3]),
    }),
  ).toEqual({
    state_0: "FLOAT64",
    state_1: "FLOAT64",
    action_0: "INT64",
    action_1: "INT64",
    next_reward: "FLOAT32",
    next_done: "BOOL",
    instruction: "TEXT",
    tactile: "EMBEDDING(500)",
    points: "JSON",
    column: "INT32",
    image: "IMAGE",
  })
  expect(
    await framesOf({ "observation.state": one("float64", [2]), action: one("int64", [2]), x: one("bool") }, false),
  ).toEqual({ state: "EMBEDDING(2)", action: "JSON", x: "BOOL" })
})

it("are never given twice", async () => {
  const vector = { dtype: "float32", shape: [2], names: ["a", "b"] }
  const names = Object.keys(
    await framesOf({ "observation.state": vector, state: vector, State: vector, "a.b": vector }),
  )
  expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(8)
  expect(names.slice(0, 4)).toEqual(["state_a", "state_b", "state_a_2", "state_b_2"])
  const cameras = ["observation.images.cam_left", "observation.images.cam_right", "observation.image", "cam_left"]
  expect(await videosOf(cameras)).toEqual(["cam_left_video", "cam_right_video", "image_video", "cam_left"])
})
