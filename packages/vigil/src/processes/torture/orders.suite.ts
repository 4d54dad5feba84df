import { MESSAGE_PRIORITIES, type MessagePriority, type SendOptions } from '../../core/index.js';
import { BLOCK } from './ledger.suite.js';

/** What is sent under a number: numbers, objects, and texts of many sizes, one of which takes a good part of an inbox. */
export function payloadOf(number: number): unknown {
  if (number % 7 === 0) return `${number} ${'x'.repeat((number * 37) % 3000)}`;
  return number % 2 === 0 ? number : { number };
}

export function numberOf(payload: unknown): number {
  if (typeof payload === 'object' && payload !== null && 'number' in payload) return Number(payload.number);
  return Number.parseInt(String(payload), 10);
}

function priorityOf(number: number): MessagePriority {
  return MESSAGE_PRIORITIES[Math.floor(number / 3) % MESSAGE_PRIORITIES.length] ?? 'normal';
}

/** Some can expire. */
export function optionsOf(number: number): SendOptions {
  const priority = priorityOf(number);
  return number % 17 === 0 ? { priority, ttlMs: 1 } : { priority };
}

/** Whether the messages of each sender come in the order in which it sent them, within an inbox and a priority. */
export class OrderWatch {
  readonly #last = new Map<string, number>();

  isInOrder(inbox: number, number: number): boolean {
    const line = `${inbox} ${priorityOf(number)} ${Math.floor(number / BLOCK)}`;
    const isLater = number > (this.#last.get(line) ?? -1);
    this.#last.set(line, number);
    return isLater;
  }
}
