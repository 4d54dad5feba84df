import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect, isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { crashed, type ExitReason, isVigilError, KILLED, Message, NORMAL, SHUTDOWN, VigilError } from '../../core/index.js';
import { VirtualClock } from '../../testing/index.js';
import { cloneForProcess, copied, dehydrate, dehydrateReason, revive, reviveReason } from './data.js';
import { dehydrateMessage, reviveMessage } from './message-data.js';

/** Both ways of crossing a boundary; an error has to come through the same by either. */
const crossings = [
  { by: 'between threads', clone: <T>(value: T): T => structuredClone(value) },
  { by: 'between processes', clone: cloneForProcess },
];

// `assert.deepEqual` holds no invalid date equal to another.
const cloneable = fc.oneof(
  fc.anything({ withBigInt: true, withMap: true, withSet: true, withTypedArray: true }),
  fc.array(fc.date({ noInvalidDate: true })),
);
const uncloneable = fc.constantFrom<unknown>(() => 1, Symbol('s'), new WeakMap(), { deep: [() => 1] }, Promise.resolve());
const text = fc.string();
const fieldName = text.filter((name) => !['name', 'message', 'stack', 'cause', 'errors'].includes(name));

class QuotaError extends TypeError {
  override name = 'QuotaError';
  readonly quota: number;

  constructor(message: string, quota: number) {
    super(message);
    this.quota = quota;
  }
}

const native = fc
  .tuple(fc.constantFrom(Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError), text)
  .map(([constructor, message]) => new constructor(message));
const vigil = fc
  .tuple(fc.constantFrom('MailboxFull', 'OutOfMemory', 'AbnormalExit'), text, fc.dictionary(fieldName, fc.integer()))
  .map(([code, message, details]) => new VigilError(code, message, { details }));
const own = fc.tuple(text, fc.integer()).map(([message, quota]) => new QuotaError(message, quota));

const { error: anyError } = fc.letrec<{ error: Error; thrown: unknown }>((tie) => ({
  error: fc
    .tuple(
      fc.oneof(
        native,
        vigil,
        own,
        fc.tuple(fc.array(tie('thrown'), { maxLength: 3 }), text).map(([all, message]) => new AggregateError(all, message)),
      ),
      fc.option(tie('thrown'), { nil: undefined }),
      fc.dictionary(fieldName, fc.oneof(cloneable, tie('thrown')), { maxKeys: 3 }),
    )
    .map(([error, cause, fields]) => {
      for (const [key, value] of Object.entries(fields))
        if (!Object.hasOwn(error, key)) Object.defineProperty(error, key, { value, enumerable: true, configurable: true });
      return cause === undefined ? error : Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true });
    }),
  thrown: fc.oneof({ maxDepth: 4, depthIdentifier: 'errors' }, fc.constantFrom<unknown>('text', 5, null, { plain: true }), tie('error')),
}));

