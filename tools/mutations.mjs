// Breaks the supervisor on purpose, one way at a time, and demands that the histories notice: a test of the test.
//
//     node tools/mutations.mjs [--seeds 2000] [--only word]
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '2000' }, only: { type: 'string', default: '' } } });

/** What is broken: in which file of `supervision`, which text becomes which. */
const mutations = [
  {
    name: 'the window does not slide, it starts anew when its oldest restart is out of it',
    edits: [['restart-intensity.ts', 'this.#times.shift();', 'while (this.#times.shift() !== undefined);']],
  },
  {
    name: 'the edge of the window is outside of it',
    edits: [['restart-intensity.ts', 'nowMs - oldest > this.periodMs', 'nowMs - oldest >= this.periodMs']],
  },
  {
    name: 'the budget is charged twice for a restart',
    edits: [['supervisor-core.ts', 'this.#intensity.record(nowMs);', 'this.#intensity.record(nowMs); this.#intensity.record(nowMs);']],
  },
  {
    name: 'a supervisor gives up one restart too late',
    edits: [['supervisor-core.ts', 'return this.#intensity.remaining(nowMs) > 0', 'return this.#intensity.remaining(nowMs) >= 0']],
  },
  {
    name: 'a group is restarted child by child',
    edits: [
      ['supervisor-core.ts', 'for (const child of group) {', 'for (const child of group) {\n      await this.stopChild(child);'],
      ['supervisor-core.ts', 'for (const child of plan.stop) {', 'for (const child of plan.stop.slice(0, 0)) {'],
    ],
  },
  {
    name: 'an end while the supervisor stops is answered with a restart',
    edits: [
      [
        'supervisor-core.ts',
        "if (this.#phase.kind !== 'running') {\n      child.settleStopped();\n      return;\n    }\n    if (this.#isToRestart",
        'if (this.#isToRestart',
      ],
      ['supervisor-core.ts', "if (this.#phase.kind !== 'running') return;\n      child.restartCount", 'child.restartCount'],
    ],
  },
  {
    name: 'a temporary sibling comes back with its group',
    edits: [
      ['restart-plan.ts', 'forget: others.filter(isTemporary)', 'forget: []'],
      ['restart-plan.ts', 'start: group.filter((child) => child === failed || !isTemporary(child))', 'start: group'],
    ],
  },
  {
    name: 'a transient child is restarted after a clean end',
    edits: [['restart-plan.ts', 'return isAbnormal(reason);', 'return true;']],
  },
  {
    name: 'children are stopped in start order',
    edits: [['supervisor-core.ts', 'return [...this.children.values()].toReversed();', 'return [...this.children.values()];']],
  },
  {
    name: 'rest_for_one leaves the children behind the failed one alone',
    edits: [['restart-plan.ts', 'return startOrder.slice(startOrder.indexOf(failed));', 'return [failed];']],
  },
  {
    name: 'stopping does not cut short a start',
    edits: [['supervisor-core.ts', 'for (const child of this.children.values()) child.cancelStart();', '']],
  },
  {
    name: 'the grace timer is left behind',
    edits: [['child.ts', 'phase.cancelGrace?.();', '']],
  },
  {
    name: 'terminateChild does not end the wait before a restart',
    edits: [['child.ts', "if (this.#phase.kind === 'restarting') this.#phase.cancelDelay?.();", '']],
  },
  {
    name: 'a stale end is answered although its child was restarted meanwhile',
    edits: [['supervisor-core.ts', 'if (child.phase !== ended) return;', '']],
  },
  {
    name: 'one_for_all restarts its group once for each of two simultaneous ends',
    edits: [
      [
        'child.ts',
        "case 'ended':\n      case 'restarting':\n        this.settleStopped();\n        return undefined;",
        "case 'ended':\n        return undefined;\n      case 'restarting':\n        this.settleStopped();\n        return undefined;",
      ],
    ],
  },
  {
    name: 'a failed start is tried again without being counted',
    edits: [
      [
        'supervisor-core.ts',
        "await this.#restart(child, failure.reason, 'start_failure');",
        'await this.#startGroup(this.planOf(child).start);',
      ],
    ],
  },
  {
    name: 'all_significant ends the supervisor at the first end',
    edits: [['supervisor-core.ts', 'return !this.#hasActiveSignificant();', 'return true;']],
  },
  {
    name: 'dynamic children have a deadline each instead of a common one',
    edits: [['dynamic-supervisor.ts', "this.stopChild(child, 'common_deadline')", 'this.stopChild(child)']],
  },
  {
    name: 'a start that terminateChild cuts short is made again',
    edits: [
      [
        'supervisor-core.ts',
        'if (outcome instanceof StartFailure && !outcome.isCancelled) return',
        'if (outcome instanceof StartFailure) return',
      ],
    ],
  },
  {
    name: 'start() rejects before everything is stopped (fixed)',
    edits: [['supervisor-core.ts', "await this.exited;\n    throw this.invalidState('was stopped", "throw this.invalidState('was stopped"]],
  },
  {
    name: 'a request starts a child while the supervisor stops (fixed)',
    edits: [['supervisor-core.ts', "if (this.#phase.kind !== 'running') throw this.#notRunning();", '']],
  },
];

const scratch = await mkdtemp(join(tmpdir(), 'vigil-mutations-'));
let missed = 0;
try {
  for (const file of ['tsconfig.base.json', 'packages/vigil/tsconfig.json', 'packages/vigil/package.json'])
    await cp(join(root, file), join(scratch, file));
  await symlink(join(root, 'node_modules'), join(scratch, 'node_modules'));
  for (const { name, edits } of mutations) {
    if (!name.includes(values.only)) continue;
    const found = await seedThatFinds(edits);
    if (found === undefined) missed += 1;
    console.log(`${found === undefined ? 'MISSED' : `found by seed ${found}`.padEnd(19)}  ${name}`);
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}
if (missed > 0) throw new Error(`${missed} mutations were not noticed`);

/** The first seed whose history fails on the broken library. */
async function seedThatFinds(edits) {
  const copy = join(scratch, 'packages/vigil');
  await rm(join(copy, 'src'), { recursive: true, force: true });
  await cp(join(root, 'packages/vigil/src'), join(copy, 'src'), { recursive: true });
  for (const [file, from, to] of edits) await edit(join(copy, 'src/supervision', file), from, to);
  await run(join(root, 'node_modules/.bin/tsc'), ['-p', copy]);
  try {
    await run('node', [join(copy, 'dist/supervision/histories/run.suite.js'), '--seeds', values.seeds, '--no-shrink'], {
      maxBuffer: 2 ** 28,
    });
    return undefined;
  } catch (error) {
    const [, seed] = /seed (\d+) fails/.exec(error.stderr) ?? [];
    if (seed === undefined) throw error;
    return Number(seed);
  }
}

async function edit(path, from, to) {
  const text = await readFile(path, 'utf8');
  if (text.split(from).length !== 2) throw new Error(`${path} does not have this text exactly once: ${from}`);
  await writeFile(path, text.replace(from, to));
}
