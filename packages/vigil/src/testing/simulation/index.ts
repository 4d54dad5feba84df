/**
 * Programs of tasks on simulated time, in every order that could happen, each order reproducible from its seed.
 *
 * JavaScript runs a turn (one callback and all microtasks behind it) without interruption, so the order of things is decided
 * between turns: whose message arrives, which timer fires, who gets to run. In a simulation each of these is a *point* that waits.
 * A step takes one point, or a few of them in one turn, and then lets microtasks drain. The seed decides which.
 */
export { SimulatedClock } from './simulated-clock.js';
export { type Point, type PointKind, Scheduler } from './scheduler.js';
export { simulate, type Scenario, type SimulateOptions, type SimulationReport } from './simulate.js';
export { type ChildFaults, Simulation, type TaskFaults } from './simulation.js';
