/** The messages that no consumer could handle, with what a person can do about each. */
import { button, showRows } from "./elements.js";
import { formatAge } from "./format.js";

/**
 * @param {readonly object[]} rows of `GET /v1/dead-letters`
 * @param {{ retry: (id: string) => Promise<void>, drop: (id: string) => Promise<void> }} actions
 */
export function showDeadLetters(rows, { retry, drop }) {
  const table = document.getElementById("dead");
  table.hidden = rows.length === 0;
  document.getElementById("dead-none").hidden = rows.length > 0;
  showRows(
    table,
    rows.map(({ id, key, conversation, consumer, deadAt, reason, error }) => ({
      key: id,
      cells: [
        id,
        `${key}/${conversation}`,
        consumer,
        `${formatAge(deadAt)} ago`,
        error === null ? reason : `${reason}: ${error.message}`,
        "",
      ],
    })),
    (id, cell, index) => {
      if (index !== 5) return false;
      cell.append(
        button("Retry", () => retry(id)),
        " ",
        button("Drop", () => drop(id)),
      );
      return true;
    },
  );
}
