/**
 * Which seeds are for what, fixed before anything was trained: a scene is its seed, so ranges that do not meet are sets
 * that share no scene. Change none of them: every published figure is about these.
 */

export interface SeedRange {
  readonly first: number;
  readonly count: number;
}

/** Held back: accuracy is reported on these and on nothing else is it chosen. */
export const SCENE_TEST_SEEDS: SeedRange = { first: 0, count: 500 };
/** To choose between models while training. */
export const SCENE_VALIDATION_SEEDS: SeedRange = { first: 1000, count: 500 };
/** To learn and to calibrate from. */
export const SCENE_TRAIN_SEEDS: SeedRange = { first: 10_000, count: 1_000_000 };
