import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drained } from 'fusionize/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { measure, type Reading } from '../lib/reading'
import { store } from '../lib/store'
import signage from '../tasks/action-signage'
import analyzeSensor from '../tasks/analyze-sensor'
import checkAccident from '../tasks/check-accident'
import checkAir from '../tasks/check-air'
import checkSensor from '../tasks/check-sensor'
import checkSound from '../tasks/check-sound'
import checkSoundLevel from '../tasks/check-sound-level'
import checkTemperature from '../tasks/check-temperature'
import detectJam from '../tasks/detect-jam'
import storeEvent from '../tasks/store-event'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'iot-'))
  vi.stubEnv('IOT_STORE', folder)
  vi.stubEnv('IOT_SCALE', '0.001')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

const calm: Reading = { sensor: 's-7', at: 1, temperature: 20, sound: 60, airQuality: 50 }
const limits = async () =>
  (await store.entries('signs')).map(({ id, value }) => [id, (value as { speedLimit: number }).speedLimit])

test('a reading is answered with its name, its quality and its values', async () => {
  const reading = measure({ sensor: 's-7', at: 1 })
  expect(await analyzeSensor({ sensor: 's-7', at: 1 })).toEqual({ event: 's-7/1', quality: 'good', reading })
  await drained()
})

test('everything that follows from a reading is stored: the reading, one alert, accident and jam, and twice six signs', async () => {
  await analyzeSensor({ sensor: 's-7', at: 1 })
  await drained()
  expect((await store.dump()).split('\n').map((line) => line.split(' ')[0])).toEqual([
    'readings/s-7/1',
    'accidents#s-7/1',
    'alerts#s-7/1',
    'jams#s-7/1',
    ...['air', 'temperature'].flatMap((cause) => [1, 2, 3, 4, 5, 6].map((sign) => `signs#s-7/1/${cause}/${sign}`)),
  ])
})

test('a sensor that is not installed fails the request, and nothing is stored', async () => {
  await expect(analyzeSensor({ sensor: 's-100', at: 0 })).rejects.toThrow('s-100 measures -273 °C: replace it')
  await expect(analyzeSensor({ sensor: 's-100', at: 0 })).rejects.toMatchObject({
    name: 'SensorFault',
    code: 'SENSOR_FAULT',
  })
  await drained()
  expect(await store.dump()).toBe('')
})

test('the store ends up the same whatever the order of the requests, and when all are sent twice', async () => {
  const requests = Array.from({ length: 12 }, (_, i) => ({ sensor: `s-${i % 6}`, at: i % 2 }))
  for (const request of requests) await analyzeSensor(request)
  await drained()
  const inOrder = await store.dump()

  vi.stubEnv('IOT_STORE', join(folder, 'again'))
  await Promise.all([...requests, ...requests].reverse().map((request) => analyzeSensor(request)))
  await drained()
  expect(await store.dump()).toBe(inOrder)
})

test('check-sensor believes, doubts or refuses', async () => {
  expect(await checkSensor(calm)).toBe('good')
  expect(await checkSensor({ ...calm, sound: 99 })).toBe('doubtful')
  await expect(checkSensor({ ...calm, temperature: 90 })).rejects.toThrow('replace it')
})

test('store-event keeps the reading under its name', async () => {
  expect(await storeEvent(calm)).toBe('s-7/1')
  expect(await store.get('readings/s-7/1')).toEqual(calm)
})

test('check-temperature lowers the limit when the road may freeze', async () => {
  await checkTemperature({ ...calm, temperature: 2 })
  await checkTemperature({ ...calm, at: 2 })
  await drained()
  expect(await limits()).toEqual([
    ...[1, 2, 3, 4, 5, 6].map((sign) => [`s-7/1/temperature/${sign}`, 80]),
    ...[1, 2, 3, 4, 5, 6].map((sign) => [`s-7/2/temperature/${sign}`, 120]),
  ])
})

test('check-air lowers the limit in a jam', async () => {
  await checkAir({ ...calm, airQuality: 400 })
  await drained()
  expect(await limits()).toEqual([1, 2, 3, 4, 5, 6].map((sign) => [`s-7/1/air/${sign}`, 60]))
  expect(await store.entries('jams')).toEqual([{ id: 's-7/1', value: { jam: true } }])
})

test('detect-jam tells bad air from good', async () => {
  expect(await detectJam(calm)).toBe(false)
  expect(await detectJam({ ...calm, airQuality: 301 })).toBe(true)
})

test('check-sound asks for the level and for a crash', async () => {
  expect(await checkSound({ ...calm, sound: 97 })).toEqual({
    loud: await checkSoundLevel({ ...calm, sound: 97 }),
    accident: true,
  })
  expect(await store.entries('alerts')).toHaveLength(1)
})

test('check-sound-level compares with what the neighbours reported', async () => {
  await storeEvent({ ...calm, sensor: 's-6', sound: 40 })
  await storeEvent({ ...calm, sensor: 's-8', sound: 45 })
  expect(await checkSoundLevel(calm)).toBe(true)
  expect(await store.entries('alerts')).toEqual([{ id: 's-7/1', value: { loud: true, louderBy: 15 } }])
})

test('check-sound-level comes to the same result before and after the neighbours have reported', async () => {
  const reading = measure({ sensor: 's-0', at: 5 })
  const before = await checkSoundLevel(reading)
  for (const sensor of ['s-99', 's-1']) await storeEvent(measure({ sensor, at: 5 }))
  expect(await checkSoundLevel(reading)).toBe(before)
  expect(await store.entries('alerts')).toHaveLength(1)
})

test('check-accident hears a crash only in a loud sound at a prime level', async () => {
  expect(await checkAccident({ ...calm, sound: 89.2 })).toBe(true)
  expect(await checkAccident({ ...calm, sound: 90 })).toBe(false)
  expect(await checkAccident({ ...calm, sound: 61 })).toBe(false)
})

test('action-signage sets six signs, once however often it runs', async () => {
  await signage({ event: 's-7/1', cause: 'air', speedLimit: 60 })
  await signage({ event: 's-7/1', cause: 'air', speedLimit: 60 })
  expect(await limits()).toHaveLength(6)
})
