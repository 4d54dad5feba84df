import {
  type CallOptions,
  type Check,
  checkDuration,
  checkName,
  checkObject,
  checkWaitOptions,
  type Environment,
  failFast,
  invalidOption,
  Message,
  mailboxAccess,
  type MessagePriority,
  type Sender,
  type Tracer,
  VigilError,
} from '../core/index.js';
import { Address } from '../processes/index.js';
import { isServerMessage } from './server-message.js';

/** Whom something is sent to: a registered name, a process, an inbox, or an address that finds its receiver at each send. */
export type Target<T = unknown> = string | Sender<T>;

export interface RequestOptions {
  /** Milliseconds to wait for the reply, or `'infinity'`; default 5,000. */
  readonly timeoutMs?: number | 'infinity' | undefined;
  /** Gives up the wait; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Default `'normal'`. */
  readonly priority?: MessagePriority | undefined;
  /** Milliseconds until the request itself expires, if it is still queued; default: the mailbox's own, or never. */
  readonly ttlMs?: number | undefined;
  /** Who asks. */
  readonly from?: string | undefined;
}

type Lent = Pick<Environment, 'names' | 'replies' | 'clock' | 'nextMessageId' | 'deadLetters' | 'tracing'>;

const DEFAULT_TIMEOUT_MS = 5000;
const BY_DEFAULT = Object.freeze({ timeoutMs: DEFAULT_TIMEOUT_MS });

const checkTimeout: Check<number | 'infinity'> = (name, value) => (value === 'infinity' ? value : checkDuration(name, value));

/**
 * Sends a request and resolves with the payload of its reply. @see Erlang `gen_server:call/3`
 *
 * The receiver gets an ordinary message and answers it with `reply`. A call ends once; a reply that comes after that is counted in
 * `runtime.replies.lateReplies` and reaches nobody.
 *
 * @throws {VigilError} what the send throws, such as `MailboxFull`; `ProcessNotFound` at once when the target has ended, or when it ends
 *   before it replied, then with its exit reason in `details.reason`; `NotRegistered` when nobody has the name; `MessageExpired`,
 *   `InboxClosed` or `ReceiverUnavailable` when the request expired, was discarded or given up; `OperationTimeout`. The signal's reason
 *   when it aborts.
 */
export async function request<TReply = unknown>(
  environment: Lent,
  target: Target,
  payload: unknown,
  options?: RequestOptions,
): Promise<TReply> {
  return callOn<TReply>(environment, receiverOf(environment, target), payload, options);
}

/** The same for a receiver that is known; throws at once instead of rejecting. */
export function callOn<TReply = unknown>(environment: Lent, receiver: Sender, payload: unknown, options?: RequestOptions): Promise<TReply> {
  const checked = options === undefined ? BY_DEFAULT : checkRequestOptions(options);
  // What Vigil itself asks of a server is nobody's business.
  const tracer = isServerMessage(payload) && payload.$vigil === 'system' ? undefined : environment.tracing?.tracer;
  if (tracer === undefined) return environment.replies.call<TReply>(receiver, payload, checked);
  return tracedCall<TReply>(tracer, environment.replies, receiver, payload, checked);
}

async function tracedCall<TReply>(
  tracer: Tracer,
  replies: Lent['replies'],
  receiver: Sender,
  payload: unknown,
  options: CallOptions,
): Promise<TReply> {
  const traced = tracer.beginRequest({ to: labelOf(receiver), name: isServerMessage(payload) ? payload.name : undefined });
  try {
    const answered = await replies.call<TReply>(receiver, payload, { ...options, trace: traced.trace });
    traced.end();
    return answered;
  } catch (error) {
    traced.end(error);
    throw error;
  }
}

/** What a receiver is called. */
function labelOf(receiver: Sender): string {
  if ('id' in receiver) return String(receiver.id);
  return 'name' in receiver ? String(receiver.name) : 'unnamed';
}

/** @throws {VigilError} `InvalidConfiguration` when something cannot be sent to. */
export function checkTarget(target: Target): Target {
  if (typeof target === 'string') return checkName('target', target);
  if (typeof target === 'object' && target !== null && typeof target.send === 'function') return target;
  throw invalidOption('target', 'a name, a process, an inbox or an address', target);
}

/** Who would receive what is sent to a target now. @throws {VigilError} `NotRegistered`, or what the address throws. */
export function receiverOf({ names }: Pick<Environment, 'names'>, target: Target): Sender {
  if (target instanceof Address) return target.resolve();
  checkTarget(target);
  if (typeof target !== 'string') return target;
  const sender = names.whereis(target);
  if (sender === undefined) throw failFast('NotRegistered', `nobody has the name "${target}"`);
  return sender;
}

/**
 * The response to a request: a message with its correlation id, addressed to nobody yet.
 *
 * @throws {VigilError} `InvalidMessage` when the request is no message, or has no correlation id.
 */
function responseTo<T>(environment: Pick<Environment, 'clock' | 'nextMessageId'>, asked: Message, payload: T): Message<T> {
  if (!(asked instanceof Message)) throw new VigilError('InvalidMessage', 'only a message can be replied to');
  const { correlationId } = asked.metadata;
  if (correlationId === undefined)
    throw new VigilError('InvalidMessage', `message ${asked.id} has no correlation id, so nobody waits for a reply`);
  const response = new Message(environment.nextMessageId(), undefined, payload, undefined, asked.priority, undefined, environment.clock);
  response.setCorrelationId(correlationId);
  return response;
}

/**
 * Answers a request, and returns the response, which keeps the correlation id.
 *
 * It goes to whoever waits in `request`; to the name in `replyTo`; or to the name of the sender. A sender can be called anything: when
 * nobody has its name, the response becomes a dead letter of the runtime.
 *
 * @throws {VigilError} `InvalidMessage` when the request has no correlation id, or the payload cannot go where the caller is;
 *   `NotRegistered` when nobody has the name in `replyTo`; what the send throws.
 */
export function reply<T>(environment: Lent, asked: Message, payload: T): Message<T> {
  const response = responseTo(environment, asked, payload);
  const port = mailboxAccess.portOf(asked) ?? environment.replies.portOf(asked.metadata);
  if (port !== undefined) {
    port.reply(payload);
    return response;
  }
  const { replyTo } = asked.metadata;
  if (replyTo !== undefined) {
    receiverOf(environment, replyTo).sendMessage(response);
    return response;
  }
  const sender = asked.sender === undefined ? undefined : environment.names.whereis(asked.sender);
  if (sender === undefined) environment.deadLetters.add(response, 'delivery_failed', asked.sender ?? 'nobody');
  else sender.sendMessage(response);
  return response;
}

function checkRequestOptions(options: RequestOptions): RequestOptions & { readonly timeoutMs: number | 'infinity' } {
  checkObject('request options', options);
  const { timeoutMs = DEFAULT_TIMEOUT_MS, priority, ttlMs, from } = options;
  return { timeoutMs: checkTimeout('timeoutMs', timeoutMs), signal: checkWaitOptions(options), priority, ttlMs, from };
}
