/** Plans that know secrets, and tell none of them: not in messages, events, records of items, or where tables are. */
import type { Plan } from "../engine/plan.ts"
import { type Hide, withHiddenMessage } from "../model/hidden.ts"
import type { Item } from "../model/item.ts"
import type { Sink } from "../model/sink.ts"
import type { Source, SourceContext } from "../model/source.ts"

const hiddenSource = (source: Source, hide: Hide): Source => ({
  ...source,
  items: async function* ({ signal, warn }: SourceContext): AsyncGenerator<Item> {
    try {
      for await (const item of source.items({ signal, warn: (message) => warn(hide(message)) })) {
        yield item.error === undefined ? item : { ...item, error: hide(item.error) }
      }
    } catch (error) {
      throw withHiddenMessage(error, hide)
    }
  },
})

const hiddenSink = (sink: Sink, hide: Hide): Sink => {
  const guarded = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await call()
    } catch (error) {
      throw withHiddenMessage(error, hide)
    }
  }
  return {
    ...sink,
    uri: hide(sink.uri),
    open: (options) => guarded(() => sink.open(options)),
    view: () => guarded(() => sink.view()),
  }
}

/** The plan, where `hide` takes its secrets out of what anybody is told. */
export const withHidden = (plan: Plan, hide: Hide): Plan => ({
  ...plan,
  feed: { ...plan.feed, source: hiddenSource(plan.feed.source, hide) },
  sink: hiddenSink(plan.sink, hide),
  hide,
})
