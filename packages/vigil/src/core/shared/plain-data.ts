import { isLatin1, readLatin1, writeLatin1 } from './text.js';

/**
 * Plain data as bytes: what of JavaScript's values are most messages, written and read several times quicker than by the structured clone,
 * and as it would arrive by that.
 *
 *     value   = tag, then what the tag asks for: nothing, an integer, a double, a text, an array, an object
 *     text    = size in bytes, letters
 *     array   = count, values
 *     object  = hash of its keys, their size in bytes, keys, values in their order
 *     size, count = one byte below 255; else 255 and four bytes
 *
 * The keys of an object are its shape. The writer knows the shapes that it has written, so that the keys are bytes already; the reader finds
 * those that it has read by their hash, and has an object with these keys to begin with. Each message holds its keys, since any thread may
 * read it.
 */
const NULL = 0;
const UNDEFINED = 1;
const FALSE = 2;
const TRUE = 3;
const INTEGER = 4;
const DOUBLE = 5;
const LATIN1 = 6;
const UTF16 = 7;
const ARRAY = 8;
const OBJECT = 9;

const LONG_SIZE = 255;
const WORD_BYTES = 4;
const DOUBLE_BYTES = 8;

/** Objects and arrays of one payload that are written here, and keys of one object. */
const MOST_OBJECTS = 32;
const MOST_KEYS = 32;

/** Shapes that are known at a time; then they are forgotten. */
const MOST_SHAPES = 256;

/** The memory that is kept for the next payload, in bytes. */
const FIRST_BYTES = 256;
const MOST_KEPT_BYTES = 64 * 1024;

/** What `write` says of a value that it does not write. */
export const NOT_PLAIN = -1;

/** More than a tag, a hash and a size take. */
const MOST_FIXED_BYTES = 16;

interface Shape {
  readonly keys: readonly string[];
  readonly hash: number;
  readonly bytes: Buffer;
}

const NO_SHAPES: readonly Shape[] = [];

/** Writes plain data: `null`, `undefined`, booleans, numbers, texts, and plain arrays and objects of these, each in one place. */
export class PlainDataWriter {
  #target: Buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #view = viewOf(this.#target);
  #at = 0;
  /** The objects of the value that is being written, so many; an array that is emptied each time would be slow. */
  readonly #seen: (object | undefined)[] = Array.from({ length: MOST_OBJECTS });
  #seenCount = 0;
  #isWriting = false;
  /** By their first key. */
  readonly #shapes = new Map<string, Shape[]>();
  #shapeCount = 0;

  /** The bytes of the last value, and what else the memory holds. */
  get bytes(): Buffer {
    return this.#target;
  }

