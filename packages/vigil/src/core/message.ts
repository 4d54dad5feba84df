import { systemTime, type TimeSource } from './clock.js';
import { failFast, type VigilErrorCode } from './errors.js';
import { type MessageMetadata, ReplyPort } from './reply-port.js';
import { checkTrace, type TraceContext, type TraceSource } from './trace-context.js';
import { checkDuration, checkName, checkObject, checkOneOf, invalidOption } from './validation.js';

/** From most to least urgent. Inside one priority the oldest message comes first. */
export const MESSAGE_PRIORITIES = ['critical', 'high', 'normal', 'low', 'batch'] as const;
export type MessagePriority = (typeof MESSAGE_PRIORITIES)[number];

/** The reference's signals. On a user's message a signal is data: nothing in Vigil acts on it. */
export const SIGNALS = [
  'restart',
  'shutdown',
  'terminate',
  'exit',
  'suspend',
  'resume',
  'healthCheck',
  'memoryWarning',
  'cpuWarning',
  'deadlockDetected',
  'messageErr',
  'info',
  'warning',
  'debug',
  'log',
  'alert',
  'metric',
  'event',
  'heartbeat',
  'custom',
] as const;
export type Signal = (typeof SIGNALS)[number];

/** What a sender can say about a message beside its payload. */
export interface SendOptions {
  /** Default `'normal'`. */
  readonly priority?: MessagePriority | undefined;
  /** Milliseconds until the message expires; default: the mailbox's own, or never. At age = ttl it is expired. */
  readonly ttlMs?: number | undefined;
  readonly signal?: Signal | undefined;
  /** Who sends it. */
  readonly from?: string | undefined;
  /** Ties a reply to its request. */
  readonly correlationId?: string | undefined;
  /** The name that a reply should go to. */
  readonly replyTo?: string | undefined;
  /** What the message is a part of; default: what the tracer of the runtime says, if it has one. */
  readonly trace?: TraceContext | undefined;
}

/** The id of a message that one of several threads has made. */
export class MadeId {
  readonly #maker: string;
  readonly #number: number;

  constructor(maker: string, number: number) {
    this.#maker = maker;
    this.#number = number;
  }

  toString(): string {
    return `m-${this.#maker}.${this.#number}`;
  }
}

const NO_METADATA: MessageMetadata = Object.freeze({ correlationId: undefined, replyTo: undefined });

const checkPriority = checkOneOf(MESSAGE_PRIORITIES);
const checkSignal = checkOneOf(SIGNALS);

/** What only a mailbox does, and only to messages of its own. */
interface MailboxAccess {
  /** The mailbox's own message; one without a ttl gets `defaultTtlMs`. Its life goes on by the mailbox's clock. */
  copy<T>(message: Message<T>, time?: TimeSource, defaultTtlMs?: number, payload?: T): Message<T>;
  /**
   * A message that has lived elsewhere: how often it was received there, the milliseconds it has left, if it ever expires, and who waits
   * for its reply.
   */
  revive(message: Message, metadata: MessageMetadata, attemptCount: number, leftMs: number | undefined, port?: ReplyPort): void;
  /** Who waits for the reply to it. */
  portOf(message: Message): ReplyPort | undefined;
  /** From now on `port` waits for the reply to it. */
  attach(message: Message, port: ReplyPort): void;
  /** Tells whoever waits for the reply that there will be none. */
  failCall(message: Message, code: VigilErrorCode, text: string): void;
  /** When it expires; `undefined` for never. */
  expiresAtMs(message: Message): number | undefined;
  /** It is a part of something. */
  setTrace(message: Message, trace: TraceContext): void;
  /** It is published on a topic. */
  setTopic(message: Message, topic: string): void;
  countAttempt(message: Message): void;
  /** True once for each time the message was received: whoever received it can give it up once. */
  giveUp(message: Message): boolean;
  /** Starts the ttl anew. */
  renew(message: Message): void;
}

export let mailboxAccess: MailboxAccess;

