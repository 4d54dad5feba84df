import { StringDecoder } from 'node:string_decoder';

const NEWLINE = 0x0a;

/** Cuts bytes into lines of text. It keeps the beginning of one line and nothing else, however much flows through it. */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #onLine: (line: string) => void;
  #parts: Buffer[] = [];
  #sizeBytes = 0;

  /** @param maxBytes - a longer line is given out without its end. */
  constructor(maxBytes: number, onLine: (line: string) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  write(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#finishLine(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** Gives out what was not ended by a line break. */
  end(): void {
    if (this.#sizeBytes > 0) this.#finishLine(Buffer.alloc(0));
  }

  #keep(part: Buffer): void {
    const room = this.#maxBytes - this.#sizeBytes;
    if (room <= 0) return;
    this.#parts.push(part.subarray(0, room));
    this.#sizeBytes += Math.min(part.length, room);
  }

  #finishLine(last: Buffer): void {
    // Nearly every line lies in one chunk.
    if (this.#sizeBytes === 0 && last.length < this.#maxBytes) return this.#onLine(textOf(last));
    this.#keep(last);
    const line = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#sizeBytes = 0;
    // The cut may have gone through a character, of which nothing is shown then.
    this.#onLine(line.length < this.#maxBytes ? textOf(line) : new StringDecoder('utf8').write(line));
  }
}

function textOf(line: Buffer): string {
  const text = line.toString('utf8');
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}
