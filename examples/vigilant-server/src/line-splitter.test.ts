import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Line, LineSplitter, MAX_LINE_BYTES, TOO_LONG } from './line-splitter.js';

const MAX_BYTES = 4;

/** Bytes in which newlines, returns and lines around the limit are frequent. */
const streams = fc
  .array(fc.oneof(fc.constantFrom(0x0a, 0x0d, 0x61), fc.integer({ min: 0, max: 255 })), { maxLength: 60 })
  .map((bytes) => Buffer.from(bytes));

describe('LineSplitter', () => {
  it('gives the same lines however the bytes are cut into chunks', () => {
    fc.assert(
      fc.property(streams, fc.array(fc.nat(60)), (bytes, cuts) => {
        assert.deepEqual(linesOf(chunksOf(bytes, cuts), MAX_BYTES), expectedLines(bytes));
      }),
    );
  });

  it('takes a line of exactly the limit, with either end', () => {
    const longest = Buffer.alloc(MAX_LINE_BYTES, 'x');
    assert.deepEqual(linesOf([longest, Buffer.from('\n')]), [longest]);
    assert.deepEqual(linesOf([longest, Buffer.from('\r'), Buffer.from('\n')]), [longest]);
  });

  it('refuses a line of one byte more and goes on after its end', () => {
    assert.deepEqual(linesOf([Buffer.alloc(MAX_LINE_BYTES + 1, 'x'), Buffer.from('\nnext\n')]), [TOO_LONG, Buffer.from('next')]);
  });

  it('refuses a line that never ends once, at once', () => {
    const chunk = Buffer.alloc(MAX_LINE_BYTES, 'x');
    assert.deepEqual(linesOf([chunk, chunk, chunk]), [TOO_LONG]);
  });
});

function linesOf(chunks: readonly Buffer[], maxBytes?: number): Line[] {
  const splitter = new LineSplitter(maxBytes);
  return chunks.flatMap((chunk) => Array.from(splitter.split(chunk)));
}

function chunksOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...cuts.toSorted((one, other) => one - other), bytes.length];
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

/** The same by the plain rule, from all bytes at once. */
function expectedLines(bytes: Buffer): Line[] {
  const pieces = bytes.toString('latin1').split('\n');
  const begun = pieces.pop() ?? '';
  const lines = pieces
    .map((piece) => piece.replace(/\r$/, ''))
    .map((line) => (line.length > MAX_BYTES ? TOO_LONG : Buffer.from(line, 'latin1')));
  return begun.length > MAX_BYTES + 1 ? [...lines, TOO_LONG] : lines;
}
