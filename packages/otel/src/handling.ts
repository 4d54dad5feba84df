import { context, SpanKind, trace } from '@opentelemetry/api';
import { Message } from 'vigiljs';
import { contextOf } from './carried-context.js';
import { SCOPE } from './scope.js';
import { endWith } from './spans.js';

export interface HandlingOptions {
  /** What the span is called; default `'handle message'`. */
  readonly name?: string | undefined;
}

/**
 * Does the work of a task on a message as a part of the trace that the message carries: as a span of its own, in whose context whatever is sent,
 * asked or started within it is another part. Servers (`vigil.genServer`) need no such call.
 *
 * @returns what `work` gives; what it throws is recorded in the span and passed on.
 * @throws {TypeError} when it is given no message of Vigil.
 * @example
 * for await (const message of ctx.inbox) await handling(message, async () => save(message.payload));
 */
export function handling<T>(message: Message, work: () => T, { name = 'handle message' }: HandlingOptions = {}): T {
  if (!(message instanceof Message)) throw new TypeError('handling takes a message of Vigil');
  const parent = contextOf(message.trace);
  const attributes = { 'messaging.system': 'vigil', 'messaging.operation.type': 'process', 'messaging.message.id': message.id };
  const span = trace.getTracer(SCOPE).startSpan(name, { kind: SpanKind.CONSUMER, attributes }, parent);
  return endWith(span, () => context.with(trace.setSpan(parent, span), work));
}
