import { readFile } from 'node:fs/promises';

/** Resolves when none of these processes runs any more. Nothing tells who is not their parent, so it keeps looking. */
export async function untilGone(pids: readonly number[]): Promise<void> {
  for (const pid of pids) while (await isRunning(pid));
}

/** Whether it runs: one that has ended and has not been buried yet does not. */
async function isRunning(pid: number): Promise<boolean> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const state = stat.slice(stat.lastIndexOf(')') + 2)[0];
    return state !== 'Z' && state !== 'X';
  } catch {
    return process.platform !== 'linux' && hasEntry(pid);
  }
}

function hasEntry(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The operating system's number of each child in a tree that has one. */
export function pidsIn(tree: readonly string[], id: RegExp = /\w+/): number[] {
  const line = new RegExp(`─ (?:${id.source}) \\(\\w+, pid (\\d+)\\): `);
  return tree.map((text) => Number(line.exec(text)?.[1])).filter((pid) => pid > 0);
}
