import { describe } from 'node:test';
import { it } from '../remote/patient-it.suite.js';
import { soak } from './soak.suite.js';
import { stream } from './stream.suite.js';
import { torture } from './torture.suite.js';

const KILLS = 100;
const MESSAGES = 400_000;
const SOAK_MS = 2000;

describe('shared inboxes under torture', () => {
  it(`lose, double and keep nothing when threads are ended at any moment, ${KILLS} times`, async () => {
    await torture(KILLS);
  });

  it(`lose and double nothing of ${MESSAGES} messages from four threads to four others, and keep their order`, () => stream(MESSAGES));

  it('have books that balance when threads are killed and restarted in full traffic', async () => {
    await soak(SOAK_MS);
  });
});
