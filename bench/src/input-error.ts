/** Something that the user gave is wrong; the message says what and where. */
export class InputError extends Error {
  override name = 'InputError'
}
