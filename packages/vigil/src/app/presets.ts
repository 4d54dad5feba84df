import { checkOneOf, MailboxSettings } from '../core/index.js';
import type { SupervisionDefaults } from '../supervision/index.js';

export const PRESET_NAMES = ['production', 'development', 'high_availability', 'testing'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** The figures of the reference's presets: defaults for the root supervisor of an app and for the whole tree below it. */
const PRESETS: Readonly<Record<PresetName, SupervisionDefaults>> = {
  production: defaults(3, 60, 5000, 30_000, 1000),
  development: defaults(10, 5, 1000, 5000, 100),
  high_availability: defaults(5, 30, 2000, 20_000, 5000),
  testing: defaults(1, 10, 100, 1000, 50),
};

const checkPresetName = checkOneOf(PRESET_NAMES);

/** @throws {VigilError} `InvalidConfiguration` for an unknown name. */
export function presetDefaults(name: PresetName): SupervisionDefaults {
  return PRESETS[checkPresetName('preset', name)];
}

function defaults(
  maxRestarts: number,
  maxSeconds: number,
  healthCheckIntervalMs: number,
  shutdownTimeoutMs: number,
  capacity: number,
): SupervisionDefaults {
  return { maxRestarts, maxSeconds, healthCheckIntervalMs, shutdownTimeoutMs, inbox: new MailboxSettings({ capacity }) };
}
