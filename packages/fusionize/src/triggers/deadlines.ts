/** A wish of one trigger of one session to be told of a time. */
export type Deadline = [dueMs: number, session: string, trigger: number]

/** Adds to a heap whose first element is due first; ties go by session, then trigger. */
export function addDeadline(heap: Deadline[], deadline: Deadline): void {
  let at = heap.push(deadline) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!isBefore(deadline, heap[parent] as Deadline)) break
    heap[at] = heap[parent] as Deadline
    at = parent
  }
  heap[at] = deadline
}

/** Takes the deadline that is due first out of the heap. */
export function takeDeadline(heap: Deadline[]): Deadline | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (first === undefined || last === undefined || heap.length === 0) return first
  let at = 0
  for (let child = 1; child < heap.length; child = 2 * at + 1) {
    const other = heap[child + 1]
    if (other !== undefined && isBefore(other, heap[child] as Deadline)) child++
    if (!isBefore(heap[child] as Deadline, last)) break
    heap[at] = heap[child] as Deadline
    at = child
  }
  heap[at] = last
  return first
}

function isBefore(a: Deadline, b: Deadline): boolean {
  if (a[0] !== b[0]) return a[0] < b[0]
  return a[1] !== b[1] ? a[1] < b[1] : a[2] < b[2]
}
