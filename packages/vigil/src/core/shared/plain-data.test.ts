import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { NOT_PLAIN, PlainDataReader, PlainDataWriter } from './plain-data.js';

/** What comes out, read by two who have read nothing alike before, out of memory that begins with something else. */
function passed(value: unknown, writer = new PlainDataWriter(), reader = new PlainDataReader()): unknown {
  const sizeBytes = writer.write(value);
  assert.notEqual(sizeBytes, NOT_PLAIN);
  const memory = Buffer.from(new SharedArrayBuffer(sizeBytes + 8));
  memory.set(writer.bytes.subarray(0, sizeBytes), 3);
  return reader.read(memory, 3, sizeBytes);
}

function assertPasses(value: unknown, writer?: PlainDataWriter, reader?: PlainDataReader): void {
  const copy = passed(value, writer, reader);
  assert.deepEqual(copy, structuredClone(value));
  assertSameKeys(copy, value);
}

/** In the same order, and all of an object's own. */
function assertSameKeys(copy: unknown, value: unknown): void {
  if (typeof value !== 'object' || value === null || typeof copy !== 'object' || copy === null) return;
  assert.deepEqual(
    Object.entries(Object.getOwnPropertyDescriptors(copy)),
    Object.entries(Object.getOwnPropertyDescriptors(structuredClone(value))),
  );
  assert.equal(Object.getPrototypeOf(copy), Object.getPrototypeOf(value));
}

const keys = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', 'toJSON', '', '0', '10', '2', 'é', 'ÿ', 'a\0b'));
const leaves = fc.oneof(
  fc.constantFrom(null, undefined, true, false, 0, -0, Number.NaN, Infinity, -Infinity, 2 ** 31, 2 ** 31 - 1, -(2 ** 31), -(2 ** 31) - 1),
  fc.integer(),
  fc.double(),
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('\ud83d', 'x'.repeat(254), 'x'.repeat(255), 'x'.repeat(70_000), 'ж'.repeat(200)),
);
const { value: plainData } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaves,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(keys, tie('value')), { maxLength: 5 }).map(objectOf),
  ),
}));

/** With properties of its own, whatever their names. */
function objectOf(entries: readonly (readonly [string, unknown])[]): object {
  const object = {};
  for (const [key, value] of entries) {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  }
  return object;
}

describe('plain data in memory', () => {
  it('arrives as by structured clone', () => {
    const writer = new PlainDataWriter();
    const reader = new PlainDataReader();
    fc.assert(
      fc.property(plainData, (value) => {
        fc.pre(countOf(value) <= 32);
        assertPasses(value);
        // Again, when the shapes are known.
        assertPasses(value, writer, reader);
      }),
      { numRuns: 1000 },
    );
  });

  it('has all counts and sizes', () => {
    for (const length of [0, 1, 254, 255, 256, 70_000]) {
      assertPasses('x'.repeat(length));
      assertPasses('ж'.repeat(length));
      assertPasses(Array.from({ length }, (_, index) => index));
    }
    for (const length of [0, 1, 31, 32]) assertPasses(objectOf(Array.from({ length }, (_, index) => [`key ${index}`, index])));
  });

  it('has objects of more shapes than are known at a time', () => {
    const writer = new PlainDataWriter();
    const reader = new PlainDataReader();
    for (let round = 0; round < 3; round += 1) {
      for (let shape = 0; shape < 300; shape += 1) assertPasses({ first: round, [`key ${shape}`]: 'x' }, writer, reader);
    }
  });

  it('tells objects apart whose keys have the same hash', () => {
    const reader = new PlainDataReader();
    const writer = new PlainDataWriter();
    const bytes = (value: unknown) => Buffer.from(writer.bytes.subarray(0, writer.write(value)));
    const [first, second] = [bytes({ a: 1 }), bytes({ b: 2 })];
    // The hash is behind the tag.
    first.copy(second, 1, 1, 5);
    assert.deepEqual(reader.read(first, 0, first.length), { a: 1 });
    assert.deepEqual(reader.read(second, 0, second.length), { b: 2 });
    assert.deepEqual(reader.read(first, 0, first.length), { a: 1 });
  });

  it('is left to the structured clone where that has more to say, or more to do', () => {
    const shared = {};
    const circle: unknown[] = [];
    circle.push(circle);
    const holes: unknown[] = [1];
    holes.length = 3;
    class Order {
      readonly amount = 1;
    }
    const others: readonly unknown[] = [
      1n,
      Symbol('x'),
      () => {},
      new Order(),
      Object.create(null),
      new Date(),
      new Map(),
      new Uint8Array(2),
      Object(1),
      [shared, shared],
      { a: shared, b: [shared] },
      circle,
      holes,
      Object.assign([1], { extra: 2 }),
      { ж: 1 },
      { ['x'.repeat(255)]: 1 },
      objectOf(Array.from({ length: 33 }, (_, index) => [`key ${index}`, index])),
      Array.from({ length: 32 }, () => []),
    ];
    const writer = new PlainDataWriter();
    for (const value of others) assert.equal(writer.write(value), NOT_PLAIN);
    assertPasses({ a: [1] }, writer);
  });

  it('is whole though a getter throws, or writes something else meanwhile', () => {
    const writer = new PlainDataWriter();
    const throwing = {
      first: [1],
      get second(): never {
        throw new Error('scripted');
      },
    };
    assert.throws(() => writer.write(throwing), /scripted/);
    const writing = {
      first: 1,
      get second(): number {
        return writer.write({ something: 'else' });
      },
    };
    assert.deepEqual(passed(writing, writer), { first: 1, second: NOT_PLAIN });
    assertPasses(throwing.first, writer);
  });

  it('that was written over is an error or something else, never a loop or a crash', () => {
    fc.assert(
      fc.property(plainData, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(), (value, changes, cut) => {
        const writer = new PlainDataWriter();
        const sizeBytes = writer.write(value);
        fc.pre(sizeBytes !== NOT_PLAIN && sizeBytes < 5000);
        const bytes = Buffer.from(writer.bytes.subarray(0, sizeBytes));
        for (const [at, byte] of changes) bytes[at % sizeBytes] = byte;
        try {
          new PlainDataReader().read(bytes, 0, sizeBytes - (cut % sizeBytes));
        } catch (error) {
          assert.ok(error instanceof RangeError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

/** Objects and arrays in a value. */
function countOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((sum, part) => sum + countOf(part), 1);
}
