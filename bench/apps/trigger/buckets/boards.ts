import { bucket } from 'fusionize'

/** Memory of a session in which a consumer in another thread writes what it saw. */
export const boards = bucket<Uint8Array>('boards')
