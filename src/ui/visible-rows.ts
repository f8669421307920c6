/** As many rows as there is room for, with that at `at` among them; at least that one. */
export function visibleRows(rows: readonly string[], at: number, room: number): readonly string[] {
  const height = Math.max(1, room);
  const first = Math.max(0, Math.min(at - Math.floor(height / 2), rows.length - height));
  return rows.slice(first, first + height);
}
