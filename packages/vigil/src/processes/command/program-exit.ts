import { constants } from 'node:os';
import { crashed, describeValue, type ExitReason, NORMAL, SHUTDOWN, VigilError } from '../../core/index.js';
import type { ProgramEnd } from '../os/program.js';
import type { CompleteCommandOptions } from './command-options.js';

type ExitRules = Pick<CompleteCommandOptions, 'program' | 'stopSignal' | 'normalExitCodes'>;

/**
 * Why a program's process ended that nobody has killed. A shell that a signal ends exits with 128 and the number of the signal.
 *
 * @param who - for the message.
 */
export function reasonOf(end: ProgramEnd, isAsked: boolean, rules: ExitRules, who: string): ExitReason {
  const { exitCode, signal } = end;
  const isNormal = exitCode !== undefined && rules.normalExitCodes.includes(exitCode);
  if (!isAsked) return isNormal ? NORMAL : crashed(abnormalExit(end, rules, who));
  const obeyed = signal === rules.stopSignal || exitCode === 128 + constants.signals[rules.stopSignal];
  return isNormal || exitCode === 0 || obeyed ? SHUTDOWN : crashed(abnormalExit(end, rules, who));
}

function abnormalExit({ exitCode, signal, stderrTail }: ProgramEnd, { program }: ExitRules, who: string): VigilError {
  const how = signal === undefined ? `exited with code ${exitCode}` : `was ended by ${signal}`;
  const lastWords = stderrTail.findLast((line) => line.trim() !== '');
  const text = `${who}: ${describeValue(program)} ${how}`;
  return new VigilError('AbnormalExit', lastWords === undefined ? text : `${text}; it last wrote to stderr: ${lastWords}`, {
    details: { program, exitCode, signal, stderr: stderrTail },
  });
}
