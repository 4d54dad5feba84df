import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';

const packageFolder = new URL('..', import.meta.url);
const readme = await readFile(new URL('../../README.md', packageFolder), 'utf8');
const programs = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, code = '']) => code);

interface Outcome {
  readonly lines: readonly string[];
  readonly exitCode: number | null;
}

/** Runs a program as printed, from a folder in which `vigiljs` is found, and interrupts it once it prints `lastLine`. */
async function run(program: string, lastLine?: string): Promise<Outcome> {
  const node = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: packageFolder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  createInterface(node.stdout).on('line', (line) => {
    lines.push(line);
    if (line === lastLine) node.kill('SIGINT');
  });
  await once(node, 'close');
  return { lines, exitCode: node.exitCode };
}

function isTaken(line: string): boolean {
  return line.startsWith('clerk');
}

describe('the programs in the README', () => {
  it('are these', () => assert.equal(programs.length, 3));

  it('the first one restarts its worker until it runs, and ends with 0 when it is interrupted', async () => {
    const { lines, exitCode } = await run(programs[0] ?? '', 'hello, start number 3');
    assert.deepEqual(lines, ['hello, start number 1', 'hello, start number 2', 'hello, start number 3']);
    assert.equal(exitCode, 0);
  });

  it('the supervisor by hand serves what was sent, in order, and shows its tree', async () => {
    const { lines, exitCode } = await run(programs[1] ?? '');
    assert.deepEqual(lines.filter(isTaken), ['clerk 1 takes tea', 'clerk 1 takes coffee']);
    assert.deepEqual(
      lines.filter((line) => !isTaken(line)),
      ['supervisor (one_for_one, 0 restarts, 5 of 5 left)', '└─ clerk: running for 0 s'],
    );
    assert.equal(exitCode, 0);
  });

  it('the one with a virtual clock waits a minute in no time', async () => {
    assert.deepEqual(await run(programs[2] ?? ''), { lines: ['undefined'], exitCode: 0 });
  });
});
