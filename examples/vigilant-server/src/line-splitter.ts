export const MAX_LINE_BYTES = 65_536;

/** Stands for a line that was longer than {@link MAX_LINE_BYTES} and is gone. */
export const TOO_LONG: unique symbol = Symbol('too long');

/** A line without its end, `\n` or `\r\n`. */
export type Line = Buffer | typeof TOO_LONG;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const NOTHING = Buffer.alloc(0);

/**
 * Cuts a stream of bytes into lines, wherever the chunks begin and end, and never holds more than one line. What follows
 * the last newline is no line.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  /** The line that has begun, or `undefined` while the rest of one that is too long is thrown away. */
  #begun: Buffer | undefined = NOTHING;

  constructor(maxBytes: number = MAX_LINE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that this chunk completes. One that becomes too long is told at once, not at its end. */
  *split(chunk: Buffer): Generator<Line> {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      yield* this.#append(chunk.subarray(from, end));
      yield* this.#complete();
      from = end + 1;
    }
    yield* this.#append(chunk.subarray(from));
  }

  *#append(piece: Buffer): Generator<Line> {
    if (this.#begun === undefined) return;
    // One byte more than a line may have, since it could be the return of `\r\n`.
    const fits = this.#begun.length + piece.length <= this.#maxBytes + 1;
    this.#begun = fits ? Buffer.concat([this.#begun, piece]) : undefined;
    if (!fits) yield TOO_LONG;
  }

  *#complete(): Generator<Line> {
    const begun = this.#begun;
    this.#begun = NOTHING;
    if (begun === undefined) return;
    const line = begun.at(-1) === RETURN ? begun.subarray(0, -1) : begun;
    yield line.length <= this.#maxBytes ? line : TOO_LONG;
  }
}
