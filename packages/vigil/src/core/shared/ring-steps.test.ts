import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { BELL, CLOSED, RECEIVED, ROOM_BELL } from './layout.js';
import { NONE, type SharedRing } from './ring.js';
import { LARGE_BYTES, numberOf, Scene, send, SMALL_BYTES } from './ring-scene.suite.js';
import { crashAt, fallAsleep, instrumentAtomics, preemptAt, stepsOf } from './steps.suite.js';

/**
 * A model check of the protocol of the ring. What is explored is not a copy of the algorithm but the algorithm: each act is stopped before
 * each of its steps that other threads can see, and there the others act, or it ends.
 *
 * What this covers: each act alone; all pairs, one whole or ended within the other; all triples, one whole within another within a third.
 * What it does not: two threads that take turns more than once (the third of a triple comes back to the second, not to the first before
 * that), and reordering of plain memory, which `ring-threads.test.ts` leaves to the hardware.
 */
const SETTINGS = { capacity: 2, rings: 1, arenaBytes: 1024 };

/** The thread that is dead before anything begins, where there is one. */
const LONG_DEAD = 3;

interface Act {
  /** What the dead thread was doing, for an act that buries it. */
  readonly prepare?: (dead: SharedRing) => void;
  readonly run: (scene: Scene, ring: SharedRing, number: number) => void;
}

const acts: Readonly<Record<string, Act>> = {
  send: { run: (scene, ring, number) => scene.send(ring, number) },
  'send large': { run: (scene, ring, number) => scene.send(ring, number, LARGE_BYTES, 0, 10) },
  take: { run: (scene, ring) => scene.receive(ring) },
  'take that': { run: (scene, ring) => scene.receiveThat(ring, 5) },
  'take batches': {
    run: (scene, ring) => {
      scene.receiveBatch(ring);
      scene.receiveBatch(ring);
    },
  },
  expire: { run: (scene, ring) => scene.expire(ring, 10) },
  close: {
    run: (scene, ring) => {
      scene.isClosed = true;
      ring.close();
    },
  },
  look: {
    run: (_, ring) => {
      const { sent, passed, peakDepth } = ring;
      assert.ok(sent < 10 && passed < 10 && peakDepth <= ring.layout.capacity, `${sent} came in, ${passed} went out`);
      const waiting = [...ring.waiting()].map((record) => numberOf(ring, record));
      assert.equal(new Set(waiting).size, waiting.length);
    },
  },
  'bury one that was writing': { prepare: (dead) => dead.reserve(dead.claim(), LARGE_BYTES), run: bury },
  'bury one that was sending': { prepare: (dead) => endAtLastStep(dead, (ring) => send(ring, 4, LARGE_BYTES)), run: bury },
  'bury one that was taking': { prepare: (dead) => endAtLastStep(dead, (ring) => ring.take()), run: bury },
  'bury one that was taking a batch': { prepare: (dead) => endAtLastStep(dead, (ring) => ring.takeBatch(2)), run: bury },
};

const names = Object.keys(acts);
const buries = (name: string) => acts[name]!.prepare !== undefined;

/** Only one thread buries at a time. */
const pairs = names.flatMap((outer) => names.map((inner) => [outer, inner] as const)).filter((pair) => pair.filter(buries).length <= 1);
const triples = pairs
  .flatMap(([outer, middle]) => names.map((inner) => [outer, middle, inner] as const))
  .filter((triple) => triple.filter(buries).length <= 1);

