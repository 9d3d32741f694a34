import type { BucketData, Frame, Run } from './frames.js'

/** What a run did with buckets, for its record: numbers, as `BucketFigures` has them. */
class RunData implements BucketData {
  private readonly names: string[] = []
  private readonly puts: number[] = []
  private readonly firings: number[] = []

  put(span: number, bucket: string, bytes: number): void {
    const { puts } = this
    const last = puts.length - 4
    if (puts[last] === span && this.names[puts[last + 1] as number] === bucket) {
      ;(puts[last + 2] as number) += 1
      ;(puts[last + 3] as number) += bytes
    } else puts.push(span, this.name(bucket), 1, bytes)
  }

  fired(span: number, bucket: string, trigger: number, objects: number, bytes: number, waitUs: number): void {
    this.firings.push(span, this.name(bucket), trigger, objects, bytes, waitUs)
  }

  text(): string {
    const { names, puts, firings } = this
    // Without JSON.stringify: numbers have one form, and names of buckets need no quoting.
    return `{"names":["${names.join('","')}"],"puts":[${puts}],"firings":[${firings}]}`
  }

  private name(bucket: string): number {
    const last = this.names.length - 1
    if (this.names[last] === bucket) return last
    const known = this.names.length < 16 ? this.names.indexOf(bucket) : -1
    return known >= 0 ? known : this.names.push(bucket) - 1
  }
}

export function dataOf(run: Run): RunData {
  run.data ??= new RunData()
  return run.data as RunData
}

/** What a frame does with buckets. */
class FrameData {
  private puts = 0
  private sources: { bucket: string; name: string }[] | undefined

  constructor(private readonly frame: Frame) {}

  nextPut(): number {
    return ++this.puts
  }

  /** This run is the source `name` of the bucket; `tell` says how it ended. */
  nameSource(bucket: string, name: string, tell: (kind: 'sourceDone' | 'sourceFailed') => void): void {
    this.sources ??= []
    this.sources.push({ bucket, name })
    const { onOver } = this.frame
    this.frame.onOver = (ok) => {
      onOver?.(ok)
      tell(ok ? 'sourceDone' : 'sourceFailed')
    }
  }

  sourceOf(bucket: string): string {
    return this.sources?.findLast((source) => source.bucket === bucket)?.name ?? this.frame.invocation
  }
}

export function frameData(frame: Frame): FrameData {
  frame.data ??= new FrameData(frame)
  return frame.data as FrameData
}
