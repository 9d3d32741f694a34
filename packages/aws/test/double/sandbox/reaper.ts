import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Reads what to watch over from its input; when that ends, however the tests ended, it ends the groups and removes the folder. */
const script = `
groups=" "
while read -r verb group; do
  case "$verb" in
    add) groups="$groups$group " ;;
    del) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
rm -rf "$1"
`

/** Ends the execution environments and removes their files when the tests' process ends in whatever way: frozen processes cannot do it. */
export class Reaper {
  /** Folder for everything that environments need on disk. */
  readonly folder = mkdtempSync(join(tmpdir(), 'fusionize-aws-double-'))
  readonly #process: ChildProcess
  readonly #ended: Promise<void>

  constructor() {
    this.#process = spawn('/bin/sh', ['-c', script, 'reaper', this.folder], {
      // Its own session: Ctrl-C at the terminal must not reach it before it has done its work.
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.#process.unref()
    this.#ended = new Promise((resolve) => this.#process.once('exit', () => resolve()))
  }

  watch(group: number): void {
    this.#process.stdin?.write(`add ${group}\n`)
  }

  forget(group: number): void {
    this.#process.stdin?.write(`del ${group}\n`)
  }

  async close(): Promise<void> {
    this.#process.ref()
    this.#process.stdin?.end()
    await this.#ended
  }
}
