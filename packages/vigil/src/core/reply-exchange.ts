import { type Deadline, DeadlineLine } from './call-deadlines.js';
import type { Cancel, Clock } from './clock.js';
import { failFast, type VigilError } from './errors.js';
import { errorOf, type ExitReason } from './exit-reason.js';
import type { MessagePriority, SendOptions } from './message.js';
import { type MessageMetadata, type ReplyBox, type ReplyListener, type ReplyOutcome, ReplyPort, type ReplyRoute } from './reply-port.js';
import type { Sender, SendOutcome } from './sender.js';
import type { TraceContext } from './trace-context.js';

export interface CallOptions {
  /** Milliseconds until the caller gives up, or `'infinity'`. */
  readonly timeoutMs: number | 'infinity';
  /** Gives up the wait; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly priority?: MessagePriority | undefined;
  readonly ttlMs?: number | undefined;
  readonly from?: string | undefined;
  readonly trace?: TraceContext | undefined;
}

/** A method, so that a promise of any type can be resolved with what a stranger has sent: it is the caller who says what that is. */
type Resolve = { resolve(payload: unknown): void }['resolve'];

/** The beginning of every address of those who wait for replies; what follows is the number of their side. */
const REPLY_ADDRESS = '@vigil/';

/**
 * Where the replies of one event loop arrive: it knows who waits, and leads what is for others to where they are.
 *
 * A call ends once: with its reply, the end of its target, its time-out, its signal, or the end of its message. Whatever comes later is
 * counted in `lateReplies` and given to nobody.
 */
export class ReplyExchange implements ReplyListener {
  readonly #clock: Clock;
  readonly #address: string;
  /** Calls whose correlation id somebody has read. */
  readonly #named = new Map<string, PendingCall>();
  readonly #targets = new WeakMap<object, CallTarget>();
  readonly #lines = new Map<number, DeadlineLine>();
  readonly #routes = new Map<string, ReplyRoute>();
  readonly #elsewhere: ReplyRoute | undefined;
  #box: ReplyBox | undefined;
  #lastNumber = 0;
  #pending = 0;
  #lateReplies = 0;
  #letNodeEnd: Cancel | undefined;
  #isAboutToLook = false;

  /**
   * @param side - a number or text that no other side of the runtime has.
   * @param elsewhere - leads to every side that has no route here.
   */
  constructor(clock: Clock, side: number | string = 0, elsewhere?: ReplyRoute) {
    this.#clock = clock;
    this.#address = replyAddressOf(side);
    this.#elsewhere = elsewhere;
  }

  /** Replies that came when nobody waited for them any more. */
  get lateReplies(): number {
    this.drain();
    return this.#lateReplies;
  }

  /** Calls that wait for their reply. */
  get pendingCalls(): number {
    return this.#pending;
  }

  /**
   * Sends a message and waits for its reply.
   *
   * @throws what the send throws; {VigilError} `ProcessNotFound` when the target ends first, with the reason in `details.reason`,
   *   `OperationTimeout`; the signal's reason when it aborts.
   */
  call<T = unknown>(target: Sender, payload: unknown, options: CallOptions): Promise<T> {
    if (isElsewhere(target) && target.replies !== this) return target.replies.call(target, payload, options);
    return new Promise<T>((resolve, reject) => {
      options.signal?.throwIfAborted();
      const call = new PendingCall(this, resolve, reject, options);
      this.#count(1);
      try {
        this.#targetOf(target)?.join(call);
        call.sent(target.send(payload, call));
      } catch (error) {
        call.fail(error);
        return;
      }
      if (call.isSettled) return;
      if (options.timeoutMs !== 'infinity') this.#lineOf(options.timeoutMs).join(call);
      if (options.signal !== undefined) call.listenTo(options.signal);
    });
  }