describe('SharedRing, stopped before every step', () => {
  let restore: () => void;
  before(() => (restore = instrumentAtomics()));
  after(() => restore());

  for (const name of names) {
    it(`loses and doubles nothing when a thread is ended within: ${name}`, (t) => {
      const runs = explore((step) => {
        const scene = prepared(name);
        const isEnded = crash(scene, 0, () => run(scene, 0, name), step);
        scene.assertWhole(isEnded ? 2 : 1);
        return isEnded;
      });
      report(t, runs, 10);
    });
  }

  it('loses and doubles nothing when one act falls between any two steps of another', (t) => {
    let runs = 0;
    for (const [outer, inner] of pairs) {
      runs += explore((step) => {
        const scene = prepared(outer, inner);
        const isStopped = stop(scene, 0, outer, step, () => run(scene, 1, inner));
        scene.assertWhole(1);
        return isStopped;
      });
    }
    report(t, runs, 1000);
  });

  it('loses and doubles nothing when a thread is ended at any step, and buried, between any two steps of another', (t) => {
    let runs = 0;
    for (const [outer, inner] of pairs) {
      explore((step) => {
        let isStopped = false;
        runs += explore((innerStep) => {
          let isEnded = false;
          const scene = prepared(outer, inner);
          isStopped = stop(scene, 0, outer, step, () => {
            isEnded = crash(scene, 1, () => run(scene, 1, inner), innerStep);
            if (!buries(outer)) scene.buryAll();
          });
          scene.assertWhole(2);
          return isEnded;
        });
        return isStopped;
      });
    }
    report(t, runs, 9_000);
  });

  it('loses and doubles nothing when a thread is ended at a later step than that before which another acted', (t) => {
    let runs = 0;
    for (const [outer, inner] of pairs) {
      explore((step) => {
        let isStopped = false;
        runs += explore((later) => {
          const scene = prepared(outer, inner);
          isStopped = false;
          const isEnded = crash(
            scene,
            0,
            () => {
              isStopped = stop(scene, 0, outer, step, () => run(scene, 1, inner));
            },
            step + later,
          );
          scene.assertWhole(2);
          return isEnded;
        });
        return isStopped;
      });
    }
    report(t, runs, 9_000);
  });

  it('loses and doubles nothing when two acts fall between steps of a third', (t) => {
    let runs = 0;
    for (const [outer, first, second] of triples) {
      explore((step) => {
        let isStopped = false;
        runs += explore((later) => {
          const scene = prepared(outer, first, second);
          const stopTwice = () => {
            isStopped = stop(scene, 0, outer, step, () => run(scene, 1, first));
          };
          const isStoppedAgain = preemptAt(step + later, stopTwice, () => run(scene, 2, second), scene.isShared);
          scene.assertWhole(1);
          return isStoppedAgain;
        });
        return isStopped;
      });
    }
    report(t, runs, 50_000);
  });

  it('loses and doubles nothing when a third act falls into a second, and that into a first', (t) => {
    let runs = 0;
    for (const [outer, middle, inner] of triples) {
      explore((step) => {
        let isStopped = false;
        runs += explore((middleStep) => {
          let isStoppedAgain = false;
          const scene = prepared(outer, middle, inner);
          isStopped = stop(scene, 0, outer, step, () => {
            isStoppedAgain = stop(scene, 1, middle, middleStep, () => run(scene, 2, inner));
          });
          scene.assertWhole(1);
          return isStoppedAgain;
        });
        return isStopped;
      });
    }
    report(t, runs, 50_000);
  });
});

describe('SharedRing, when somebody sleeps', () => {
  let restore: () => void;
  before(() => (restore = instrumentAtomics()));
  after(() => restore());

  const roles: Readonly<Record<string, (sleepers: Sleepers, thread: number) => void>> = {
    send: (sleepers, thread) => sleepers.send(thread),
    receive: (sleepers, thread) => sleepers.receive(thread),
    'give up': (sleepers, thread) => sleepers.scene.threads[thread]!.ringAll(),
  };

  it('lets no receiver sleep while a message waits, and no sender while there is room', (t) => {
    let runs = 0;
    for (const waiting of [0, 1, 2]) {
      for (const asleep of ['send', 'receive'] as const) {
        for (const outer of Object.keys(roles)) {
          for (const middle of Object.keys(roles)) {
            for (const inner of Object.keys(roles)) {
              explore((step) => {
                let isStopped = false;
                runs += explore((middleStep) => {
                  let isStoppedAgain = false;
                  const sleepers = new Sleepers(waiting);
                  const { scene } = sleepers;
                  for (const thread of [3, 4]) roles[asleep]!(sleepers, thread);
                  isStopped = preemptAt(
                    step,
                    () => roles[outer]!(sleepers, 0),
                    () => {
                      isStoppedAgain = preemptAt(
                        middleStep,
                        () => roles[middle]!(sleepers, 1),
                        () => roles[inner]!(sleepers, 2),
                        scene.isShared,
                      );
                    },
                    scene.isShared,
                  );
                  sleepers.assertNobodySleepsInVain();
                  return isStoppedAgain;
                });
                return isStopped;
              });
            }
          }
        }
      }
    }
    report(t, runs, 9_000);
  });

  it('makes up for the wake-up that an ended thread owed', (t) => {
    let runs = 0;
    for (const waiting of [0, 1, 2]) {
      for (const asleep of ['send', 'receive'] as const) {
        for (const name of ['send', 'receive', 'close'] as const) {
          runs += explore((step) => {
            const sleepers = new Sleepers(waiting);
            const { scene } = sleepers;
            for (const thread of [3, 4]) roles[asleep]!(sleepers, thread);
            const act = name === 'close' ? () => scene.threads[0]!.close() : () => roles[name]!(sleepers, 0);
            const isEnded = crashAt(step, act, scene.isShared);
            if (isEnded) scene.observer.bury(1);
            sleepers.assertNobodySleepsInVain();
            return isEnded;
          });
        }
      }
    }
    report(t, runs, 100);
  });

  it('wakes who waits for the end when the thread that closes is ended', () => {
    explore((step) => {
      const scene = new Scene(SETTINGS);
      const [first, second] = scene.threads;
      const isAsleep = fallAsleep(second!.layout.words, CLOSED, 0);
      const isEnded = crashAt(step, () => first!.close(), scene.isShared);
      if (isEnded) scene.observer.bury(1);
      assert.equal(isAsleep(), !scene.observer.isClosed);
      return isEnded;
    });
  });
});

