import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LineSplitter } from './line-splitter.js';

function split(maxBytes: number, chunks: readonly Buffer[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter(maxBytes, (line) => lines.push(line));
  for (const chunk of chunks) splitter.write(chunk);
  splitter.end();
  return lines;
}

/** A text cut anywhere, also through its characters. */
const cutTexts = fc
  .tuple(fc.array(fc.string({ unit: 'binary' })), fc.array(fc.nat()))
  .map(([texts, cuts]) => ({ bytes: Buffer.from(texts.join('\n')), cuts }));

function chunksOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((one, other) => one - other);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

describe('a line splitter', () => {
  it('gives out the lines of a text, however it is cut', () => {
    fc.assert(
      fc.property(cutTexts, ({ bytes, cuts }) => {
        const texts = bytes.toString().split('\n');
        if (texts.at(-1) === '') texts.pop();
        assert.deepEqual(split(10_000, chunksOf(bytes, cuts)), texts.map(withoutReturn));
      }),
    );
  });

  it('never gives out more of a line than its limit, and goes on with the next', () => {
    fc.assert(
      fc.property(cutTexts, fc.integer({ min: 1, max: 20 }), ({ bytes, cuts }, maxBytes) => {
        const lines = split(maxBytes, chunksOf(bytes, cuts));
        assert.deepEqual(lines, split(maxBytes, [bytes]));
        assert.ok(lines.every((line) => Buffer.byteLength(line) <= maxBytes));
      }),
    );
  });

  it('shows nothing of a character that its limit cuts', () => {
    assert.deepEqual(split(4, [Buffer.from('abcé\nd')]), ['abc', 'd']);
  });
});

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
