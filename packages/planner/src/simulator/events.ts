/** What is to happen, in the lowest three bits of an event; above them the id of what it happens to. */
export const Event = {
  /** The next request arrives. */
  ARRIVE: 0,
  /** An invocation has been handed over. */
  DELIVER: 1,
  /** The sandbox of an invocation has started. */
  READY: 2,
  /** Something changes in what a sandbox computes. */
  CPU: 3,
  /** A frame has waited. */
  WAKE: 4,
  /** What a frame put has been handed over. */
  PUT: 6,
  /** A reply reaches the caller. */
  REPLY: 5,
  /** The sandbox of an invocation that has ended can take another. */
  FREE: 7,
} as const
