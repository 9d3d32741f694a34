/** The sensor delivers what cannot be. */
export class SensorFault extends Error {
  override readonly name = 'SensorFault'
  readonly code = 'SENSOR_FAULT'
}
