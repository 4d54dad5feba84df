import { statSync } from 'node:fs';
import { describeValue, VigilError } from '../../core/index.js';

/** What was tried: the part of a program's options that can be at fault. */
export interface SpawnAttempt {
  readonly who: string;
  readonly file: string;
  readonly cwd?: string | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

/** Why a program could not be started, in words: the system's code alone does not say what it was that is missing or forbidden. */
export function spawnFailure(attempt: SpawnAttempt, cause: unknown): VigilError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  const text = `${attempt.who} did not start: ${explain(attempt, code) ?? describeCause(cause)}`;
  return new VigilError('ProcessStartFailed', text, { cause, details: { program: attempt.file, cwd: attempt.cwd, code } });
}

function explain({ file, cwd, uid, gid }: SpawnAttempt, code: string | undefined): string | undefined {
  const program = describeValue(file);
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      // The system says the same of a missing program and of a missing directory.
      if (cwd !== undefined && !isDirectory(cwd)) return `its directory ${describeValue(cwd)} does not exist or is none`;
      if (exists(file)) return `${program} names an interpreter that does not exist`;
      return `there is no program ${program}${file.includes('/') ? '' : ' in the PATH'}`;
    case 'EACCES':
      if (cwd !== undefined && !isReachable(cwd)) return `its directory ${describeValue(cwd)} must not be entered`;
      return `${program} must not be executed${identity(uid, gid)}`;
    case 'EPERM':
      return `it must not run${identity(uid, gid) || ` ${program}`}`;
    case 'E2BIG':
      return `the arguments and the environment of ${program} are too long`;
    case undefined:
    default:
      return undefined;
  }
}

function identity(uid: number | undefined, gid: number | undefined): string {
  const parts = [uid === undefined ? '' : ` uid ${uid}`, gid === undefined ? '' : ` gid ${gid}`];
  return uid === undefined && gid === undefined ? '' : ` as${parts.join('')}`;
}

function describeCause(cause: unknown): string {
  return cause instanceof Error ? cause.message : describeValue(cause);
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function isReachable(path: string): boolean {
  try {
    statSync(`${path}/.`);
    return true;
  } catch {
    return false;
  }
}

function exists(path: string): boolean {
  return path.includes('/') && statSync(path, { throwIfNoEntry: false }) !== undefined;
}
