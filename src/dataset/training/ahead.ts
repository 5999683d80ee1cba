/** Asks for values before they are wanted, so that making them goes on while the last one is worked on. */
export async function* ahead<T>(source: AsyncGenerator<T>, count: number): AsyncGenerator<T> {
  const asked: Promise<IteratorResult<T>>[] = []
  const ask = (): void => {
    const next = source.next()
    // Its failure is seen when its turn comes; until then it must not count as one that nobody looks at.
    next.catch(() => {})
    asked.push(next)
  }
  try {
    for (;;) {
      while (asked.length <= count) ask()
      const next = await asked.shift()
      if (!next || next.done) return
      yield next.value
    }
  } finally {
    await Promise.allSettled(asked)
    await source.return(undefined)
  }
}
