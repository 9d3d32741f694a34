/*
 * What a sandbox and its engine say to each other. A message is a head (a short list, its first item the kind) and parts
 * (values in transit). The order of calls is `fusionize/runtime`'s protocol; this file only gives it numbers.
 *
 * Whatever the sandbox wants answered carries a `no` of its own counting: calls, sends, and replies that leave work behind.
 *
 * Read as `kind.ready`: constants of a module, which the bundler writes into their places.
 */

/** sandbox: the module is loaded. */
export const ready = 0
/**
 * sandbox: [no, id, session, task, function | null, deadline, trace, parent, lost?]; part: input. Answered by `result`. `lost`: it was
 * sent over a link to that sandbox before, which the engine took back.
 */
export const call = 1
/** sandbox: as `call`, but the last is the sandbox that runs it already, over a link. Answered by `accepted` or `result` (an error). */
export const send = 2
/**
 * sandbox: [job, ok, no, held, over, busy]; parts: outcome, inputs of `held`. `no` is 0 when nothing is held, else answered by `accepted`; -1
 * when the answer went over a link. `over`: it is `done`, too, and the last part is the record.
 */
export const reply = 3
/** sandbox: [job, ok, no, held, id]; parts: outcome, inputs of `held`. */
export const settled = 4
/** sandbox: [job]; part: the record. */
export const done = 5
/** sandbox: [level, task, session, time]; parts: message, data. */
export const log = 6
/** sandbox: [no, callee | null]: nobody waits for that call any more; `callee`: the sandbox whose link it was sent over. */
export const abandon = 7
/** sandbox: [origin]; part: the error that nothing caught. The sandbox ends. */
export const fatal = 8
/** sandbox: it takes links now. */
export const listening = 9
/** sandbox: [job, id, session, task, deadline, trace, parent, mode]: it runs what came over its link. */
export const began = 10
/** sandbox: its link takes nothing more; what it had not begun was not run. */
export const revoked = 11
/** sandbox: answers `sync`; all that it said before has arrived. */
export const synced = 12
/** sandbox, as caller: [callee, then as `began`]: a call over a link that has no answer for a while, so that a callee which blocks is known. */
export const overdue = 13
/** engine: [job, id, session, task, mode, external, attempt, deadline, trace, parent, cold, coldKind, lease?, refs?]; parts: input, objects of `refs`. */
export const invoke = 16
/** sandbox: [no, op without its value]; part: the value of a put. Answered by `result`: what the bucket's shard says. */
export const bucket = 14
/** sandbox: [session, ops without their values, ended, ids of what is over]; parts: their values. What happened in fused buckets of a leased session. */
export const mirror = 15
/** engine: [no, ok, refs?]; parts: output or error, objects of `refs`. Callee, on a link: [job, ok, over]. */
export const result = 17
/** engine: [no, ids]: held outside; `ids` are not to be run here. */
export const accepted = 18
/** engine: [invocation id, reason]. */
export const cancel = 19
/** engine: [path]: take links at this socket. */
export const listen = 20
/** engine to the caller: [function, sandbox, timeout, path | null, token], or a port (threads): calls of the function may go there directly, one at a time. */
export const lend = 21
/** engine to the callee: [token], or a port (threads): whom to serve. */
export const linked = 22
/** engine to the callee: begin nothing more that comes over the link. Answered by `revoked`. */
export const revoke = 23
/** callee to caller, on a link: the last call is over in every sense. */
export const idle = 24
/** engine to the caller: [function, sandbox]: the link is taken back. A call that has no answer is sent again as `call` with `lost`. */
export const unlent = 25
/** caller to callee, first on a link of processes: [token]. */
export const hello = 26
/** engine: answer with `synced`. */
export const sync = 27
/** engine: [session]: its lease is wanted back. Answered by `mirror` with `ended`, if the lease is not over. */
export const recall = 28
/** sandbox: [session]; part: the first object of the bucket that answers for the session's entry. */
export const outcome = 29
/** sandbox: [job, send id]: a send that it holds begins as a job of its own. */
export const begins = 30
/** sandbox: [ids]: sends that it holds, and that will not begin there soon. */
export const release = 31
/** sandbox: [ref, bytes]; part: shared memory, or the path of a file: a large object that a message after this one names. */
export const object = 32
/** caller: [callee, send id]: a link was taken back before the callee said that it is done with the send. */
export const unsent = 33
