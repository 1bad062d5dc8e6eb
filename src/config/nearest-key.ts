/** "Did you mean": the known name with the fewest edits to what was written. */

/**
 * The known key nearest to `written`, or `null` when none is near: at most two edits, or a third of its length.
 * A swap of neighbours is one edit. Of equally near ones the alphabetically first.
 */
export function nearestKey(written: string, known: readonly string[]): string | null {
  const wanted = normalized(written);
  let nearest: string | null = null;
  let fewest = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of known.toSorted()) {
    const edits = editDistance(wanted, normalized(candidate));
    if (edits < fewest && edits < candidate.length) {
      fewest = edits;
      nearest = candidate;
    }
  }
  return nearest;
}

const longestComparedCharacters = 64;

/** `botToken` and `bot-token` are spellings of `bot_token`, not edits. */
function normalized(key: string): string {
  return key
    .slice(0, longestComparedCharacters)
    .replaceAll(/(?<=[a-z0-9])[A-Z]/gu, (letter) => `_${letter}`)
    .replaceAll("-", "_")
    .toLowerCase();
}

/** Optimal string alignment: insert, delete, replace, swap of neighbours. */
function editDistance(left: string, right: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      current.push(
        Math.min(
          (last[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (last[column - 1] ?? 0) + (same ? 0 : 1),
          swapped ? (beforeLast[column - 2] ?? 0) + 1 : Infinity,
        ),
      );
    }
    beforeLast = last;
    last = current;
  }
  return last[right.length] ?? 0;
}
