/** Largest payloads of Lambda, bytes ("Lambda quotas", AWS Lambda Developer Guide; PAPERS §4), less what the envelope around an input takes. */
const ENVELOPE_BYTES = 4096

export const CALL_BYTES = 6 * 2 ** 20 - ENVELOPE_BYTES
export const SEND_BYTES = 2 ** 20 - ENVELOPE_BYTES

/** Ms that a function keeps of the time Lambda gives it, to say that its task took too long. */
export const LAST_WORDS_MS = 150