  /** @returns how many bytes it takes, or `NOT_PLAIN`; that also for whatever a getter of the value sends meanwhile. */
  write(value: unknown): number {
    if (this.#isWriting) return NOT_PLAIN;
    if (this.#target.length > MOST_KEPT_BYTES) this.#useTarget(Buffer.allocUnsafe(FIRST_BYTES));
    this.#at = 0;
    this.#isWriting = true;
    try {
      return this.#writeValue(value) ? this.#at : NOT_PLAIN;
    } finally {
      this.#isWriting = false;
      while (this.#seenCount > 0) this.#seen[--this.#seenCount] = undefined;
    }
  }

  #writeValue(value: unknown): boolean {
    switch (typeof value) {
      case 'string':
        this.#writeText(value);
        return true;
      case 'number':
        this.#writeNumber(value);
        return true;
      case 'boolean':
        this.#writeTag(value ? TRUE : FALSE);
        return true;
      case 'undefined':
        this.#writeTag(UNDEFINED);
        return true;
      case 'object':
        if (value !== null) return this.#writeObject(value);
        this.#writeTag(NULL);
        return true;
      case 'bigint':
      case 'symbol':
      case 'function':
        return false;
    }
  }

  #writeNumber(value: number): void {
    // −0 is no integer here.
    if (Object.is(value, value | 0)) {
      this.#writeTag(INTEGER);
      this.#writeWord(value);
    } else {
      this.#writeTag(DOUBLE);
      this.#view.setFloat64(this.#at, value, true);
      this.#at += DOUBLE_BYTES;
    }
  }

  #writeText(text: string): void {
    this.#reserve(2 * text.length);
    const isShort = isLatin1(text);
    this.#writeTag(isShort ? LATIN1 : UTF16);
    this.#writeSize(isShort ? text.length : 2 * text.length);
    if (isShort) {
      writeLatin1(text, this.#target, this.#at);
      this.#at += text.length;
    } else this.#at += this.#target.write(text, this.#at, 'utf16le');
  }

  /** A second way to the same object would be a second object. */
  #writeObject(value: object): boolean {
    if (this.#seenCount === MOST_OBJECTS || this.#hasSeen(value)) return false;
    this.#seen[this.#seenCount] = value;
    this.#seenCount += 1;
    if (Array.isArray(value)) return this.#writeArray(value);
    return isRecord(value) && this.#writeRecord(value);
  }

  #hasSeen(value: object): boolean {
    for (let index = 0; index < this.#seenCount; index += 1) if (this.#seen[index] === value) return true;
    return false;
  }

  /** Without holes, and without properties beside its elements. */
  #writeArray(array: readonly unknown[]): boolean {
    this.#writeTag(ARRAY);
    this.#writeSize(array.length);
    for (const part of array) if (!this.#writeValue(part)) return false;
    return Object.keys(array).length === array.length;
  }

  #writeRecord(record: Readonly<Record<string, unknown>>): boolean {
    const shape = this.#shapeOf(Object.keys(record));
    if (shape === undefined) return false;
    const { bytes, keys, hash } = shape;
    this.#reserve(bytes.length);
    this.#writeTag(OBJECT);
    this.#writeWord(hash);
    this.#writeSize(bytes.length);
    // Of so few bytes: a call of Node's own function takes longer.
    for (let index = 0; index < bytes.length; index += 1) this.#target[this.#at + index] = bytes[index] ?? 0;
    this.#at += bytes.length;
    for (let index = 0; index < keys.length; index += 1) if (!this.#writeValue(record[keys[index] ?? ''])) return false;
    return true;
  }

  #shapeOf(keys: readonly string[]): Shape | undefined {
    for (const shape of this.#shapes.get(keys[0] ?? '') ?? NO_SHAPES) if (hasKeys(shape, keys)) return shape;
    return this.#learnShape(keys);
  }

  #learnShape(keys: readonly string[]): Shape | undefined {
    const bytes = bytesOf(keys);
    if (bytes === undefined) return undefined;
    if (this.#shapeCount === MOST_SHAPES) {
      this.#shapes.clear();
      this.#shapeCount = 0;
    }
    const shape = { keys, hash: hashOf(bytes), bytes };
    const first = keys[0] ?? '';
    this.#shapes.set(first, [shape, ...(this.#shapes.get(first) ?? [])]);
    this.#shapeCount += 1;
    return shape;
  }

  #writeTag(tag: number): void {
    this.#reserve(0);
    this.#writeByte(tag);
  }

  #writeByte(byte: number): void {
    this.#target[this.#at] = byte;
    this.#at += 1;
  }

  #writeWord(word: number): void {
    this.#view.setInt32(this.#at, word, true);
    this.#at += WORD_BYTES;
  }

  #writeSize(size: number): void {
    if (size < LONG_SIZE) return this.#writeByte(size);
    this.#writeByte(LONG_SIZE);
    this.#writeWord(size);
  }

  /** Makes room for so many bytes behind a tag and what has a fixed size behind that. */
  #reserve(bytes: number): void {
    const needed = this.#at + MOST_FIXED_BYTES + bytes;
    if (needed <= this.#target.length) return;
    const larger = Buffer.allocUnsafe(2 * needed);
    this.#target.copy(larger, 0, 0, this.#at);
    this.#useTarget(larger);
  }

  #useTarget(target: Buffer): void {
    this.#target = target;
    this.#view = viewOf(target);
  }
}

/** Reads what was written so, by whatever writer. */
export class PlainDataReader {
  #source: Buffer = Buffer.alloc(0);
  #view = viewOf(this.#source);
  #at = 0;
  #end = 0;
  readonly #shapes = new Map<number, ReadShape>();