describe('SharedRing, about room', () => {
  let restore: () => void;
  before(() => (restore = instrumentAtomics()));
  after(() => restore());

  it('never says that it is full after two records were freed', (t) => {
    const runs = explore((step) => {
      const scene = new Scene({ ...SETTINGS, capacity: 3 });
      const [first, second, third] = scene.threads;
      for (const number of [1, 2, 3]) assert.ok(scene.send(first!, number));
      const isStopped = preemptAt(
        step,
        () => scene.send(first!, 4),
        () => {
          scene.receive(second!);
          scene.receive(second!);
          assert.ok(scene.send(third!, 5), 'no room');
        },
        scene.isShared,
      );
      scene.assertWhole(0);
      return isStopped;
    });
    report(t, runs, 5);
  });

  it('finds what has expired although it looked while the message was being sent', (t) => {
    for (const isEnded of [false, true]) {
      const runs = explore((step) => {
        const scene = new Scene(SETTINGS);
        const [first, second] = scene.threads;
        const sends = () => scene.send(first!, 1, SMALL_BYTES, 0, 10);
        const looks = () => assert.equal(scene.expire(second!, 5), undefined);
        const isStopped = isEnded ? crashAt(step, sends, scene.isShared) : preemptAt(step, sends, looks, scene.isShared);
        if (isEnded && isStopped) {
          looks();
          scene.observer.bury(1);
        }
        const waits = [...second!.waiting()].length;
        assert.equal(waits === 1 && second!.nextExpiryMs > 10, false, 'nobody would look in time');
        assert.equal(scene.expire(second!, 10), waits === 1 ? 1 : undefined);
        scene.assertWhole(1);
        return isStopped;
      });
      report(t, runs, 5);
    }
  });
});

describe('SharedRing, where a record is used again meanwhile', () => {
  let restore: () => void;
  before(() => (restore = instrumentAtomics()));
  after(() => restore());

  const SENT_AGAIN = 3;
  const takes: Readonly<Record<string, (scene: Scene, ring: SharedRing) => void>> = {
    'the first': (scene, ring) => scene.receive(ring),
    'one out of the middle': (scene, ring) => scene.receiveThat(ring, 2),
  };

  /** All records wait. */
  const full = (): Scene => {
    const scene = new Scene(SETTINGS);
    for (const number of [1, 2]) scene.send(scene.threads[1]!, number);
    return scene;
  };

  for (const [name, take] of Object.entries(takes)) {
    it(`has room again when ${name} was taken`, () => {
      const scene = full();
      take(scene, scene.threads[0]!);
      assert.equal(scene.send(scene.threads[1]!, SENT_AGAIN), true);
      scene.assertWhole(0);
    });

    it(`gives out the messages in their order when ${name} was taken`, (t) => {
      const runs = explore((step) => {
        const scene = full();
        const [first, second] = scene.threads;
        const takeAndSend = () => {
          take(scene, second!);
          scene.send(second!, SENT_AGAIN);
        };
        const isStopped = preemptAt(step, () => scene.receive(first!), takeAndSend, scene.isShared);
        scene.assertWhole(0);
        const { published, taken } = scene;
        if (published.includes(SENT_AGAIN)) assert.ok(taken.indexOf(SENT_AGAIN) > Math.max(taken.indexOf(1), taken.indexOf(2)));
        return isStopped;
      });
      report(t, runs, 10);
    });

    it(`shows no message that is half written when ${name} was taken`, (t) => {
      let runs = 0;
      explore((cut) => {
        let isCut = false;
        runs += explore((step) => {
          const scene = full();
          const [first, second] = scene.threads;
          const seen: number[] = [];
          const look = () => {
            for (const record of first!.waiting()) seen.push(first!.look(record, () => numberOf(first!, record)) ?? 0);
          };
          const takeAndSend = () => {
            take(scene, second!);
            isCut = crashAt(cut, () => scene.send(second!, SENT_AGAIN), scene.isShared);
          };
          const isStopped = preemptAt(step, look, takeAndSend, scene.isShared);
          assert.ok(Math.max(...seen) <= scene.observer.sent, `saw ${seen.join()}, of which the last was not sent`);
          return isStopped;
        });
        return isCut;
      });
      report(t, runs, 100);
    });
  }
});

