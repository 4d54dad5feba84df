import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';

const packageFolder = new URL('..', import.meta.url);

/** Every program in these documents runs as printed, and prints what its `// →` lines say. */
const documents = ['docs/supervision.md'];

async function programsIn(document: string): Promise<string[]> {
  const text = await readFile(new URL(`../../${document}`, packageFolder), 'utf8');
  return [...text.matchAll(/```js\n(.*?)```/gs)].map(([, program = '']) => program);
}

function promisedLines(program: string): string[] {
  return [...program.matchAll(/\/\/ → (.*)/g)].map(([, line = '']) => line);
}

/** Runs a program in a folder in which `vigiljs` is found. */
async function run(program: string): Promise<{ lines: string[]; exitCode: number | null }> {
  const node = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: packageFolder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  createInterface(node.stdout).on('line', (line) => lines.push(line));
  await once(node, 'close');
  return { lines, exitCode: node.exitCode };
}

for (const document of documents) {
  const programs = await programsIn(document);
  describe(document, () => {
    it('has programs', () => assert.ok(programs.length > 0));

    for (const [index, program] of programs.entries()) {
      it(`program ${index + 1} prints what it promises`, async () => {
        assert.deepEqual(await run(program), { lines: promisedLines(program), exitCode: 0 });
      });
    }
  });
}
