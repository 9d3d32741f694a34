/** Which sensor should be read: its `at`-th reading. */
export interface SensorRequest {
  /** `s-0` … `s-99` stand along the road. Others are not installed; what is read from them is nonsense. */
  sensor: string
  at: number
}

/** What a sensor measured. */
export interface Reading extends SensorRequest {
  /** °C. */
  temperature: number
  /** dB. */
  sound: number
  /** Index: 0 is clean, 500 hazardous. */
  airQuality: number
}

const installed = 100

/** Reads a sensor. The same reading gives the same values whenever and wherever it is taken. */
export function measure({ sensor, at }: SensorRequest): Reading {
  if (numberOf(sensor) >= installed) return { sensor, at, temperature: -273, sound: 0, airQuality: 0 }
  const draw = draws(`${sensor}@${at}`)
  return {
    sensor,
    at,
    temperature: Math.round(draw() * 550 - 150) / 10,
    sound: Math.round(draw() * 700 + 300) / 10,
    airQuality: Math.round(draw() * 500),
  }
}

/** Names a reading; what follows from it is stored under this name, so that doing it again changes nothing. */
export function eventOf({ sensor, at }: SensorRequest): string {
  return `${sensor}/${at}`
}

/** The sensors before and after this one on the ring road. */
export function neighbours(sensor: string): [string, string] {
  const number = numberOf(sensor)
  return [`s-${(number + installed - 1) % installed}`, `s-${(number + 1) % installed}`]
}

function numberOf(sensor: string): number {
  return Number(sensor.slice('s-'.length))
}

/** Numbers in [0, 1) that follow from `seed` alone: FNV-1a to start with, then xorshift. */
function draws(seed: string): () => number {
  let state = 2166136261
  for (const letter of seed) state = Math.imul(state ^ letter.charCodeAt(0), 16777619)
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