/**
 * A payload and what its sender said about it.
 *
 * The payload is passed by reference: sender and receiver in one event loop share the object, so do not change what you
 * have sent. A mailbox keeps a message of its own, so one message can be sent several times.
 */
export class Message<T = unknown> {
  readonly payload: T;
  readonly sender: string | undefined;
  readonly signal: Signal | undefined;
  readonly priority: MessagePriority;
  /** Milliseconds from its making to its expiry; `undefined` for never. */
  readonly ttlMs: number | undefined;
  readonly #id: string | number | MadeId;
  readonly #time: TimeSource;
  #metadata: MessageMetadata = NO_METADATA;
  #trace: TraceContext | undefined;
  #port: ReplyPort | undefined;
  #expiresAtMs: number | undefined;
  #attemptCount = 0;
  #attemptGivenUp = 0;

  /**
   * @param id - a number is turned into text only when somebody asks for the id.
   * @param ttlMs - milliseconds >= 0, counted from now; at age = ttl the message is expired.
   * @param time - what the ttl is measured with; default the machine's monotonic clock.
   * @throws {VigilError} `InvalidMessage` when an argument is not what it should be.
   */
  constructor(
    id: string | number | MadeId,
    sender: string | undefined,
    payload: T,
    signal?: Signal,
    priority: MessagePriority = 'normal',
    ttlMs?: number,
    time: TimeSource = systemTime,
  ) {
    if (typeof id === 'number' ? Number.isNaN(id) : !(id instanceof MadeId)) checkName('id', id, 'InvalidMessage');
    if (sender !== undefined) checkName('sender', sender, 'InvalidMessage');
    if (signal !== undefined) checkSignal('signal', signal, 'InvalidMessage');
    if (priority !== 'normal') checkPriority('priority', priority, 'InvalidMessage');
    // Spelled out, since every message passes here.
    if (typeof time?.now !== 'function') throw invalidOption('time', 'an object with the method now', time, 'InvalidMessage');
    this.payload = payload;
    this.sender = sender;
    this.signal = signal;
    this.priority = priority;
    this.ttlMs = ttlMs;
    this.#id = id;
    this.#time = time;
    this.#expiresAtMs = ttlMs === undefined ? undefined : time.now() + checkDuration('ttlMs', ttlMs, 'InvalidMessage');
  }

  /** Unique among the messages of one runtime, unless a user chose it. */
  get id(): string {
    return typeof this.#id === 'number' ? `m-${this.#id}` : String(this.#id);
  }

  get metadata(): MessageMetadata {
    return this.#port === undefined || this.#metadata !== NO_METADATA ? this.#metadata : this.#port.metadata;
  }

  /** What it is a part of, as its sender has said. */
  get trace(): TraceContext | undefined {
    return this.#trace;
  }

  /** How often it was received: 1 at the first time, more after replays from the dead letters. */
  get attemptCount(): number {
    return this.#attemptCount;
  }

  /** @throws {VigilError} `InvalidMessage` when the id is not a non-empty string. */
  setCorrelationId(correlationId: string): void {
    this.#metadata = { ...this.metadata, correlationId: checkName('correlationId', correlationId, 'InvalidMessage') };
  }

  /** @throws {VigilError} `InvalidMessage` when the address is not a non-empty string. */
  setReplyTo(replyTo: string): void {
    this.#metadata = { ...this.metadata, replyTo: checkName('replyTo', replyTo, 'InvalidMessage') };
  }

  /** Whether its age has reached its ttl. */
  isExpired(): boolean {
    return this.#expiresAtMs !== undefined && this.#time.now() >= this.#expiresAtMs;
  }

  /**
   * Bytes of id, sender, payload, correlation id and reply address, as UTF-8. A string or bytes count by themselves, any
   * other payload only through `sizeOf`.
   */
  sizeBytes(sizeOf?: (payload: T) => number): number {
    const { correlationId, replyTo } = this.#metadata;
    return textBytes(this.id) + textBytes(this.sender) + textBytes(correlationId) + textBytes(replyTo) + this.#payloadBytes(sizeOf);
  }

