import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isRunning, parseProcessStat, readGroup, readProcessFigures } from './process-figures.js';

/** The names that programs give themselves can hold anything, 15 bytes long. */
const names = fc.string({ unit: fc.constantFrom('a', ' ', '(', ')', '\n', '1', 'R'), maxLength: 15 });

const figures = fc.record({
  pid: fc.integer({ min: 1, max: 2 ** 22 }),
  name: names,
  state: fc.constantFrom('R', 'S', 'D', 'T', 'Z', 'X'),
  parentPid: fc.nat(),
  group: fc.nat(),
  userTicks: fc.nat(),
  systemTicks: fc.nat(),
  threads: fc.nat(),
  startTicks: fc.nat(),
  pages: fc.nat(),
});

describe('a line of /proc/PID/stat', () => {
  it('is read whatever the program calls itself', () => {
    fc.assert(
      fc.property(figures, ({ pid, name, state, parentPid, group, userTicks, systemTicks, threads, startTicks, pages }) => {
        const line = [
          pid,
          `(${name})`,
          state,
          parentPid,
          group,
          7,
          0,
          -1,
          4194304,
          1,
          2,
          3,
          4,
          userTicks,
          systemTicks,
          0,
          0,
          20,
          0,
          threads,
          0,
        ]
          .concat([startTicks, 1_000_000, pages, '18446744073709551615', 1, 1])
          .join(' ');
        assert.deepEqual(parseProcessStat(`${line}\n`, 4096), {
          pid,
          state,
          parentPid,
          group,
          cpuMs: (userTicks + systemTicks) * 10,
          threads,
          startMs: startTicks * 10,
          residentBytes: pages * 4096,
        });
      }),
    );
  });

  it('is refused when it is none', () => {
    fc.assert(fc.property(fc.string(), (text) => assert.equal(parseProcessStat(text.slice(0, 40), 4096), undefined)));
  });
});

describe('the figures of a process', () => {
  it('are those that Node knows of itself', () => {
    const own = readProcessFigures(process.pid)!;
    assert.deepEqual([own.pid, own.parentPid, own.state], [process.pid, process.ppid, 'R']);
    assert.ok(Math.abs(own.residentBytes / process.memoryUsage.rss() - 1) < 0.2);
    const { user, system } = process.cpuUsage();
    assert.ok(Math.abs(own.cpuMs - (user + system) / 1000) < 100);
    assert.equal(isRunning(own), true);
  });

  it('say that a zombie does not run, unless it is only the first of several threads that has ended', () => {
    const own = readProcessFigures(process.pid)!;
    assert.equal(isRunning({ ...own, state: 'Z', threads: 1 }), false);
    assert.equal(isRunning({ ...own, state: 'Z', threads: 2 }), true);
    assert.equal(isRunning({ ...own, state: 'T', threads: 1 }), true);
  });

  it('are undefined when there is no such process', () => {
    assert.equal(readProcessFigures(2 ** 22 + 1), undefined);
  });

  it('are found by group', () => {
    const { group } = readProcessFigures(process.pid)!;
    assert.ok(readGroup(group).some(({ pid }) => pid === process.pid));
  });
});
