import { type Dataset, openTable } from "sluice"

type Frames = { readonly state: Float32Array; readonly action: Float32Array }
export type Checkpoint = { readonly seed: number; readonly position: number; readonly weight: number }

/** Goes on with an epoch where the checkpoint was made; `save` is called after each batch. */
export const trainEpoch = async (train: Dataset, from: Checkpoint, save: (now: Checkpoint) => void) => {
  let { weight } = from
  const { seed, position } = from
  const epoch = train.batches<Frames>(32, { columns: ["state", "action"], shuffle: true, seed, position })
  for await (const { state, action } of epoch) {
    let gradient = 0
    for (let i = 0; i < state.length; i++) gradient += (weight * (state[i] ?? 0) - (action[i] ?? 0)) * (state[i] ?? 0)
    weight -= gradient / state.length
    save({ seed, position: epoch.position, weight })
  }
  return weight
}

export const train = async (uri: string, table: string, save: (now: Checkpoint) => void) => {
  await using frames = await openTable(uri, table)
  const easy = await frames.query("SELECT state, action, episode WHERE episode < 100")
  const [training = easy, test = easy] = await easy.randomSplit([0.9, 0.1], 1)
  let weight = 0
  for (let epoch = 0; epoch < 3; epoch++)
    weight = await trainEpoch(training, { seed: epoch, position: 0, weight }, save)
  return { weight, tested: test.length }
}