  #payloadBytes(sizeOf: ((payload: T) => number) | undefined): number {
    const { payload } = this;
    if (typeof payload === 'string') return Buffer.byteLength(payload);
    if (ArrayBuffer.isView(payload) || payload instanceof ArrayBuffer || payload instanceof SharedArrayBuffer) return payload.byteLength;
    return sizeOf?.(payload) ?? 0;
  }

  static {
    mailboxAccess = {
      copy(message, time = message.#time, defaultTtlMs?: number, payload = message.payload) {
        const ttlMs = message.ttlMs ?? defaultTtlMs;
        const copy = new Message(message.#id, message.sender, payload, message.signal, message.priority, ttlMs, time);
        copy.#metadata = message.#metadata;
        copy.#port = message.#port;
        copy.#trace = message.#trace;
        copy.#attemptCount = message.#attemptCount;
        copy.#attemptGivenUp = message.#attemptGivenUp;
        // Time that has passed since the message was made counts, whichever clock measured it.
        if (message.#expiresAtMs !== undefined)
          copy.#expiresAtMs = message.#expiresAtMs + (time === message.#time ? 0 : time.now() - message.#time.now());
        return copy;
      },
      portOf: (message) => message.#port,
      attach(message, port) {
        message.#port = port;
      },
      failCall(message, code, text) {
        message.#port?.fail(failFast(code, text));
      },
      revive(message, metadata, attemptCount, leftMs, port) {
        message.#metadata = metadata;
        message.#port = port;
        message.#attemptCount = attemptCount;
        message.#expiresAtMs = leftMs === undefined ? undefined : message.#time.now() + leftMs;
      },
      expiresAtMs: (message) => message.#expiresAtMs,
      setTrace(message, trace) {
        message.#trace = trace;
      },
      setTopic(message, topic) {
        message.#metadata = { ...message.#metadata, topic };
      },
      countAttempt(message) {
        message.#attemptCount += 1;
      },
      giveUp(message) {
        if (message.#attemptGivenUp === message.#attemptCount) return false;
        message.#attemptGivenUp = message.#attemptCount;
        return true;
      },
      renew(message) {
        if (message.ttlMs !== undefined) message.#expiresAtMs = message.#time.now() + message.ttlMs;
      },
    };
  }
}

/** Where a message is made: whose time its life goes by, and what it is a part of. */
export interface MessageOrigin {
  readonly clock: TimeSource;
  readonly tracing?: TraceSource | undefined;
}

/** Makes the message that `send(payload, options)` puts into a mailbox. */
export function messageOf<T>(
  id: number | string | MadeId,
  payload: T,
  options: SendOptions | undefined,
  defaultTtlMs: number | undefined,
  { clock, tracing }: MessageOrigin,
): Message<T> {
  const current = tracing?.tracer?.current();
  if (options === undefined) {
    const message = new Message(id, undefined, payload, undefined, 'normal', defaultTtlMs, clock);
    if (current !== undefined) mailboxAccess.setTrace(message, current);
    return message;
  }
  checkObject('send options', options, 'InvalidMessage');
  const { from, signal, priority, ttlMs, correlationId, replyTo, trace } = options;
  const message = new Message(id, from, payload, signal, priority, ttlMs === undefined ? defaultTtlMs : ttlMs, clock);
  if (trace !== undefined) mailboxAccess.setTrace(message, checkTrace(trace));
  else if (current !== undefined) mailboxAccess.setTrace(message, current);
  if (correlationId !== undefined) message.setCorrelationId(correlationId);
  if (replyTo !== undefined) message.setReplyTo(replyTo);
  if (options instanceof ReplyPort) mailboxAccess.attach(message, options);
  return message;
}

/**
 * Refuses options that no send would take: for a send to many, which must not find that out at each of them.
 *
 * @throws {VigilError} `InvalidMessage`.
 */
export function checkSendOptions(options: SendOptions | undefined): void {
  if (options !== undefined) messageOf(0, undefined, options, undefined, { clock: systemTime });
}

function textBytes(text: string | undefined): number {
  return text === undefined ? 0 : Buffer.byteLength(text);
}
