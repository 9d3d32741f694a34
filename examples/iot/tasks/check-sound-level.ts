import { task } from 'fusionize'
import { eventOf, measure, neighbours, type Reading, type SensorRequest } from '../lib/reading'
import { store } from '../lib/store'

/** Says whether it is much louder here than at both neighbours. */
export default task('check-sound-level', async (reading: Reading) => {
  const { at, sensor, sound } = reading
  const around = await Promise.all(neighbours(sensor).map((neighbour) => readingOf({ sensor: neighbour, at })))
  const louderBy = Math.round(sound - Math.max(...around.map((other) => other.sound)))
  const loud = louderBy > 10
  await store.append('alerts', eventOf(reading), { loud, louderBy })
  return loud
})

/** A neighbour that has not reported yet is read directly: the same values, so nothing depends on who was first. */
async function readingOf(asked: SensorRequest): Promise<Reading> {
  return (await store.get<Reading>(`readings/${eventOf(asked)}`)) ?? measure(asked)
}
