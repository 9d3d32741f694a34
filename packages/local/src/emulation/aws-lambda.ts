/**
 * Delays of AWS Lambda in us-east/eu regions, Node functions, x86, as quantiles in ms at `levels`. From the public measurements of the
 * Fusionize prototype (January and June 2023, about 5,000 warm hand-overs of its IoT application) and, where these have no such case, from
 * the calibration over 570,000 records of the same origin. Replace the file to emulate another platform or another year.
 */
export const awsLambda = {
  name: 'aws-lambda',
  date: '2023-06-16',
  /** Probabilities that the quantiles below belong to. */
  levels: [0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1],
  /** Caller's wait minus callee's handler time, warm callee, by the caller's memory in MB. */
  call: {
    128: [18, 27, 32, 40, 54, 73, 101, 150, 365, 536],
    768: [14, 16, 17, 20, 24, 33, 50, 80, 282, 400],
  },
  /** Until an asynchronous invocation is accepted, warm caller, by the caller's memory in MB. */
  send: {
    128: [19, 44, 57, 79, 98, 118, 139, 155, 204, 349],
    768: [18, 20, 21, 23, 31, 38, 45, 56, 106, 132],
    1024: [18, 20, 21, 23, 28, 35, 42, 58, 114, 134],
    2048: [17, 20, 21, 22, 25, 30, 38, 57, 105, 151],
  },
  /** What a start-up adds to the caller's wait beyond a warm hand-over, INIT included. */
  startUp: [150, 590, 635, 790, 845, 960, 1075, 1130, 1290, 1590],
  /** INIT ms by size of the artifact in bytes. */
  init: [
    [1_000, 159],
    [1_000_000, 184],
    [4_000_000, 262],
    [16_000_000, 641],
    [64_000_000, 3110],
  ],
} as const
