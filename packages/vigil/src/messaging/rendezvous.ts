/** Whoever can be chosen for a key. */
export interface Candidate {
  /** {@link hashText} of its id. */
  readonly hash: number;
  /** Its share of the keys, in relation to the others'. */
  readonly weight: number;
}

/**
 * Chooses one candidate for a key: always the same one while it is there. When a candidate leaves, only its keys move; one that joins takes
 * its share and nothing else moves. The order of the candidates does not matter, unless two have the same hash.
 *
 * Takes time in proportion to the number of candidates and keeps nothing.
 *
 * @param keyHash - {@link hashText} of the key.
 * @see Thaler and Ravishankar, "Using name-based mappings to increase hit rates" (rendezvous hashing); weights by logarithm.
 */
export function chooseByKey<C extends Candidate>(candidates: readonly C[], keyHash: number): C | undefined {
  let chosen: C | undefined;
  let best = Number.NEGATIVE_INFINITY;
  for (const candidate of candidates) {
    // Strictly between 0 and 1, so that the logarithm is finite and below 0.
    const chance = (mix(mix(keyHash) ^ candidate.hash) + 0.5) / 0x1_0000_0000;
    const score = -candidate.weight / Math.log(chance);
    if (score <= best) continue;
    best = score;
    chosen = candidate;
  }
  return chosen;
}

/** 32 bits of a text, the same in every run: FNV-1a over its UTF-16 units, mixed once more. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mix(hash);
}

/** Spreads a change of one bit over all 32. @see MurmurHash3, the finalizer */
function mix(bits: number): number {
  let mixed = bits;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
