/**
 * Programs of tasks on simulated time, in every order that could happen, each order reproducible from its seed.
 *
 * JavaScript runs a turn (one callback and all microtasks behind it) without interruption, so the order of things is decided
 * between turns: whose message arrives, which timer fires, who gets to run. In a simulation each of these is a *point* that waits.
 * A step takes one point, or a few of them in one turn, and then lets microtasks drain. The seed decides which.
 *
 * The points of tasks are put around their bodies by the runtime of the simulation (`Environment.tasks`), so that any task takes part as it is: it
 * goes on from a point when the scheduler picks that, and what it does then happens at once, as in one turn of the event loop. Timers are
 * points of the clock. A decision of the scheduler is a number, 0 for the plainest; a history is the list of them, so that it can be replayed and shrunk.
 */
export { explore, type ExploreOptions, type ExploreReport } from './explore.js';
export { SimulatedClock } from './simulated-clock.js';
export { simulate, type Scenario, type SimulateOptions, type SimulationReport } from './simulate.js';
export type { ChildFaults, Simulation, TaskFaults } from './simulation.js';
