import { isVigilError } from '../../core/index.js';
import type { ProcessRef } from '../../processes/index.js';
import type { ChildSpec } from '../child-spec.js';
import type { DynamicSupervisor } from '../dynamic-supervisor.js';
import { Supervisor } from '../supervisor.js';
import type { Call } from './stimulus.suite.js';

/** A call, where a spec is what a tree of this kind has for one. */
export type CallWith<Spec> = Exclude<Call, { readonly name: 'startChild' }> | { readonly name: 'startChild'; readonly spec: Spec };

/** What a call needs of the tree that it is made in. */
export interface Callee<Spec> {
  readonly supervisor: Supervisor | DynamicSupervisor;
  readonly isRoot: boolean;
  childSpec(spec: Spec): ChildSpec;
  /** What a dynamic child is started with. */
  readonly templateArgs: unknown;
  refOf(id: string, incarnation: number): ProcessRef | undefined;
}

/** Makes a call; `undefined` when it cannot be made there. The answer is in the words of the model. */
export function makeCall<Spec>(callee: Callee<Spec>, call: CallWith<Spec>): Promise<string | void> | undefined {
  const { supervisor } = callee;
  return supervisor instanceof Supervisor ? callStatic(supervisor, callee, call) : callDynamic(supervisor, callee, call);
}

function callStatic<Spec>(supervisor: Supervisor, callee: Callee<Spec>, call: CallWith<Spec>): Promise<string | void> | undefined {
  switch (call.name) {
    case 'start':
      return callee.isRoot ? supervisor.start() : undefined;
    case 'startChild':
      return supervisor.startChild(callee.childSpec(call.spec)).then(nameOf);
    case 'deleteChild':
      return supervisor.deleteChild(call.id);
    case 'restartChild':
      return supervisor.restartChild(call.id, { onlyIfStopped: call.onlyIfStopped }).then(nameOf);
    case 'scaleWorkers':
      return supervisor.scaleWorkers(call.prefix, call.count);
    case 'terminateChild':
    case 'suspendChild':
    case 'resumeChild':
      return supervisor[call.name](call.id);
    case 'stop':
    case 'kill':
    case 'whichChildren':
      return callBoth(supervisor, call.name);
  }
}

function callDynamic<Spec>(supervisor: DynamicSupervisor, callee: Callee<Spec>, call: CallWith<Spec>): Promise<string | void> | undefined {
  switch (call.name) {
    case 'startChild':
      return supervisor.startChild(callee.templateArgs).then(nameOf);
    case 'terminateChild':
    case 'suspendChild':
    case 'resumeChild': {
      const ref = callee.refOf(call.id, call.incarnation);
      return ref && supervisor[call.name](ref);
    }
    case 'start':
    case 'deleteChild':
    case 'restartChild':
    case 'scaleWorkers':
      return undefined;
    case 'stop':
    case 'kill':
    case 'whichChildren':
      return callBoth(supervisor, call.name);
  }
}

async function callBoth(supervisor: Supervisor | DynamicSupervisor, name: 'stop' | 'kill' | 'whichChildren'): Promise<string | void> {
  if (name !== 'whichChildren') return supervisor[name]();
  const rows = await supervisor.whichChildren();
  return `[${rows.map(({ id, state }) => `${id} ${state}`).join(', ')}]`;
}

function nameOf(ref: ProcessRef): string {
  return `ok <${ref.id}#${ref.incarnation}>`;
}

/** What an answer that is a refusal is called. */
export function errorText(error: unknown): string {
  if (!isVigilError(error)) return String(error);
  const state = error.code === 'ProcessStartFailed' ? undefined : error.details['state'];
  return typeof state === 'string' ? `${error.code}(${state})` : error.code;
}
