/** Largest payloads of Lambda, bytes ("Lambda quotas", AWS Lambda Developer Guide; PAPERS §4), less what the envelope around an input takes. */
const ENVELOPE_BYTES = 4096

export const CALL_BYTES = 6 * 2 ** 20 - ENVELOPE_BYTES
/** Of an event that fails for good SQS must take the record, too: the event, what surrounds it, and the error; 1 MiB in all. */
export const SEND_BYTES = 2 ** 20 - 128 * 1024

/** Of a streamed answer over HTTP, bytes: 200 MB ("Lambda quotas"). */
export const STREAM_BYTES = 200 * 2 ** 20

/** Ms that a function keeps of the time Lambda gives it, to say that its task took too long. */
export const LAST_WORDS_MS = 150
