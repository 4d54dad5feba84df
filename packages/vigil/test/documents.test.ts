import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

/** `vigiljs` is found from here: a package finds itself. */
const builtFolder = fileURLToPath(new URL('.', import.meta.url));

/** Every program in these documents runs as printed, and prints what its `// →` lines say. */
const documents = [
  'docs/supervision.md',
  'docs/processes.md',
  'docs/messaging.md',
  'docs/reliability.md',
  'docs/testing.md',
  'docs/observability.md',
];

interface Listing {
  /** Of a module that the programs of the document load; a program has none. */
  readonly fileName: string;
  readonly code: string;
}

/** The listings in a document: a module is one whose fence says its file name. */
async function listingsIn(document: string): Promise<Listing[]> {
  const text = await readFile(new URL(`../../../${document}`, import.meta.url), 'utf8');
  return [...text.matchAll(/```js ?(\S*)\n(.*?)```/gs)].map(([, fileName = '', code = '']) => ({ fileName, code }));
}

function promisedLines(program: string): string[] {
  return [...program.matchAll(/\/\/ → (.*)/g)].map(([, line = '']) => line);
}

async function run(program: string): Promise<{ lines: string[]; exitCode: number | null }> {
  const node = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  createInterface(node.stdout).on('line', (line) => lines.push(line));
  await once(node, 'close');
  return { lines, exitCode: node.exitCode };
}

for (const document of documents) {
  const listings = await listingsIn(document);
  const modules = listings.filter(({ fileName }) => fileName !== '');
  const programs = listings.filter(({ fileName }) => fileName === '');

  describe(document, () => {
    let folder: string;

    before(async () => {
      folder = await mkdtemp(join(builtFolder, 'document-'));
      for (const { fileName, code } of modules) await writeFile(join(folder, fileName), code);
    });

    after(() => rm(folder, { recursive: true }));

    it('has programs', () => assert.ok(programs.length > 0));

    for (const [index, { code }] of programs.entries()) {
      it(`program ${index + 1} prints what it promises`, async () => {
        const program = join(folder, `program-${index + 1}.js`);
        await writeFile(program, code);
        assert.deepEqual(await run(program), { lines: promisedLines(code), exitCode: 0 });
      });
    }
  });
}
