import { describe } from 'node:test';
import { Arena, assertKilledAfterGrace, crashOf } from '../remote/arena.suite.js';
import { type Deed, deedBody } from '../remote/deeds.suite.js';
import { it } from '../remote/patient-it.suite.js';

function arena(deed: Deed): Arena {
  return new Arena(deedBody(deed));
}

// A task cannot contain an endless loop, `process.exit`, exhausted memory, or a throw outside of what its body awaits.
describe('torture of tasks', () => {
  it('crash in start', () => arena('throws').assertGivesUp(crashOf(/^deed: thrown at the start$/)));
  it('crash after an await', () => arena('throws_after_await').assertGivesUp(crashOf(/^deed: thrown after an await$/)));

  for (const deed of ['hangs', 'ignores_stop'] as const) {
    it(`is disowned at the end of its grace period: ${deed}`, () => assertKilledAfterGrace(arena(deed)));
  }
});
