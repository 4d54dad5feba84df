/** A module for threads and forks whose default export is the script that its own URL names: `module.suite.js?script=returns`. */
import type { ProcessBody } from '../process-context.js';
import { type Script, scriptedBodies } from '../scripts.suite.js';

const bodies = scriptedBodies();
const name = new URL(import.meta.url).searchParams.get('script');

const body: ProcessBody = bodies[scriptNamed(name)];
export default body;

/** Where this module is, as the script called `name`. */
export function scriptModule(script: Script): URL {
  return new URL(`./module.suite.js?script=${script}`, import.meta.url);
}

function scriptNamed(text: string | null): Script {
  const known = Object.keys(bodies).find((candidate): candidate is Script => candidate === text);
  return known ?? 'returns';
}
