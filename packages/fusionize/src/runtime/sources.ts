import { FusionizeError } from '../errors.js'
import { type Frame, unboundedAbort } from './frames.js'

/** Runs of this sandbox that a bucket may have stopped, by invocation, as long as they last. */
const running = /* @__PURE__ */ new Map<string, Frame>()

/** From now on the run can be stopped alone, even where it is inline. */
export function stoppable(frame: Frame): void {
  const { invocation } = frame
  if (running.has(invocation)) return
  running.set(invocation, frame)
  whenOver(frame, () => running.delete(invocation))
}

export function isRunning(invocation: string): boolean {
  return running.has(invocation)
}

/** Nobody needs the run any more. */
export function stop(invocation: string): void {
  const frame = running.get(invocation)
  if (frame === undefined) return
  const error = new FusionizeError('CANCELLED', `task '${frame.definition.name}' was cancelled: others were first`)
  if (frame.parent === undefined) frame.unit.cancel(error)
  else {
    signalOf(frame)
    frame.abort?.abort(error)
  }
}

/** The signal of a run that is inline in another; made when it is asked for. */
export function signalOf(frame: Frame): AbortSignal | undefined {
  const outer = frame.parent?.signal
  if (outer === undefined) return undefined
  if (frame.abort === undefined) {
    const abort = unboundedAbort()
    frame.abort = abort
    const follow = () => abort.abort(outer.reason)
    if (outer.aborted) follow()
    else {
      outer.addEventListener('abort', follow)
      whenOver(frame, () => outer.removeEventListener('abort', follow))
    }
  }
  return frame.abort.signal
}

function whenOver(frame: Frame, then: () => void): void {
  const { onOver } = frame
  frame.onOver = (ok) => {
    then()
    onOver?.(ok)
  }
}
