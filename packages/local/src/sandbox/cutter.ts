/** Cuts a byte stream into frames: each begins with a u32, little endian, that says how long the rest of it is. */
export class Cutter {
  #chunks: Buffer[] = []
  #have = 0
  #need = 4

  constructor(
    /** A frame from `start`, its length included, in `data`; nothing of `data` is written again. */
    readonly onFrame: (data: Buffer, start: number, end: number) => void,
    /** Throws for a length that no frame has. */
    readonly check?: (length: number) => void,
  ) {}

  push(chunk: Buffer): void {
    this.#have += chunk.length
    if (this.#have < this.#need) {
      this.#chunks.push(chunk)
      return
    }
    let data = chunk
    if (this.#chunks.length > 0) {
      this.#chunks.push(chunk)
      data = Buffer.concat(this.#chunks, this.#have)
      this.#chunks = []
    }
    let at = 0
    this.#need = 4
    while (data.length - at >= 4) {
      const length = data.readUInt32LE(at)
      this.check?.(length)
      const end = at + 4 + length
      if (data.length < end) {
        this.#need = end - at
        break
      }
      this.onFrame(data, at, end)
      at = end
    }
    this.#have = data.length - at
    if (this.#have > 0) this.#chunks.push(data.subarray(at))
  }
}