for (const { by, clone } of crossings) {
  const cross = (value: unknown): unknown => revive(clone(dehydrate(value)));

  describe(`what crosses a boundary ${by}`, () => {
    it('is an error with its name, message, stack, cause, errors and fields', () => {
      fc.assert(fc.property(anyError, (error) => assertSameError(cross(error), error)));
    });

    it('is a VigilError as such, with its code and details', () => {
      const error = new VigilError('AbnormalExit', 'it ended', { cause: new TypeError('why'), details: { exitCode: 3, tail: ['a'] } });
      const arrived = cross(error);
      assert.ok(isVigilError(arrived, 'AbnormalExit'));
      assert.deepEqual([arrived.message, arrived.details, arrived.stack], ['it ended', { exitCode: 3, tail: ['a'] }, error.stack]);
      assert.ok(arrived.cause instanceof TypeError);
    });

    for (const [what, details] of [
      ['nothing', null],
      [
        'what throws',
        new Proxy(
          {},
          {
            ownKeys() {
              throw new Error('no keys');
            },
          },
        ),
      ],
    ] as const) {
      it(`is a VigilError whose details were made ${what}, without them`, () => {
        const error = new VigilError('InvalidState', 'odd');
        Object.assign(error, { details });
        const arrived = cross(error);
        assert.ok(isVigilError(arrived, 'InvalidState'));
        assert.deepEqual([arrived.message, arrived.details], ['odd', {}]);
      });
    }

    it('is a VigilError with all of its details that can travel, whatever the others are', () => {
      const arrived = cross(new VigilError('AlreadyRegistered', 'taken', { details: { name: 'db', holder: { send() {} } } }));
      assert.ok(isVigilError(arrived, 'AlreadyRegistered'));
      assert.deepEqual(arrived.details, { name: 'db', holder: 'an object' });
    });

    it('is an error that only looks like a VigilError as an error with its fields', () => {
      const arrived = cross(Object.assign(new Error('x'), { name: 'VigilError', code: 'ENOENT' }));
      assert.ok(arrived instanceof Error && !isVigilError(arrived));
      assert.deepEqual([arrived.name, Reflect.get(arrived, 'code')], ['VigilError', 'ENOENT']);
    });

    it('is an error of a class of its own by its name', () => {
      const arrived = cross(new QuotaError('too much', 5));
      assert.ok(arrived instanceof Error);
      assert.deepEqual([arrived.name, arrived.message, Reflect.get(arrived, 'quota')], ['QuotaError', 'too much', 5]);
    });

    it('is a field that cannot be cloned as its description', () => {
      fc.assert(
        fc.property(uncloneable, (field) => {
          const arrived = cross(Object.assign(new Error('x'), { field, kept: 1 }));
          assert.ok(arrived instanceof Error);
          assert.equal(typeof Reflect.get(arrived, 'field'), 'string');
          assert.equal(Reflect.get(arrived, 'kept'), 1);
        }),
      );
    });

    it('is an error that refers to itself, cut where it begins again', () => {
      const [outer, inner] = [new Error('outer'), new Error('inner')];
      outer.cause = inner;
      inner.cause = outer;
      const arrived = cross(Object.assign(outer, { me: outer, all: [outer] }));
      assert.ok(arrived instanceof Error && arrived.cause instanceof Error);
      assert.deepEqual([arrived.message, arrived.cause.message], ['outer', 'inner']);
    });

    it('is many errors that refer to each other, in a time that a test has', () => {
      const errors = Array.from({ length: 12 }, (_, index) => new Error(String(index)));
      for (const error of errors) Object.assign(error, Object.fromEntries(errors.map((other, index) => [`to${index}`, other])));
      assert.ok(cross(errors[0]) instanceof Error);
    });

    it('is a DOMException with its name and message', () => {
      const arrived = cross(new DOMException('it was aborted', 'AbortError'));
      assert.ok(arrived instanceof Error);
      assert.deepEqual([arrived.name, arrived.message], ['AbortError', 'it was aborted']);
    });

    it('is what is no error as it is', () => {
      fc.assert(fc.property(cloneable, (value) => assert.deepEqual(cross(value), value)));
      fc.assert(fc.property(uncloneable, (value) => assert.equal(typeof cross(value), 'string')));
    });

    it('is an error whose properties throw when they are read', () => {
      const error = Object.defineProperty(new Error('x'), 'trap', {
        enumerable: true,
        get() {
          throw new Error('sprung');
        },
      });
      const arrived = cross(error);
      assert.ok(arrived instanceof Error && arrived.message === 'x');
    });

    it('is every reason to end', () => {
      const reasons: ExitReason[] = [
        NORMAL,
        SHUTDOWN,
        KILLED,
        { kind: 'shutdown', info: { because: ['x'] } },
        crashed('text'),
        crashed(undefined),
      ];
      for (const reason of reasons) assert.deepEqual(reviveReason(clone(dehydrateReason(reason))), reason);
    });

    it('is a message with all it has, and the life that is left to it', () => {
      const [there, here] = [new VirtualClock(), new VirtualClock()];
      const message = new Message('m1', 'me', { x: 1 }, 'alert', 'high', 100, there);
      message.setCorrelationId('c');
      message.setReplyTo('r');
      const arrived = reviveMessage(clone(dehydrateMessage(message, there)), here);
      const { id, sender, payload, signal, priority, ttlMs, metadata } = arrived;
      assert.deepEqual(
        { id, sender, payload, signal, priority, ttlMs },
        { id: 'm1', sender: 'me', payload: { x: 1 }, signal: 'alert', priority: 'high', ttlMs: 100 },
      );
      assert.deepEqual({ ...metadata }, { correlationId: 'c', replyTo: 'r' });
    });

    it('is the life of a message by the time that has passed, not from its beginning', async () => {
      const [there, here] = [new VirtualClock(), new VirtualClock()];
      const message = new Message('m1', undefined, 'x', undefined, 'normal', 100_000, there);
      await there.advance(60_000);
      await here.advance(5000);
      const arrived = reviveMessage(clone(dehydrateMessage(message, there)), here);
      // The way itself takes some real time.
      await here.advance(20_000);
      assert.equal(arrived.isExpired(), false);
      await here.advance(20_000);
      assert.equal(arrived.isExpired(), true);
    });

    it('is no payload that cannot be cloned', () => {
      fc.assert(
        fc.property(uncloneable, (payload) =>
          assert.throws(
            () => copied(payload, 'process "worker"', 'InvalidMessage', clone),
            (error) => isVigilError(error, 'InvalidMessage') && /"worker"/.test(error.message),
          ),
        ),
      );
    });

    it('refuses what would arrive as an empty shell, and says where it is', () => {
      const inbox = { sendMessage: () => 'queued' };
      const cases = [
        [inbox, 'it is a ref or an inbox'],
        [{ jobs: inbox }, '.jobs is a ref or an inbox'],
        [{ deep: [1, { inbox }] }, '.deep.1.inbox is a ref or an inbox'],
      ] as const;
      for (const [value, words] of cases) {
        assert.throws(
          () => copied(value, 'args', 'InvalidConfiguration', clone),
          (error) => isVigilError(error, 'InvalidConfiguration') && error.message.includes(words),
        );
      }
      const circle: Record<string, unknown> = { plain: [new Map([['a', 1]]), 'text', undefined] };
      circle['self'] = circle;
      assert.deepEqual(copied(circle, 'args', 'InvalidConfiguration', clone), circle);
    });
  });
}

function describeDifference(actual: unknown, expected: unknown): string {
  return `${inspect(actual)} instead of ${inspect(expected)}`;
}

/** What an error is to whoever reads it. */
function assertSameError(actual: unknown, expected: unknown): void {
  if (!(expected instanceof Error))
    return assert.ok(isDeepStrictEqual(actual, structuredClone(expected)), describeDifference(actual, expected));
  assert.ok(actual instanceof Error);
  assert.deepEqual([actual.name, actual.message, actual.stack], [expected.name, expected.message, expected.stack]);
  assert.equal(isVigilError(actual), isVigilError(expected));
  assertSameError(actual.cause, expected.cause);
  for (const key of Object.keys(expected)) if (key !== 'name') assertSameError(Reflect.get(actual, key), Reflect.get(expected, key));
  if (!(expected instanceof AggregateError)) return;
  assert.ok(actual instanceof AggregateError);
  assert.equal(actual.errors.length, expected.errors.length);
  expected.errors.forEach((error, index) => assertSameError(actual.errors[index], error));
}
