import type { Writable } from 'node:stream';
import { type Cancel, type Clock, describeValue, type LocalInbox, type Message, type Outlet, VigilError } from '../../core/index.js';
import type { StdinMode } from './command-options.js';

/** How long a program that is to end may leave its input unread before it is told so all the same. */
const PATIENCE_MS = 500;

/**
 * Brings the messages of an inbox to a program's standard input, one at a time: the next one leaves the inbox when the pipe has taken
 * the one before. So a program that does not read fills the pipe and then its inbox, whose senders hear of it, and nothing else.
 *
 * A message counts as received when the pipe has taken it. What the program makes of it, nobody can know. A program may close its input
 * and go on; what is queued for it then stays in its inbox.
 */
export class ProgramInput implements Outlet<unknown> {
  readonly #who: string;
  readonly #mode: StdinMode;
  readonly #inbox: () => LocalInbox<unknown>;
  #pipe: Writable | undefined;
  /** What Node has, and the pipe has not taken. */
  #inFlight: Message<unknown> | undefined;
  #isScheduled = false;
  /** How many messages the pipe has taken. */
  #written = 0;
  /** Nothing more will be queued. */
  #isEnding = false;
  #onFinished: (() => void) | undefined;
  #cancelPatience: Cancel | undefined;

  constructor(who: string, mode: StdinMode, inbox: () => LocalInbox<unknown>) {
    this.#who = who;
    this.#mode = mode;
    this.#inbox = inbox;
  }

  /** The program is there: from now on it gets what is queued. */
  open(pipe: Writable | undefined): void {
    if (pipe === undefined || this.#mode === 'none') return;
    this.#pipe = pipe;
    this.arrived();
  }

  /** Writes nothing more: what is queued is left to become dead letters. */
  close(): void {
    this.#pipe = undefined;
    this.#cancelPatience?.();
  }

  /** What a message will be read as: made when it is sent, so that what its sender changes later is not seen. */
  convert(payload: unknown): unknown {
    switch (this.#mode) {
      case 'none':
        throw this.#invalid("takes no messages, since its stdin is 'none'");
      case 'lines':
        if (typeof payload === 'string' && !payload.includes('\n')) return payload;
        throw this.#invalid(`takes strings without line breaks, got ${describeValue(payload)}`);
      case 'json-lines':
        return JSON.parse(this.#jsonOf(payload));
      case 'bytes':
        if (typeof payload === 'string') return payload;
        if (payload instanceof Uint8Array) return Uint8Array.from(payload);
        throw this.#invalid(`takes strings and Uint8Arrays, got ${describeValue(payload)}`);
    }
  }

  arrived(): void {
    if (this.#isScheduled || this.#pipe === undefined) return;
    this.#isScheduled = true;
    // Not within the `send`, so that a listener or a callback of the pipe never runs inside somebody's call.
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#pump();
    });
  }

  /**
   * Ends the input when all that is queued has been written, then calls back; at once when nothing more can be written, and also
   * when the program has not read on for a while: it need not read to be asked to end. The inbox has been closed.
   */
  finish(onFinished: () => void, clock: Clock): void {
    this.#isEnding = true;
    this.#onFinished = onFinished;
    this.#finishIfDone();
    this.#watchProgress(clock, this.#written);
  }

  #watchProgress(clock: Clock, writtenBefore: number): void {
    if (this.#onFinished === undefined) return;
    this.#cancelPatience = clock.after(
      PATIENCE_MS,
      () => {
        if (this.#written > writtenBefore) this.#watchProgress(clock, this.#written);
        else this.#callBack();
      },
      { keepAlive: true },
    );
  }

  #pump(): void {
    for (let pipe = this.#freePipe; pipe !== undefined; pipe = this.#freePipe) {
      const message = this.#inbox().lend(() => true);
      if (message === undefined) break;
      this.#write(pipe, message);
    }
    this.#finishIfDone();
  }

  get #freePipe(): Writable | undefined {
    return this.#pipe?.writable === true && this.#inFlight === undefined ? this.#pipe : undefined;
  }

  #write(pipe: Writable, message: Message<unknown>): void {
    this.#inFlight = message;
    pipe.write(this.#bytesOf(message.payload), (error) => {
      if (this.#inFlight !== message) return;
      this.#inFlight = undefined;
      // What was not written stays on loan, and so becomes a dead letter at the end.
      if (error === undefined || error === null) this.#taken(message);
      this.#pump();
    });
    // Node calls back in a later tick even when the pipe has taken everything at once.
    if (pipe.writableLength > 0 || !pipe.writable) return;
    this.#inFlight = undefined;
    this.#taken(message);
  }

  #taken(message: Message<unknown>): void {
    this.#written += 1;
    this.#inbox().settle(message, 'received');
  }

  #bytesOf(payload: unknown): string | Uint8Array {
    if (this.#mode === 'json-lines') return `${JSON.stringify(payload)}\n`;
    if (payload instanceof Uint8Array) return payload;
    return this.#mode === 'lines' ? `${String(payload)}\n` : String(payload);
  }

  #finishIfDone(): void {
    const { writable = false } = this.#pipe ?? {};
    if (!this.#isEnding || (writable && (this.#inFlight !== undefined || !this.#inbox().isDrained()))) return;
    if (writable) this.#pipe?.end();
    this.#callBack();
  }

  #callBack(): void {
    const onFinished = this.#onFinished;
    this.#onFinished = undefined;
    this.#cancelPatience?.();
    onFinished?.();
  }

  #jsonOf(payload: unknown): string {
    let text: string | undefined;
    try {
      text = JSON.stringify(payload);
    } catch (error) {
      throw this.#invalid('takes what JSON can say', error);
    }
    if (text === undefined) throw this.#invalid(`takes what JSON can say, got ${describeValue(payload)}`);
    return text;
  }

  #invalid(text: string, cause?: unknown): VigilError {
    return new VigilError('InvalidMessage', `${this.#who} ${text}`, { cause });
  }
}
