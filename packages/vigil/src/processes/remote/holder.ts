import { isVigilError, type NameDirectory } from '../../core/index.js';

/**
 * Says with the refusal of a name that is taken who has it now: the ref that it was thrown with did not travel.
 *
 * @param error - that has crossed a boundary.
 */
export function withHolder(error: unknown, names: Pick<NameDirectory, 'whereis'>): unknown {
  if (isVigilError(error, 'AlreadyRegistered') && typeof error.details.name === 'string')
    Object.assign(error.details, { holder: names.whereis(error.details.name) });
  return error;
}
