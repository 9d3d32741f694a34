import { join } from 'node:path'
import { watch } from 'chokidar'
import { configNames } from '../../app/read-config.js'

/** Editors save in several steps; what comes within so many ms is one change. */
const SETTLE_MS = 60

export interface Watching {
  /** Watches these too. */
  add(files: readonly string[]): void
  close(): Promise<void>
}

/** Calls `changed` with the files that changed, never while it is still at work on an earlier change. */
export async function watchApp(
  dir: string,
  stateDir: string,
  changed: (files: string[]) => Promise<void>,
): Promise<Watching> {
  const own = [...configNames.map((name) => join(dir, name)), join(stateDir, 'setup.json')]
  const watcher = watch(own, {
    ignoreInitial: true,
    ignored: (path) =>
      path.includes('/node_modules/') || (path.startsWith(stateDir) && !own.includes(path) && path !== stateDir),
  })
  const files = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let busy: Promise<void> | undefined
  const go = () => {
    timer = undefined
    if (busy || files.size === 0) return
    const batch = [...files].sort()
    files.clear()
    busy = changed(batch).finally(() => {
      busy = undefined
      go()
    })
  }
  watcher.on('all', (event, path) => {
    if (event === 'addDir' || event === 'unlinkDir') return
    files.add(path)
    clearTimeout(timer)
    timer = setTimeout(go, SETTLE_MS)
  })
  await new Promise<void>((resolve) => watcher.once('ready', () => resolve()))
  return {
    add: (more) => void watcher.add([...more]),
    async close() {
      clearTimeout(timer)
      await watcher.close()
      await busy
    },
  }
}
