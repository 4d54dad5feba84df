import {
  checkDuration,
  checkName,
  failFast,
  type Inbox,
  invalidOption,
  isVigilError,
  LocalInbox,
  type Message,
  SharedInbox,
} from '../core/index.js';

/**
 * Waits for replies that come into an inbox as ordinary messages. It takes them out of the midst of the others, which stay as they were:
 * in their order, not received, with their attempts.
 *
 * For requests that carry a `replyTo` by hand; `vigil.request` needs none of it.
 */
export class ReplyMailbox<T = unknown> {
  readonly #inbox: LocalInbox<T> | SharedInbox<T>;

  /**
   * @param inbox - such that nobody else receives from it: of a shared inbox, a receiver in another thread may take the reply.
   * @throws {VigilError} `InvalidConfiguration` when it is no inbox.
   */
  constructor(inbox: Inbox<T>) {
    if (!(inbox instanceof LocalInbox || inbox instanceof SharedInbox)) throw invalidOption('inbox', 'an inbox', inbox);
    this.#inbox = inbox;
  }

  /**
   * The message with a correlation id, now or within the time. One that comes when its waiter has given up is nobody's: it becomes a
   * dead letter of the inbox with reason `late_reply`.
   *
   * @param timeoutMs - milliseconds to wait; 0 only looks.
   * @throws {VigilError} `DeliveryTimeout` when the time runs out, `ReceiverUnavailable` when the inbox closes or is closed and does not
   *   hold it, `InvalidConfiguration` for arguments that are none.
   */
  async waitForReply(correlationId: string, timeoutMs: number): Promise<Message<T>> {
    checkName('correlationId', correlationId);
    checkDuration('timeoutMs', timeoutMs);
    try {
      const message = await this.#inbox.recvReply(correlationId, timeoutMs);
      if (message !== undefined) return message;
    } catch (cause) {
      if (!isVigilError(cause, 'InboxClosed')) throw cause;
      throw failFast('ReceiverUnavailable', `inbox "${this.#inbox.name}" closed before the reply "${correlationId}" came`, { cause });
    }
    throw failFast('DeliveryTimeout', `no reply "${correlationId}" within ${timeoutMs} ms`);
  }

  /** How many replies came when their waiters had given up. */
  get lateReplies(): number {
    return this.#inbox.lateReplies;
  }
}
