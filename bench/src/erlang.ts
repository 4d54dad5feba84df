import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('../erlang/vigil_bench.erl', import.meta.url));

/** Compiles the Erlang contestants into a folder of their own; `undefined` when this machine has no Erlang. */
export function compileErlang(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-bench-'));
  const { error, status, stdout } = spawnSync('erlc', ['-o', folder, SOURCE], { encoding: 'utf8' });
  if (error !== undefined) return undefined;
  if (status !== 0) throw new Error(`erlc failed:\n${stdout}`);
  return folder;
}
