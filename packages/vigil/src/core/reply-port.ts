export interface MessageMetadata {
  readonly correlationId: string | undefined;
  readonly replyTo: string | undefined;
  /** On which topic it was published; absent on a message that was sent to its receiver alone. */
  readonly topic?: string;
}

/**
 * Who waits for the reply to one message. It travels with the message as an object, so that within one event loop a reply needs neither a
 * table nor a text to find its way.
 */
export abstract class ReplyPort {
  /** The same as texts, for those who read them and for other threads and processes; made when first read. */
  abstract get metadata(): MessageMetadata;
  /** Hands over the reply; false when nobody waits for it any more. @throws {VigilError} `InvalidMessage` when it cannot go there. */
  abstract reply(payload: unknown): boolean;
  /** Tells that there will be no reply; false when nobody waits for it any more. */
  abstract fail(error: unknown): boolean;
}

/** What came of a request. */
export type ReplyOutcome = { readonly payload: unknown } | { readonly error: unknown };

/** Who takes the replies out of a box. */
export interface ReplyListener {
  /** Whether anybody waits for one. */
  readonly isAwaited: boolean;
  replied(correlationId: string, payload: unknown): void;
}

/** Where the replies for one event loop arrive out of other threads, for which no other event loop has to turn. */
export interface ReplyBox {
  /** Whether its owner is gone. */
  readonly isClosed: boolean;
  /** Puts a reply in; false when it has to go another way. */
  post(correlationId: string, payload: unknown): boolean;
  /** Hands over whatever has arrived. */
  drain(listener: ReplyListener): void;
  /** Hands over whatever arrives, as long as anybody waits. */
  listen(listener: ReplyListener): void;
  /** Nobody waits any more, though no reply came. */
  rest(): void;
  /** A thread is gone that may have used it. */
  bury(threadId: number): void;
}

/** The way to those who wait elsewhere: in another thread, process or machine. */
export interface ReplyRoute {
  /** @throws {VigilError} `InvalidMessage` when the payload cannot go there. */
  deliver(to: string, correlationId: string, outcome: ReplyOutcome): void;
  /** Where those at an address take their replies, if they have a box. */
  boxOf?(to: string): ReplyBox | undefined;
  /** A thread is gone that may have used the boxes on this way. */
  bury?(threadId: number): void;
}
