import {
  type Cancel,
  checkFunction,
  checkName,
  checkObject,
  checkOr,
  checkPositiveNumber,
  type Clock,
  type MessageFacts,
  type TelemetryEvent,
} from '../core/index.js';
import type { TelemetryEmitter } from '../observability/index.js';
import { RateLimiter } from '../resilience/index.js';

export interface MessageTraceOptions {
  /** Messages that are told of in a second, at the most; default 100. */
  readonly maxPerSecond?: number | undefined;
}

/** A message that came into a mailbox, or that somebody took out of it. */
export interface TracedMessage {
  readonly what: 'sent' | 'received';
  /** The path of the process, such as `app/pool/worker_1`, or the name of the inbox. */
  readonly mailbox: string;
  readonly messageId: string;
  readonly priority: MessageFacts['priority'];
  /** Wall-clock time, in milliseconds since 1970. */
  readonly timestampMs: number;
  /** Messages since the last that was told of which were too many to be told of. */
  readonly suppressed: number;
}

const checkHandler = checkFunction<(message: TracedMessage) => void>();

/**
 * Tells of the messages of one mailbox, or of all below a supervisor, as they come and go.
 *
 * @param path - of a process or a supervisor, or the name of a built inbox.
 */
export function traceMessages(
  telemetry: Pick<TelemetryEmitter, 'on'>,
  clock: Clock,
  path: string,
  handler: (message: TracedMessage) => void,
  options: MessageTraceOptions = {},
): Cancel {
  checkName('path', path);
  checkHandler('handler', handler);
  checkObject('trace options', options);
  const perSecond = checkOr(checkPositiveNumber, 'maxPerSecond', options.maxPerSecond, 100);
  const limiter = new RateLimiter({ perSecond }, { clock });
  let suppressed = 0;
  const tell = (what: TracedMessage['what'], { metadata, timestampMs }: TelemetryEvent<'message_sent' | 'message_received'>): void => {
    const { messageId, priority } = metadata;
    const mailbox = pathOf(metadata);
    if (mailbox !== path && !mailbox.startsWith(`${path}/`)) return;
    if (!limiter.allow()) {
      suppressed += 1;
      return;
    }
    const message = { what, mailbox, messageId, priority, timestampMs, suppressed };
    suppressed = 0;
    handler(message);
  };
  const cancelSent = telemetry.on('message_sent', (event) => tell('sent', event));
  const cancelReceived = telemetry.on('message_received', (event) => tell('received', event));
  return () => {
    cancelReceived();
    return cancelSent();
  };
}

function pathOf({ supervisor, mailbox }: MessageFacts): string {
  return supervisor === undefined ? mailbox : `${supervisor}/${mailbox}`;
}