describe('SharedRing, held', () => {
  let restore: () => void;
  before(() => (restore = instrumentAtomics()));
  after(() => restore());

  it('gives out nothing that came in since', (t) => {
    let runs = 0;
    for (const waiting of [0, 1]) {
      runs += explore((step) => {
        const scene = new Scene({ ...SETTINGS, capacity: 3 });
        scene.batch = 3;
        const [first, second] = scene.threads;
        for (let number = 1; number <= waiting; number += 1) scene.send(second!, number);
        const isStopped = preemptAt(
          step,
          () => scene.receiveBatch(first!),
          () => {
            second!.hold();
            assert.ok(scene.send(second!, 9));
          },
          scene.isShared,
        );
        assert.ok(!scene.taken.includes(9));
        second!.release();
        scene.assertWhole(0);
        return isStopped;
      });
    }
    report(t, runs, 10);
  });

  it('gives out nothing that came in since to who asks for it, either', (t) => {
    const runs = explore((step) => {
      const scene = new Scene({ ...SETTINGS, capacity: 3 });
      const [first, second] = scene.threads;
      scene.send(second!, 1);
      const isStopped = preemptAt(
        step,
        () => scene.receiveThat(first!, 9),
        () => {
          second!.hold();
          assert.ok(scene.send(second!, 9));
        },
        scene.isShared,
      );
      assert.ok(!scene.taken.includes(9));
      assert.equal(scene.receiveThat(first!, 9), undefined);
      second!.release();
      if (isStopped) assert.equal(scene.receiveThat(first!, 9), 9);
      scene.assertWhole(0);
      return isStopped;
    });
    report(t, runs, 10);
  });

  it('gives what is left to who takes it all the same', () => {
    const scene = new Scene(SETTINGS);
    const [first, second] = scene.threads;
    scene.send(second!, 1);
    second!.hold();
    assert.equal(first!.take(), NONE);
    const record = first!.takeLeft();
    assert.equal(numberOf(first!, record), 1);
  });
});

describe('SharedRing, where positions pass a quarter of their range', () => {
  let restore: () => void;
  before(() => (restore = instrumentAtomics()));
  after(() => restore());

  it('counts what came in, whoever looks or sends meanwhile', (t) => {
    let runs = 0;
    for (const looks of ['sent', 'passed', undefined] as const) {
      for (let ahead = 60; ahead <= 64; ahead += 1) {
        runs += explore((step) => {
          const scene = new Scene(SETTINGS, 3, 2 ** 30 - 100);
          const [first, second] = scene.threads;
          for (let number = 1; number <= ahead; number += 1) {
            scene.send(first!, number);
            scene.receive(first!);
          }
          const act = () => {
            if (looks === undefined) scene.send(first!, 100);
            else assert.ok(first![looks] >= ahead && first![looks] <= ahead + 2, `${looks}: ${first![looks]}`);
          };
          const isStopped = preemptAt(
            step,
            act,
            () => {
              scene.send(second!, 200);
              // The first may have sent its message and not moved the tail on.
              assert.ok(second!.sent === ahead + 1 || (looks === undefined && second!.sent === ahead + 2), `sent: ${second!.sent}`);
              scene.receive(second!);
              assert.equal(second!.passed, ahead + 1);
            },
            scene.isShared,
          );
          scene.assertWhole(0);
          return isStopped;
        });
      }
    }
    report(t, runs, 50);
  });
});

