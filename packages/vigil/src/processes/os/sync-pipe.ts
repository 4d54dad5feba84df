import { readSync, writeSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';

const HEADER_BYTES = 4;

/** What claims to be longer is no call. */
const MAX_FRAME_BYTES = 2 ** 26;

/** Whatever the other side has written. */
type Unparsed = ReturnType<typeof deserialize>;

/** A value with its length before it. */
export function frame(value: unknown): Buffer {
  const body = serialize(value);
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32LE(body.length);
  return Buffer.concat([header, body]);
}

/** Puts frames together that arrive in pieces. */
export class FrameReader {
  readonly #take: (value: Unparsed) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(take: (value: Unparsed) => void) {
    this.#take = take;
  }

  /** @throws when it was no frame. */
  write(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + checkedLength(bytes.readUInt32LE());
      if (bytes.length < end) break;
      this.#take(deserialize(bytes.subarray(HEADER_BYTES, end)));
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
  }
}

/** A pipe to ask through: whoever asks stands still until the answer is there. */
export class SyncPipe {
  readonly #fd: number;

  /** @param fd - of a pipe that goes both ways and blocks. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** @throws when the other side is gone. */
  ask(question: unknown): Unparsed {
    this.#write(frame(question));
    const length = this.#read(HEADER_BYTES).readUInt32LE();
    return deserialize(this.#read(length));
  }

  #write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
  }

  #read(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; ) {
      const count = readSync(this.#fd, bytes, at, length - at, null);
      if (count === 0) throw new Error('the other side of the pipe is gone');
      at += count;
    }
    return bytes;
  }
}

function checkedLength(length: number): number {
  if (length <= MAX_FRAME_BYTES) return length;
  throw new Error(`a frame of ${length} bytes is longer than any can be`);
}
