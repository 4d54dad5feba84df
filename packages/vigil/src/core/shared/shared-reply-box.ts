import type { Environment } from '../environment.js';
import { isVigilError } from '../errors.js';
import { MailboxSettings } from '../process-mailbox.js';
import type { DeliverReply, ReplyBox } from '../reply-port.js';
import { noTelemetry } from '../telemetry-event.js';
import { isPlainData } from './parcels.js';
import { SharedInbox, type SharedInboxData } from './shared-inbox.js';

/** Replies that can wait in a box, and the bytes of large ones. */
const CAPACITY = 256;
const BYTES = 64 * 1024;

/** Replies that are taken out at once. */
const BATCH = 64;

/**
 * Where the replies for one event loop arrive out of other threads: a shared inbox, so that a reply needs no event loop but that of its
 * caller. What does not fit in goes the long way, by the channels between the threads: a reply of many bytes, one that cannot be written
 * into memory, and all while the box is full.
 *
 * Invariant: whoever waits for a reply that may come here either listens, or looks here before giving up.
 */
export class SharedReplyBox implements ReplyBox {
  readonly #inbox: SharedInbox;
  #listening: AbortController | undefined;

  /** @param data - of a box that exists; default: a new one. @throws {VigilError} `InvalidConfiguration` when too many threads use it. */
  constructor({ clock, log, nextMessageId, thread }: Environment, data?: SharedInboxData) {
    const environment = { clock, log, nextMessageId, telemetry: noTelemetry, ...(thread !== undefined && { thread }) };
    const settings = new MailboxSettings({ capacity: CAPACITY, priorityQueues: false });
    this.#inbox = new SharedInbox('replies', settings, environment, { bytes: BYTES }, data);
  }

  /** What another thread needs to use it. */
  get data(): SharedInboxData {
    return this.#inbox.data();
  }

  get isClosed(): boolean {
    return this.#inbox.isClosed();
  }

  post(correlationId: string, payload: unknown): boolean {
    if (!isPlainData(payload)) return false;
    try {
      this.#inbox.send(payload, { correlationId });
      return true;
    } catch (error) {
      if (isVigilError(error)) return false;
      throw error;
    }
  }

  drain(deliver: DeliverReply): void {
    for (let batch = this.#inbox.recvBatch(BATCH); batch.length > 0; batch = this.#inbox.recvBatch(BATCH)) {
      for (const { metadata, payload } of batch) deliver(metadata.correlationId ?? '', payload);
    }
  }

  async listen(deliver: DeliverReply): Promise<void> {
    if (this.#listening !== undefined) return;
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    try {
      while (!signal.aborted) {
        const { metadata, payload } = await this.#inbox.recv({ signal });
        deliver(metadata.correlationId ?? '', payload);
      }
    } catch (error) {
      if (!signal.aborted && !isVigilError(error, 'InboxClosed')) throw error;
    }
  }

  rest(): void {
    this.#listening?.abort();
    this.#listening = undefined;
  }

  bury(threadId: number): void {
    this.#inbox.bury(threadId);
  }

  /** Its owner is gone. */
  close(): void {
    this.#inbox.close();
  }
}
