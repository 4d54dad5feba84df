import { isArrayBuffer, isDate, isMap, isRegExp, isSet } from 'node:util/types';

/** What lies in a record instead of a payload that travels by another way: the number of its parcel. */
export class Ticket {
  readonly parcel: number;

  constructor(parcel: number) {
    this.parcel = parcel;
  }
}

/**
 * The way of payloads that do not lie in the memory of an inbox: too large, or such that only Node's own channel between threads takes them.
 * Their messages wait in the ring like all others.
 */
export interface Parcels {
  /**
   * Hands a payload over; only where the inbox was made.
   *
   * @throws {VigilError} `InvalidMessage` when it cannot be cloned, or holds a ref or an inbox.
   */
  readonly send?: (payload: unknown) => number;
  /** A payload as it would arrive. @throws as `send`. */
  copy(payload: unknown): unknown;
  /** A copy of what was handed over. */
  look(parcel: number): unknown;
  /** What was handed over, which is nobody else's from now on. */
  take(parcel: number): unknown;
}

/** Parts of one payload that are looked at before it goes as a parcel, and how deep: those of a circle never end. */
const MOST_PARTS = 10_000;
const MOST_DEPTH = 100;

/** Whether a payload arrives out of the memory as it would by the channel between threads: plain data, and not too many of them. */
export function isPlainData(payload: unknown): boolean {
  return typeof payload !== 'object' || payload === null || partsLeft(payload, MOST_PARTS, MOST_DEPTH) > 0;
}

/** How many of the parts that may be looked at are left after a value; 0 also when it is not plain. */
function partsLeft(value: unknown, most: number, depth: number): number {
  if (typeof value !== 'object' || value === null) return most - 1;
  if (depth === 0) return 0;
  if (ArrayBuffer.isView(value)) return value.buffer instanceof SharedArrayBuffer ? 0 : most - 1;
  if (isDate(value) || isRegExp(value) || isArrayBuffer(value)) return most - 1;
  if (Array.isArray(value) || isSet(value)) return partsLeftAfter(value, most, depth);
  if (isMap(value)) return partsLeftAfter(value.values(), partsLeftAfter(value.keys(), most, depth), depth);
  return Object.getPrototypeOf(value) === Object.prototype ? partsLeftAfter(Object.values(value), most, depth) : 0;
}

function partsLeftAfter(parts: Iterable<unknown>, most: number, depth: number): number {
  let left = most - 1;
  for (const part of parts) {
    if (left <= 0) return 0;
    left = partsLeft(part, left, depth - 1);
  }
  return left;
}
