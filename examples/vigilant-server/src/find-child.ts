import type { ChildInfo, SupervisorInfo } from 'vigiljs';

/** The child with this id, wherever it is in the tree. */
export function findChild({ children }: SupervisorInfo, id: string): ChildInfo | undefined {
  for (const child of children) {
    if (child.id === id) return child;
    const below = child.supervisor === undefined ? undefined : findChild(child.supervisor, id);
    if (below !== undefined) return below;
  }
  return undefined;
}
