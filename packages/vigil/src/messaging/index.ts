/** How processes find each other. */
export { Registry } from './registry.js';
