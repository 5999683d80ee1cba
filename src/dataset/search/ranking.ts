/** Rows by their scores: the best first, and of those with the same score the one that stands first in the table. */

/** Row ids and their scores, in order. */
export interface Ranking {
  readonly ids: BigInt64Array
  readonly scores: Float64Array
}

export interface Ranker {
  add(id: number, score: number): void
  /** Of those that were added, the best. To be asked for once. */
  best(): Ranking
}

const FIRST_SIZE = 1024

/**
 * Keeps the best `limit` rows (default: all) of those that are added, in 16 bytes each.
 *
 * Ids are numbers here: the store's ids stay below 2^53.
 */
export const ranker = (limit = Number.POSITIVE_INFINITY): Ranker => {
  let ids = new Float64Array(Math.min(limit, FIRST_SIZE))
  let scores = new Float64Array(ids.length)
  let count = 0

  const grow = (): void => {
    const size = Math.min(limit, 2 * ids.length)
    const wider = (values: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
      const next = new Float64Array(size)
      next.set(values)
      return next
    }
    ids = wider(ids)
    scores = wider(scores)
  }
  const at = (values: Float64Array, index: number): number => values[index] ?? 0
  const isWorse = (a: number, b: number): boolean =>
    at(scores, a) < at(scores, b) || (at(scores, a) === at(scores, b) && at(ids, a) > at(ids, b))
  const swap = (a: number, b: number): void => {
    const [id, score] = [at(ids, a), at(scores, a)]
    ids[a] = at(ids, b)
    scores[a] = at(scores, b)
    ids[b] = id
    scores[b] = score
  }
  /** The worst stands on top of the heap, to be replaced by what is better. */
  const sink = (from: number): void => {
    for (let parent = from; ; ) {
      let worst = parent
      for (const child of [2 * parent + 1, 2 * parent + 2]) if (child < count && isWorse(child, worst)) worst = child
      if (worst === parent) return
      swap(parent, worst)
      parent = worst
    }
  }

  return {
    add: (id, score) => {
      if (count < limit) {
        if (count === ids.length) grow()
        ids[count] = id
        scores[count] = score
        count++
        // Until it is full the order does not matter.
        if (count === limit) for (let parent = (count >> 1) - 1; parent >= 0; parent--) sink(parent)
        return
      }
      const worst = at(scores, 0)
      if (score < worst || (score === worst && id > at(ids, 0))) return
      ids[0] = id
      scores[0] = score
      sink(0)
    },
    best: () => {
      const order = new Uint32Array(count)
      for (let index = 0; index < count; index++) order[index] = index
      order.sort((a, b) => at(scores, b) - at(scores, a) || at(ids, a) - at(ids, b))
      return {
        ids: BigInt64Array.from(order, (index) => BigInt(at(ids, index))),
        scores: Float64Array.from(order, (index) => at(scores, index)),
      }
    },
  }
}

/** Scores to be looked up by row, in 16 bytes each. */
export const lookup = ({ ids, scores }: Ranking): ((id: number) => number | undefined) => {
  const order = Uint32Array.from(ids, (_, index) => index).sort((a, b) => Number(ids[a]) - Number(ids[b]))
  const sorted = Float64Array.from(order, (index) => Number(ids[index]))
  return (id) => {
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((sorted[middle] ?? 0) < id) low = middle + 1
      else high = middle
    }
    return sorted[low] === id ? scores[order[low] ?? 0] : undefined
  }
}
