import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { explore } from './explore.js';
import { SCENARIOS } from './scenarios.suite.js';

const run = promisify(execFile);
const LIBRARY = fileURLToPath(new URL('../..', import.meta.url));

/** Bugs that only some orders of events bring to light: what is broken, in which file, and which scenario shows it. */
const BUGS: readonly {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly scenario: string;
}[] = [
  {
    name: 'a lost wake-up',
    file: 'core/local-inbox.js',
    from: 'this.#isHeld = false;\n        this.arrived();',
    to: 'this.#isHeld = false;',
    scenario: 'suspended',
  },
  {
    name: 'a double restart',
    file: 'supervision/supervisor-core.js',
    from: 'if (child.phase !== ended)\n            return;',
    to: '',
    scenario: 'crashing',
  },
  {
    name: 'a reply to the wrong caller',
    file: 'core/reply-exchange.js',
    from: 'this.#lastNumber += 1;',
    to: 'this.#lastNumber = this.#named.size + 1;',
    scenario: 'calling',
  },
];

describe('the scenarios', () => {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    it(`${name}: nothing goes wrong, whatever comes first`, async (t) => {
      const { steps } = await explore(scenario, { seeds: 300 });
      t.diagnostic(`${steps} steps`);
    });
  }
});

describe('a broken copy of the library', () => {
  let copy: string;
  before(async () => {
    copy = await mkdtemp(join(tmpdir(), 'vigil-'));
    await writeFile(join(copy, 'package.json'), '{"type":"module"}');
    await cp(LIBRARY, join(copy, 'dist'), { recursive: true, filter: (path) => !/\.(map|d\.ts|test\.js)$/.test(path) });
  });
  after(() => rm(copy, { recursive: true }));

  for (const { name, file, from, to, scenario } of BUGS) {
    it(`${name} is found`, { timeout: 60_000 }, async () => {
      const path = join(copy, 'dist', file);
      const whole = await readFile(path, 'utf8');
      assert.equal(whole.split(from).length, 2, `${file} has this text once: ${from}`);
      await writeFile(path, whole.replace(from, to));
      try {
        const runner = join(copy, 'dist/testing/simulation/run.suite.js');
        await assert.rejects(
          run('node', [runner, '--only', scenario, '--shrinks', '20']),
          /the scenario fails with seed \d+ after \d+ steps/,
        );
      } finally {
        await writeFile(path, whole);
      }
    });
  }
});
