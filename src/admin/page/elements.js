/** Elements made and kept up to date. All text goes in as text: what an adapter or a chat says is never markup. */

/** @param {string} tag @param {{ text?: string, className?: string, tone?: string }} [look] @param {...Node} children */
export function element(tag, { text, className, tone } = {}, ...children) {
  const made = document.createElement(tag);
  if (className !== undefined) made.className = className;
  setText(made, text, tone);
  made.append(...children);
  return made;
}

/** Writes only what differs: a selection or a screen reader is not disturbed by what stays. */
export function setText(target, text, tone) {
  if (text !== undefined && target.textContent !== text) target.textContent = text;
  if (tone === undefined) delete target.dataset.tone;
  else if (target.dataset.tone !== tone) target.dataset.tone = tone;
}

/** A button that runs `action`, and cannot be pressed again until that is over. */
export function button(text, action, className) {
  const made = element("button", { text, className });
  made.type = "button";
  made.addEventListener("click", () => {
    made.disabled = true;
    void Promise.resolve(action()).finally(() => {
      made.disabled = false;
    });
  });
  return made;
}

/**
 * @typedef {object} Row
 * @property {string} key
 * @property {readonly (string | { text: string, tone?: string })[]} cells
 */

/**
 * Makes a table's rows those of `rows`, keeping the elements of the keys that stay, so that focus stays too.
 * @param {HTMLTableElement} table @param {readonly Row[]} rows
 * @param {(key: string, cell: HTMLTableCellElement, index: number) => boolean} [fill] makes a cell's content itself, once: true
 */
export function showRows(table, rows, fill = () => false) {
  const labels = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  const body = table.tBodies[0];
  const known = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  for (const [position, { key, cells }] of rows.entries()) {
    const row = known.get(key) ?? makeRow(key, labels, fill);
    known.delete(key);
    for (const [index, cell] of cells.entries()) {
      const target = row.cells[index];
      if (target.dataset.filled === "true") continue;
      const { text, tone } = typeof cell === "string" ? { text: cell } : cell;
      setText(target, text, tone);
    }
    if (body.rows[position] !== row) body.insertBefore(row, body.rows[position] ?? null);
  }
  for (const row of known.values()) row.remove();
}

function makeRow(key, labels, fill) {
  const row = document.createElement("tr");
  row.dataset.key = key;
  for (const [index, label] of labels.entries()) {
    const cell = row.insertCell();
    cell.dataset.label = label;
    if (fill(key, cell, index)) cell.dataset.filled = "true";
  }
  return row;
}
