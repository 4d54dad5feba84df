import { closeSync, openSync, readdirSync, readSync } from 'node:fs';

/** What the operating system says of one of its processes. */
export interface ProcessFigures {
  readonly pid: number;
  /** The kernel's letter: `R` runs, `S` and `D` sleep, `T` is stopped, `Z` and `X` have ended. */
  readonly state: string;
  readonly parentPid: number;
  readonly group: number;
  /** Processor time that it has used so far, in milliseconds; the kernel counts in steps of 10. */
  readonly cpuMs: number;
  /** Its threads that have not ended, and the first one in any case. */
  readonly threads: number;
  /** When it was started, in milliseconds since the machine was: with the pid, it names a process for ever. */
  readonly startMs: number;
  readonly residentBytes: number;
}

/** Linux shows times in hundredths of a second on every machine that Node runs on. */
const MS_PER_TICK = 10;

const SMALLEST_PAGE = 4096;

/** Reads `/proc`; `undefined` where there is none, and when there is no such process. */
export function readProcessFigures(pid: number): ProcessFigures | undefined {
  try {
    return parseProcessStat(readStat(pid), pageBytes());
  } catch {
    return undefined;
  }
}

/** Every process of a group, zombies included. It looks at each process of the machine: a few milliseconds. */
export function readGroup(group: number): ProcessFigures[] {
  return pidsOfMachine()
    .map((pid) => readProcessFigures(pid))
    .filter((figures): figures is ProcessFigures => figures?.group === group);
}

/** A process and all that it has started, and these have, as far as they are not orphans. It looks at each process of the machine. */
export function readTree(root: number): number[] {
  const all = pidsOfMachine().map((pid) => readProcessFigures(pid));
  const below = (pid: number): number[] => {
    const children = all.filter((figures) => figures?.parentPid === pid);
    return [pid, ...children.flatMap((child) => (child === undefined ? [] : below(child.pid)))];
  };
  return below(root);
}

/**
 * Whether a process still runs: one that has ended, a zombie, keeps its pid until its parent has heard of it. A process whose first
 * thread has ended looks like one, too, while its other threads go on.
 */
export function isRunning({ state, threads }: ProcessFigures): boolean {
  return (state !== 'Z' && state !== 'X') || threads > 1;
}

/**
 * Reads one line of `/proc/PID/stat`; `undefined` when it is none.
 *
 * @param pageSize - bytes of a page of memory, in which the kernel counts.
 * @see man 5 proc_pid_stat
 */
export function parseProcessStat(line: string, pageSize: number): ProcessFigures | undefined {
  // The second field is the name, in parentheses; it may hold spaces, parentheses and line breaks itself.
  const nameStart = line.indexOf('(');
  const nameEnd = line.lastIndexOf(')');
  if (nameStart < 0 || nameEnd < nameStart) return undefined;
  const [state, ...rest] = line
    .slice(nameEnd + 1)
    .trim()
    .split(' ');
  const numbers = rest.map(Number);
  const field = (number: number): number => numbers[number - 4] ?? Number.NaN;
  const figures: ProcessFigures = {
    pid: Number(line.slice(0, nameStart)),
    state: state ?? '',
    parentPid: field(4),
    group: field(5),
    cpuMs: (field(14) + field(15)) * MS_PER_TICK,
    threads: field(20),
    startMs: field(22) * MS_PER_TICK,
    residentBytes: field(24) * pageSize,
  };
  const { pid, parentPid, group, cpuMs, threads, startMs, residentBytes } = figures;
  const isWhole = [pid, parentPid, group, cpuMs, threads, startMs, residentBytes].every(Number.isFinite);
  return isWhole && figures.state.length === 1 ? figures : undefined;
}

/** A line has some 350 bytes, and 52 numbers of at most 20 digits. */
const scratch = Buffer.alloc(2048);

/** Cheaper than `readFileSync`, which prepares for a file of any size; hundreds of programs are measured again and again. */
function readStat(pid: number | 'self'): string {
  const file = openSync(`/proc/${pid}/stat`, 'r');
  try {
    return scratch.toString('latin1', 0, readSync(file, scratch, 0, scratch.length, 0));
  } finally {
    closeSync(file);
  }
}

let knownPageBytes: number | undefined;

/** Node does not tell the size of a page, but its own size both in bytes and, through the kernel, in pages. */
function pageBytes(): number {
  knownPageBytes ??= measuredPageBytes();
  return knownPageBytes;
}

function measuredPageBytes(): number {
  const pages = parseProcessStat(readStat('self'), 1)?.residentBytes;
  if (pages === undefined || pages === 0) return SMALLEST_PAGE;
  // It is a power of two; between the two readings the process may have grown a little.
  return Math.max(2 ** Math.round(Math.log2(process.memoryUsage.rss() / pages)), SMALLEST_PAGE);
}

function pidsOfMachine(): number[] {
  try {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => Number.isInteger(pid));
  } catch {
    return [];
  }
}