  /** @throws {RangeError} when the bytes are no plain data: they were written over while they were read. */
  read(source: Buffer, at: number, sizeBytes: number): unknown {
    if (source !== this.#source) this.#view = viewOf(source);
    this.#source = source;
    this.#at = at;
    this.#end = at + sizeBytes;
    return this.#readValue();
  }

  #readValue(): unknown {
    const tag = this.#source[this.#pass(1)] ?? 0;
    switch (tag) {
      case NULL:
        return null;
      case UNDEFINED:
        return undefined;
      case FALSE:
        return false;
      case TRUE:
        return true;
      case INTEGER:
        return this.#view.getInt32(this.#pass(WORD_BYTES), true);
      case DOUBLE:
        return this.#view.getFloat64(this.#pass(DOUBLE_BYTES), true);
      case LATIN1: {
        const size = this.#readSize();
        return readLatin1(this.#source, this.#pass(size), size);
      }
      case UTF16: {
        const start = this.#pass(this.#readSize());
        return this.#source.toString('utf16le', start, this.#at);
      }
      case ARRAY:
        return this.#readArray();
      case OBJECT:
        return this.#readRecord();
      default:
        throw new RangeError(`no plain data begins with ${tag}`);
    }
  }

  #readArray(): unknown[] {
    const count = this.#readSize();
    const array: unknown[] = [];
    for (let index = 0; index < count; index += 1) array.push(this.#readValue());
    return array;
  }

  #readRecord(): Record<string, unknown> {
    const hash = this.#view.getInt32(this.#pass(WORD_BYTES), true);
    const size = this.#readSize();
    const { keys, empty } = this.#shapeAt(hash, this.#pass(size), size);
    const record = { ...empty };
    for (let index = 0; index < keys.length; index += 1) record[keys[index] ?? ''] = this.#readValue();
    return record;
  }

  #shapeAt(hash: number, at: number, size: number): ReadShape {
    const known = this.#shapes.get(hash);
    if (known !== undefined && liesAt(known.bytes, this.#source, at, size)) return known;
    const bytes = Buffer.from(this.#source.subarray(at, at + size));
    const keys = keysOf(bytes);
    const shape = { bytes, keys, empty: emptyWith(keys) };
    if (this.#shapes.size === MOST_SHAPES) this.#shapes.clear();
    this.#shapes.set(hash, shape);
    return shape;
  }

  #readSize(): number {
    const size = this.#source[this.#pass(1)] ?? 0;
    return size === LONG_SIZE ? this.#view.getUint32(this.#pass(WORD_BYTES), true) : size;
  }

  /** Goes on over so many bytes. @returns where they begin. */
  #pass(bytes: number): number {
    const start = this.#at;
    this.#at += bytes;
    if (this.#at > this.#end) throw new RangeError('plain data ends too early');
    return start;
  }
}

interface ReadShape {
  readonly bytes: Buffer;
  readonly keys: readonly string[];
  /** An object with these keys. */
  readonly empty: Readonly<Record<string, unknown>>;
}

function isRecord(value: object): value is Readonly<Record<string, unknown>> {
  return Object.getPrototypeOf(value) === Object.prototype;
}

function hasKeys(shape: Shape, keys: readonly string[]): boolean {
  if (shape.keys.length !== keys.length) return false;
  for (let index = 0; index < keys.length; index += 1) if (shape.keys[index] !== keys[index]) return false;
  return true;
}

/** Keys as bytes, each behind its length; `undefined` for such as are rare: very many, very long, or of letters that take two bytes. */
function bytesOf(keys: readonly string[]): Buffer | undefined {
  if (keys.length > MOST_KEYS || keys.some((key) => key.length >= LONG_SIZE || !isLatin1(key))) return undefined;
  return Buffer.from(keys.map((key) => String.fromCharCode(key.length) + key).join(''), 'latin1');
}

function keysOf(bytes: Buffer): string[] {
  const keys: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + (bytes[at] ?? 0);
    keys.push(bytes.toString('latin1', at + 1, end));
    at = end;
  }
  return keys;
}

/** As a property of its own, whatever its name is. */
function emptyWith(keys: readonly string[]): Record<string, unknown> {
  const empty: Record<string, unknown> = {};
  const property = { value: undefined, writable: true, enumerable: true, configurable: true };
  for (const key of keys) Object.defineProperty(empty, key, property);
  return empty;
}

/** FNV-1a. */
function hashOf(bytes: Buffer): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}

function liesAt(bytes: Buffer, source: Buffer, at: number, size: number): boolean {
  if (bytes.length !== size) return false;
  for (let index = 0; index < size; index += 1) if (bytes[index] !== source[at + index]) return false;
  return true;
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
