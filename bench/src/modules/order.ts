/** What is sent between threads and processes. */
export interface Order {
  readonly number: number;
  readonly drink: string;
}

/** How many orders go one way before one message comes back. */
export const BATCH = 1000;

/** How many messages of a stream are handled before that is said. */
export const STRETCH = 50_000;

export function isOrder(value: unknown): value is Order {
  return typeof value === 'object' && value !== null && 'number' in value;
}

export function orderOf(number: number): Order {
  return { number, drink: 'coffee' };
}
