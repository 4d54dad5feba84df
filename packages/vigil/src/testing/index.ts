/** What tests of programs built on Vigil need: time and chance that they control. */
export { SeededRandom } from '../core/index.js';
export { VirtualClock } from './virtual-clock.js';
