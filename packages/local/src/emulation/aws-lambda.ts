/**
 * Delays of AWS Lambda: Node functions, x86, 2023. Computed from the public measurements of the Fusionize prototype's IoT application
 * (`iterations-january`, `iterations-june`, `burst` and `cold-starts`: 27 setups, 1,134 requests), each run with the same
 * weight; what these do not contain (a caller with more memory than 128 MB that calls) is from the calibration over 570,000 records of the
 * same origin. How each table was made: docs/decisions/022-emulation.md. Replace the file to emulate another platform or another year.
 */
export const awsLambda = {
  name: 'aws-lambda',
  /** Day of the newest measurement. */
  date: '2023-06-22',
  /** Probabilities that the quantiles (ms) below belong to. */
  levels: [0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1],
  /**
   * A hand-over by mode, state of the caller and memory of the caller in MB. `call`: the caller's wait minus the callee's handler time, callee
   * warm. `send`: until the invocation is accepted. A size that a state lacks is taken from `warm`.
   *
   * `cold`: no hand-over of this sandbox has come back yet (it connects first). `later`: the same invocation handed over before;
   * `coldLater`: so did it, and it was the first of its sandbox that handed over. `parallel`: goes out while another hand-over of the sandbox
   * is under way; sends only of warm invocations that had not handed over before, the others are as their first.
   */
  handOver: {
    call: {
      warm: {
        128: [0, 0, 1, 20, 35, 46, 59, 69, 136, 477],
        768: [14, 16, 17, 20, 24, 33, 50, 80, 282, 400],
      },
      cold: {
        128: [280, 294, 309, 323, 342, 360, 397, 398, 454, 477],
        // As warm, and what a cold send costs more than a warm one: nobody measured such a call.
        768: [41, 46, 47, 58, 56, 71, 89, 116, 282, 400],
      },
      coldLater: {
        // Only six such calls had a warm callee.
        128: [80, 81, 82, 87, 108, 133, 142, 144, 146, 146],
      },
      parallel: {
        128: [21, 39, 45, 54, 64, 74, 86, 101, 130, 170],
      },
    },
    send: {
      warm: {
        128: [29, 63, 74, 82, 100, 119, 140, 155, 203, 341],
        768: [18, 20, 21, 23, 32, 38, 45, 53, 97, 132],
        1024: [18, 20, 21, 23, 29, 35, 41, 51, 113, 133],
        1536: [20, 21, 22, 23, 25, 31, 39, 69, 118, 184],
        2048: [17, 20, 21, 23, 25, 29, 37, 52, 101, 151],
      },
      cold: {
        128: [54, 101, 118, 174, 252, 322, 359, 380, 512, 593],
        768: [45, 50, 51, 61, 64, 76, 84, 89, 97, 99],
        1024: [32, 38, 39, 42, 51, 60, 95, 101, 107, 108],
        2048: [34, 35, 37, 48, 54, 56, 72, 80, 86, 88],
      },
      later: {
        128: [19, 30, 39, 52, 72, 94, 119, 152, 196, 268],
      },
      coldLater: {
        128: [75, 81, 88, 99, 110, 129, 159, 170, 217, 257],
      },
      parallel: {
        128: [45, 68, 79, 86, 101, 120, 140, 150, 196, 349],
        768: [19, 20, 21, 22, 24, 29, 50, 68, 114, 132],
        1024: [19, 20, 21, 23, 25, 30, 40, 85, 116, 134],
        1536: [20, 22, 22, 23, 25, 28, 42, 75, 125, 129],
        2048: [19, 21, 22, 23, 24, 28, 37, 48, 81, 96],
      },
    },
  },
  /**
   * Probability, by the caller's memory in MB, that a hand-over takes as long as the one that it goes out beside: what hand-overs that leave a
   * sandbox together share (its CPU, its connection). From the rank correlation of three such sends: 0.58 at 128 MB, 0.23 above.
   */
  together: { 128: 0.66, 768: 0.31 },
  /** What a start-up adds to the caller's wait beyond a hand-over to a warm callee, INIT included. */
  startUp: [93, 432, 448, 487, 531, 634, 751, 807, 945, 1237],
  /** INIT ms by size of the artifact in bytes. */
  init: [
    [1_000, 159],
    [1_000_000, 184],
    [4_000_000, 262],
    [16_000_000, 641],
    [64_000_000, 3110],
  ],
} as const
