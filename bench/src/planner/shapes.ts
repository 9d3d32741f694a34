import { type DagFigures, seededRandom, type TaskFigures } from '@fusionize/planner'

/** [share of DAGs up to, value]: production DAGs of Azure Durable Functions, 2021 (PAPERS §2). Between the published points the logarithm is taken as uniform. */
const WIDTH: Cdf = [
  [0.787, 1],
  [0.921, 2],
  [0.983, 10],
  [1, 100],
]
const DEPTH: Cdf = [
  [0.34, 1],
  [0.68, 2],
  [0.96, 5],
  [1, 135],
]
type Cdf = readonly (readonly [share: number, value: number])[]

/** Hand-over as measured on AWS Lambda (PAPERS §1): calls 24–40 ms at the median, sends 62–160 ms from 128 MB and 24–36 ms from 768 MB. */
const handOver: DagFigures['handOver'] = {
  call: { fixedMs: 30, scaledMbMs: 0, fullMb: 1769 },
  send: { fixedMs: 18, scaledMbMs: 11_000, fullMb: 1769 },
  map: { fixedMs: 30, scaledMbMs: 0, fullMb: 1769 },
}
/** Of calls that are not awaited, and of tasks that one more task calls. */
const SENDS = 0.15
const SHARED = 0.1

/**
 * An application with a given number of tasks: width and depth drawn from the production CDFs until such a DAG has room for the tasks; tasks of one
 * level are called in parallel by one of the level before. Times are drawn log-uniformly, 1 to 1000 ms.
 */
export function drawDag(tasks: number, seed: number): DagFigures {
  const random = seededRandom(seed)
  const pick = (count: number) => Math.floor(random() * count)
  const levels = levelsOf(tasks, random)
  const made: TaskFigures[][] = []
  let next = 0
  for (const size of levels) {
    const before = made.at(-1)
    const level = Array.from({ length: size }, () => taskOf(`t${String(next++).padStart(3, '0')}`, random))
    made.push(level)
    if (!before) continue
    for (const { name } of level) {
      const callers = random() < SHARED && before.length > 1 ? 2 : 1
      const start = pick(before.length)
      for (let k = 0; k < callers; k++) {
        const caller = before[(start + k) % before.length] as TaskFigures
        const mode = random() < SENDS ? 'send' : 'call'
        caller.calls?.push({ to: name, mode, times: 1, ...(mode === 'call' ? { group: 'level' } : {}) })
      }
    }
  }
  return { name: `drawn-${seed}`, entry: 't000', tasks: made.flat(), handOver, baseMb: 60 }
}

/** Tasks per level, the entry first. */
function levelsOf(tasks: number, random: () => number): number[] {
  for (;;) {
    const [width, depth] = [draw(WIDTH, random), draw(DEPTH, random)]
    if (depth > tasks || width * (depth - 1) + 1 < tasks || tasks < depth - 1 + width) continue
    const levels = Array.from({ length: depth }, () => 1)
    if (depth > 1) levels[1 + Math.floor(random() * (depth - 1))] = width
    for (let left = tasks - levels.reduce((a, b) => a + b, 0); left > 0; ) {
      const at = 1 + Math.floor(random() * (depth - 1))
      if ((levels[at] as number) >= width) continue
      levels[at] = (levels[at] as number) + 1
      left--
    }
    return levels
  }
}

function draw(cdf: Cdf, random: () => number): number {
  const u = random()
  const at = cdf.findIndex(([share]) => u <= share)
  const [to, high] = cdf[at] as Cdf[number]
  const [from, low] = cdf[at - 1] ?? [0, 0]
  if (high - low === 1) return high
  return Math.round(Math.exp(Math.log(low + 1) + ((u - from) / (to - from)) * (Math.log(high) - Math.log(low + 1))))
}

function taskOf(name: string, random: () => number): TaskFigures {
  const waits = random() < 0.4
  return {
    name,
    cpuMs: 1000 ** random(),
    waitMs: waits ? 1000 ** random() : 0,
    variation: 0.1 + 0.4 * random(),
    ownMb: Math.round(40 * random()),
    calls: [],
  }
}
