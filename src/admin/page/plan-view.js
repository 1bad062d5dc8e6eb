/** What a reload would do, or is doing. */
import { element } from "./elements.js";

/** @param {{ actions: readonly object[], errors?: readonly object[] }} report of `/v1/plan` or `/v1/reload` */
export function showPlan({ actions, errors = [] }) {
  const changes = actions.filter(({ action }) => action !== "keep");
  const lines = [
    ...errors.map(({ line, path, message }) => ({
      tone: "bad",
      text: `${line === null ? "" : `line ${line}: `}${path === "" ? "" : `${path}: `}${message}`,
    })),
    ...changes.map(({ key, action, reason, fields = [], outcome }) => ({
      tone: action === "invalid" || outcome === "failed" ? "bad" : undefined,
      text: `${action} ${key}: ${reason}${fields.length === 0 ? "" : ` (${fields.join(", ")})`}${outcome === undefined ? "" : `: ${outcome}`}`,
    })),
    { tone: "off", text: `${actions.length - changes.length} stay as they are` },
  ];
  document.getElementById("plan-lines").replaceChildren(...lines.map((line) => element("li", line)));
}
