/** The text of `/proc/PID/stat` taken apart, see proc(5). */

/**
 * Its fields from the third on: `[0]` is the state, `[2]` the process group, `[19]` when it began. The second field is the
 * command in brackets and may contain spaces and brackets itself.
 */
export function statFields(stat: string): readonly string[] {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
