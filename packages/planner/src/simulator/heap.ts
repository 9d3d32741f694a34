/**
 * What is to happen, earliest first; of equal times what was added first. A heap with four children a node on typed arrays: no allocation
 * per event but when it grows.
 */
export class EventHeap {
  size = 0
  /** Of the event that `pop` returned last. */
  time = 0
  private times = new Float64Array(1024)
  private orders = new Float64Array(1024)
  private events = new Int32Array(1024)
  private order = 0

  push(time: number, event: number): void {
    if (this.size === this.times.length) this.grow()
    const { times, orders, events } = this
    let i = this.size++
    while (i > 0) {
      const up = (i - 1) >> 2
      // What is added now comes after all of its time.
      if ((times[up] as number) <= time) break
      times[i] = times[up] as number
      orders[i] = orders[up] as number
      events[i] = events[up] as number
      i = up
    }
    times[i] = time
    orders[i] = this.order++
    events[i] = event
  }

  /** The next event; its time is in `time`. Only when `size` is above 0. */
  pop(): number {
    const { times, orders, events } = this
    const first = events[0] as number
    this.time = times[0] as number
    const size = --this.size
    const time = times[size] as number
    const order = orders[size] as number
    let i = 0
    for (;;) {
      const from = i * 4 + 1
      if (from >= size) break
      let least = from
      let leastTime = times[from] as number
      const to = from + 4 < size ? from + 4 : size
      for (let child = from + 1; child < to; child++) {
        const t = times[child] as number
        if (t < leastTime || (t === leastTime && (orders[child] as number) < (orders[least] as number))) {
          least = child
          leastTime = t
        }
      }
      if (time < leastTime || (time === leastTime && order < (orders[least] as number))) break
      times[i] = leastTime
      orders[i] = orders[least] as number
      events[i] = events[least] as number
      i = least
    }
    times[i] = time
    orders[i] = order
    events[i] = events[size] as number
    return first
  }

  private grow(): void {
    const length = 2 * this.times.length
    this.times = grown(this.times, new Float64Array(length))
    this.orders = grown(this.orders, new Float64Array(length))
    this.events = grown(this.events, new Int32Array(length))
  }
}

export function grown<T extends Float64Array | Int32Array>(from: T, into: T): T {
  into.set(from)
  return into
}
