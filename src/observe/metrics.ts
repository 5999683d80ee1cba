/** Counters, gauges and histograms in Prometheus' text format, version 0.0.4. */

export type Labels = Readonly<Record<string, string>>

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

interface Family {
  readonly type: "counter" | "gauge" | "histogram"
  readonly help: string
  /** Forgets the series that have these labels. */
  readonly forget: (labels: Labels) => void
  readonly lines: (name: string) => Iterable<string>
}

export interface Counter {
  /** Adding 0 makes the series known, so that its first increase is one. */
  add(labels: Labels, by?: number): void
}

export interface Gauge {
  set(labels: Labels, value: number): void
}

export interface Histogram {
  observe(labels: Labels, value: number): void
  /** Adds what was counted elsewhere: how many values were up to each bound and not to the one before, and above all. */
  add(labels: Labels, counts: readonly number[], sum: number): void
}

export interface Metrics {
  counter(name: string, help: string): Counter
  gauge(name: string, help: string): Gauge
  /** `bounds` are the upper ones of the buckets, rising. */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram
  /** Has `update` called before each rendering, to set what is only worth knowing then; gives what ends that. */
  beforeRender(update: () => void): () => void
  /** Forgets all series that have these labels. */
  forget(labels: Labels): void
  render(): string
}

const escapeLabel = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"')

const escapeHelp = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")

const formatLabels = (labels: Labels): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`
}

const formatValue = (value: number): string => {
  if (value === Infinity) return "+Inf"
  return value === -Infinity ? "-Inf" : String(value)
}

interface Series<T> {
  readonly labels: Labels
  value: T
}

/** Series by their labels. */
const seriesOf = <T>(initial: () => T) => {
  const all = new Map<string, Series<T>>()
  return {
    all,
    get: (labels: Labels): Series<T> => {
      const key = formatLabels(labels)
      const series = all.get(key) ?? { labels, value: initial() }
      all.set(key, series)
      return series
    },
    forget: (labels: Labels): void => {
      for (const [key, series] of all) {
        if (Object.entries(labels).every(([name, value]) => series.labels[name] === value)) all.delete(key)
      }
    },
  }
}

export const createMetrics = (): Metrics => {
  const families = new Map<string, Family>()
  const updates = new Set<() => void>()

  const numbers = (type: "counter" | "gauge", name: string, help: string) => {
    const series = seriesOf(() => 0)
    families.set(name, {
      type,
      help,
      forget: series.forget,
      lines: function* () {
        for (const [labels, { value }] of series.all) yield `${name}${labels} ${formatValue(value)}`
      },
    })
    return series
  }

  return {
    counter: (name, help) => {
      const series = numbers("counter", name, help)
      return {
        add: (labels, by = 1) => {
          series.get(labels).value += by
        },
      }
    },
    gauge: (name, help) => {
      const series = numbers("gauge", name, help)
      return {
        set: (labels, value) => {
          series.get(labels).value = value
        },
      }
    },
    histogram: (name, help, bounds) => {
      const series = seriesOf(() => ({ counts: bounds.map(() => 0), count: 0, sum: 0 }))
      families.set(name, {
        type: "histogram",
        help,
        forget: series.forget,
        lines: function* () {
          for (const { labels, value } of series.all.values()) {
            const bucket = (le: string, count: number): string =>
              `${name}_bucket${formatLabels({ ...labels, le })} ${count}`
            for (const [at, bound] of bounds.entries()) yield bucket(formatValue(bound), value.counts[at] ?? 0)
            yield bucket("+Inf", value.count)
            yield `${name}_sum${formatLabels(labels)} ${formatValue(value.sum)}`
            yield `${name}_count${formatLabels(labels)} ${value.count}`
          }
        },
      })
      return {
        observe: (labels, given) => {
          const { value } = series.get(labels)
          for (const [at, bound] of bounds.entries()) if (given <= bound) value.counts[at] = (value.counts[at] ?? 0) + 1
          value.count++
          value.sum += given
        },
        add: (labels, counts, sum) => {
          const { value } = series.get(labels)
          let below = 0
          for (const [at, count] of counts.entries()) {
            below += count
            if (at < bounds.length) value.counts[at] = (value.counts[at] ?? 0) + below
          }
          value.count += below
          value.sum += sum
        },
      }
    },
    beforeRender: (update) => {
      updates.add(update)
      return () => updates.delete(update)
    },
    forget: (labels) => {
      for (const family of families.values()) family.forget(labels)
    },
    render: () => {
      for (const update of updates) update()
      const lines: string[] = []
      for (const [name, { type, help, lines: samples }] of families) {
        lines.push(`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`, ...samples(name))
      }
      return `${lines.join("\n")}\n`
    },
  }
}