/** Threads that sleep when there is nothing to take or no room: the first that are woken go on. */
class Sleepers {
  readonly scene = new Scene(SETTINGS, 6);
  #asleep: { readonly bell: number; readonly isAsleep: () => boolean; readonly goOn: () => void }[] = [];
  #number = 10;

  constructor(waiting: number) {
    for (let number = 1; number <= waiting; number += 1) this.scene.send(this.scene.observer, number);
  }

  receive(thread: number): void {
    const ring = this.scene.threads[thread]!;
    const bell = ring.wish(BELL);
    const record = ring.take();
    if (record === NONE) {
      if (!ring.isClosed) this.#sleep(ring, BELL, bell, () => this.receive(thread));
      return;
    }
    // The bell may have been rung for one while there are messages for two.
    if (!ring.isEmpty()) ring.ringBell();
    ring.settle(record, RECEIVED);
    ring.ringForRoom();
  }

  send(thread: number): void {
    const ring = this.scene.threads[thread]!;
    const bell = ring.wish(ROOM_BELL);
    this.#number += 1;
    if (send(ring, this.#number)) {
      ring.ringBell();
      ring.ringForRoom();
    } else if (!ring.isClosed) this.#sleep(ring, ROOM_BELL, bell, () => this.send(thread));
  }

  assertNobodySleepsInVain(): void {
    for (let woken = this.#takeWoken(); woken.length > 0; woken = this.#takeWoken()) for (const { goOn } of woken) goOn();
    const ring = this.scene.observer;
    if (ring.isClosed) assert.equal(this.#asleep.length, 0);
    const waiting = [...ring.waiting()].length;
    for (const { bell } of this.#asleep) assert.equal(waiting, bell === BELL ? 0 : SETTINGS.capacity);
  }

  #sleep(ring: SharedRing, bell: number, number: number, goOn: () => void): void {
    const isAsleep = fallAsleep(ring.layout.words, bell, number);
    this.#asleep.push({ bell, isAsleep, goOn });
  }

  #takeWoken() {
    const woken = this.#asleep.filter(({ isAsleep }) => !isAsleep());
    this.#asleep = this.#asleep.filter(({ isAsleep }) => isAsleep());
    return woken;
  }
}

/** Tries all steps, from the first to the one that the act does not have. @returns how many. */
function explore(runAt: (step: number) => boolean): number {
  let step = 1;
  while (runAt(step)) step += 1;
  return step;
}

function report(t: TestContext, runs: number, atLeast: number): void {
  t.diagnostic(`${runs} interleavings`);
  assert.ok(runs >= atLeast, `only ${runs} interleavings`);
}

/** A scene in which as many wait, and the fourth thread is dead if that one is to be buried. */
function prepared(...toCome: readonly string[]): Scene {
  const scene = withWaiting(toCome.some((name) => name.includes('batch')) ? 2 : 1);
  const { prepare } = acts[toCome.find(buries) ?? ''] ?? {};
  if (prepare === undefined) return scene;
  prepare(scene.threads[LONG_DEAD]!);
  scene.dead.push(LONG_DEAD + 1);
  return scene;
}

/** Four threads and one to observe them, and room for one message more than waits: one that can expire, or several for a batch. */
function withWaiting(count: number): Scene {
  const scene = new Scene({ ...SETTINGS, capacity: count + 1 }, 5);
  scene.batch = count;
  for (let number = 5; number < 5 + count; number += 1) scene.send(scene.observer, number, SMALL_BYTES, 0, count === 1 ? 10 : 0);
  return scene;
}

/** Ends the thread before the last step of an act: what it came for is done, but nobody was told. */
function endAtLastStep(dead: SharedRing, act: (ring: SharedRing) => void): void {
  const twin = withWaiting(dead.layout.capacity - 1).threads[LONG_DEAD]!;
  const steps = stepsOf(() => act(twin));
  assert.ok(crashAt(steps, () => act(dead)));
}

function bury(_: Scene, ring: SharedRing): void {
  ring.bury(LONG_DEAD + 1);
}

function run(scene: Scene, thread: number, name: string): void {
  acts[name]!.run(scene, scene.threads[thread]!, 10 + thread);
}

function stop(scene: Scene, thread: number, name: string, step: number, other: () => void): boolean {
  return preemptAt(step, () => run(scene, thread, name), other, scene.isShared);
}

function crash(scene: Scene, thread: number, act: () => void, step: number): boolean {
  const isEnded = crashAt(step, act, scene.isShared);
  if (isEnded) scene.dead.push(thread + 1);
  return isEnded;
}
