/** What `answering.ts` does, as a task of Piscina. */
export default function answer(payload: number): number {
  return payload;
}