  /** Remembers which way a request came, for its reply. A way that is known already stays: whoever uses the name of another gets nothing. */
  learnRoute({ replyTo }: Pick<MessageMetadata, 'replyTo'>, route: ReplyRoute): void {
    if (replyTo?.startsWith(REPLY_ADDRESS) !== true || replyTo === this.#address || this.#routes.has(replyTo)) return;
    this.#routes.set(replyTo, route);
  }

  /** Nobody is there any more. */
  forgetRoute(route: ReplyRoute): void {
    for (const [address, known] of this.#routes) if (known === route) this.#routes.delete(address);
  }

  /** Has replies arrive in a box as well, unless there is one. */
  useBox(makeBox: () => ReplyBox): void {
    this.#box ??= makeBox();
    if (this.isAwaited) this.#box.listen(this);
  }

  /** Where those at an address take their replies, if they have a box. */
  boxOf(to: string): ReplyBox | undefined {
    return to === this.#address ? this.#box : (this.#routes.get(to) ?? this.#elsewhere)?.boxOf?.(to);
  }

  /** A thread is gone that may have used a box. */
  bury(threadId: number): void {
    this.#box?.bury(threadId);
    for (const route of this.#routes.values()) route.bury?.(threadId);
    this.#elsewhere?.bury?.(threadId);
  }

  /**
   * Takes a reply that came as data: for a call that waits here, or for another side.
   *
   * @param from - which way it came; it never goes back there, or it could go to and fro for ever when its caller has ended.
   */
  deliver(to: string, correlationId: string, outcome: ReplyOutcome, from?: ReplyRoute): void {
    if (to !== this.#address) {
      const route = this.#routes.get(to) ?? this.#elsewhere;
      if (route === undefined || route === from) this.countLate();
      else route.deliver(to, correlationId, outcome);
      return;
    }
    if ('error' in outcome) this.#pendingCall(correlationId)?.fail(outcome.error);
    else this.replied(correlationId, outcome.payload);
  }

  /** The port of a message that has come from another side; `undefined` when it asks for no reply, or for one under a user's own name. */
  portOf({ correlationId, replyTo }: MessageMetadata): ReplyPort | undefined {
    if (correlationId === undefined || replyTo?.startsWith(REPLY_ADDRESS) !== true) return undefined;
    return new RoutedPort(this, replyTo, correlationId);
  }

  /** @internal */
  countLate(): void {
    this.#lateReplies += 1;
  }

  /** @internal Whether a reply may come from elsewhere. */
  get isAwaited(): boolean {
    return this.#named.size > 0;
  }

  /** @internal A reply has come from elsewhere. */
  replied(correlationId: string, payload: unknown): void {
    this.#pendingCall(correlationId)?.reply(payload);
  }

  /** @internal Takes the replies that lie in the box, before anybody is told that there was none. */
  drain(): void {
    this.#box?.drain(this);
  }

  /** @internal Gives a call the texts that others can answer it by. */
  name(call: PendingCall): MessageMetadata {
    this.#lastNumber += 1;
    const correlationId = `call-${this.#address.slice(REPLY_ADDRESS.length)}.${this.#lastNumber}`;
    if (!call.isSettled) {
      this.#named.set(correlationId, call);
      this.#box?.listen(this);
    }
    return { correlationId, replyTo: this.#address };
  }

  /** @internal */
  settled(correlationId: string | undefined): void {
    if (correlationId !== undefined) this.#named.delete(correlationId);
    this.#count(-1);
  }

  /** Who waits; nobody when the reply is late. */
  #pendingCall(correlationId: string): PendingCall | undefined {
    const call = this.#named.get(correlationId);
    if (call === undefined) this.countLate();
    return call;
  }

  #targetOf(sender: Sender): CallTarget | undefined {
    if (!isMonitorable(sender)) return undefined;
    let target = this.#targets.get(sender);
    if (target === undefined) {
      target = new CallTarget(sender, () => this.drain());
      this.#targets.set(sender, target);
    }
    return target;
  }

  #lineOf(timeoutMs: number): DeadlineLine {
    let line = this.#lines.get(timeoutMs);
    if (line === undefined) {
      line = new DeadlineLine(timeoutMs, this.#clock, () => this.#lines.delete(timeoutMs));
      this.#lines.set(timeoutMs, line);
    }
    return line;
  }

  /** Somebody awaits each call, so Node has to live to see it. To let go costs more than a call, so it waits for a pause. */
  #count(by: 1 | -1): void {
    this.#pending += by;
    if (this.#pending > 0) {
      this.#letNodeEnd ??= this.#clock.keepAlive();
    } else if (!this.#isAboutToLook) {
      this.#isAboutToLook = true;
      this.#clock.soon(() => this.#rest());
    }
  }

  #rest(): void {
    this.#isAboutToLook = false;
    if (this.#pending > 0) return;
    this.#letNodeEnd?.();
    this.#letNodeEnd = undefined;
    this.#box?.rest();
    for (const line of this.#lines.values()) line.stop();
    this.#lines.clear();
  }
}

/** A call that waits; it is also the options that its message is sent with. */
class PendingCall extends ReplyPort implements Deadline, SendOptions {
  readonly priority: MessagePriority | undefined;
  readonly ttlMs: number | undefined;
  readonly from: string | undefined;
  readonly trace: TraceContext | undefined;
  dueMs = 0;
  line: DeadlineLine | undefined;
  earlier: Deadline | undefined;
  later: Deadline | undefined;
  target: CallTarget | undefined;
  before: PendingCall | undefined;
  after: PendingCall | undefined;
  isSettled = false;
  readonly #exchange: ReplyExchange;
  readonly #resolve: Resolve;
  readonly #reject: (error: unknown) => void;
  #metadata: MessageMetadata | undefined;
  #stopListening: (() => void) | undefined;

  constructor(exchange: ReplyExchange, resolve: Resolve, reject: (error: unknown) => void, { priority, ttlMs, from, trace }: CallOptions) {
    super();
    this.#exchange = exchange;
    this.#resolve = resolve;
    this.#reject = reject;
    this.priority = priority;
    this.ttlMs = ttlMs;
    this.from = from;
    this.trace = trace;
  }

  get metadata(): MessageMetadata {
    this.#metadata ??= this.#exchange.name(this);
    return this.#metadata;
  }

  reply(payload: unknown): boolean {
    if (!this.#settle()) return false;
    this.#resolve(payload);
    return true;
  }

  fail(error: unknown): boolean {
    if (!this.#settle()) return false;
    this.#reject(error);
    return true;
  }

  expired(timeoutMs: number): void {
    this.#exchange.drain();
    if (!this.isSettled) this.fail(failFast('OperationTimeout', `no reply within ${timeoutMs} ms`, { details: { timeoutMs } }));
  }

  sent(outcome: SendOutcome): void {
    if (outcome === 'dropped' && !this.isSettled) this.fail(failFast('MailboxFull', 'the mailbox is full and dropped the request'));
  }

  listenTo(signal: AbortSignal): void {
    const onAbort = () => this.fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#stopListening = () => signal.removeEventListener('abort', onAbort);
  }

  /** False when it was settled before: then what comes now is late. */
  #settle(): boolean {
    if (this.isSettled) {
      this.#exchange.countLate();
      return false;
    }
    this.isSettled = true;
    this.line?.leave(this);
    this.target?.leave(this);
    this.#stopListening?.();
    this.#exchange.settled(this.#metadata?.correlationId);
    return true;
  }
}

/** A process that tells when it ends. */
interface Monitorable {
  readonly id: string;
  monitor(): { readonly down: Promise<{ readonly reason: ExitReason | { readonly kind: 'noproc' } }> };
}

/** A process with the calls that wait for it: watched once, from its first call to its end. */
class CallTarget {
  #first: PendingCall | undefined;
  readonly #process: string;
  readonly #drain: () => void;

  /** @param drain - takes what it had replied before it ended. */
  constructor(process: Monitorable, drain: () => void) {
    this.#process = process.id;
    this.#drain = drain;
    void this.#watch(process);
  }

  join(call: PendingCall): void {
    call.target = this;
    call.after = this.#first;
    if (this.#first !== undefined) this.#first.before = call;
    this.#first = call;
  }

  leave(call: PendingCall): void {
    if (call.before === undefined) this.#first = call.after;
    else call.before.after = call.after;
    if (call.after !== undefined) call.after.before = call.before;
    call.target = undefined;
    call.before = undefined;
    call.after = undefined;
  }

  async #watch(process: Monitorable): Promise<void> {
    const { reason } = await process.monitor().down;
    this.#drain();
    for (let call = this.#first; call !== undefined; call = this.#first) call.fail(endedDuringCall(this.#process, reason));
  }
}

/** The way back for the reply to a message that has come from another side. */
class RoutedPort extends ReplyPort {
  readonly metadata: MessageMetadata;
  readonly #exchange: ReplyExchange;
  readonly #to: string;
  readonly #correlationId: string;
  #isSettled = false;

  constructor(exchange: ReplyExchange, to: string, correlationId: string) {
    super();
    this.metadata = { correlationId, replyTo: to };
    this.#exchange = exchange;
    this.#to = to;
    this.#correlationId = correlationId;
  }

  reply(payload: unknown): boolean {
    return this.#deliver({ payload });
  }

  fail(error: unknown): boolean {
    return this.#deliver({ error });
  }

  #deliver(outcome: ReplyOutcome): boolean {
    if (this.#isSettled) {
      this.#exchange.countLate();
      return false;
    }
    this.#exchange.deliver(this.#to, this.#correlationId, outcome);
    this.#isSettled = true;
    return true;
  }
}

/** Where the replies for a side arrive. */
export function replyAddressOf(side: number | string): string {
  return `${REPLY_ADDRESS}${side}`;
}

/** What a caller is told whose target has ended. */
export function endedDuringCall(process: string, reason: ExitReason | { readonly kind: 'noproc' }): VigilError {
  if (reason.kind === 'noproc') return failFast('ProcessNotFound', `process "${process}" has ended`);
  return failFast('ProcessNotFound', `process "${process}" ended before it replied: ${reason.kind}`, {
    cause: errorOf(reason),
    details: { reason },
  });
}

function isMonitorable(sender: object): sender is Monitorable {
  return 'monitor' in sender && typeof sender.monitor === 'function';
}

/** A sender to another side, from which replies come back to an exchange of its own. */
function isElsewhere(sender: object): sender is { readonly replies: ReplyExchange } & Sender {
  return 'replies' in sender && sender.replies instanceof ReplyExchange;
}
