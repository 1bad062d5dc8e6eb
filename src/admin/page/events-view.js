/** What happens, a line each, newest first. */
import { element } from "./elements.js";

const maxLines = 200;

/** @param {{ event: string, data: object }} event of `/v1/events` */
export function showEvent(event) {
  const list = document.getElementById("events");
  list.prepend(element("li", { text: lineOf(event), tone: toneOf(event) }));
  while (list.children.length > maxLines) list.lastElementChild.remove();
}

function lineOf({ event, data }) {
  switch (event) {
    case "state":
      return `${data.at} ${data.key} ${data.state}${data.reason === "none" ? "" : ` (${data.reason})`}${data.message === null ? "" : `: ${data.message}`}`;
    case "condition":
      return `${new Date().toISOString()} conditions: ${data.conditions?.map(({ code }) => code).join(", ") || "none"}`;
    case "message":
      return `${data.acceptedAt} ${data.adapter}/${data.conversation} ${data.sender?.name ?? data.sender?.id ?? ""}: ${data.text}`;
    default: {
      const { time, level, event: name, ...fields } = data;
      return `${time} ${level} ${name} ${JSON.stringify(fields)}`;
    }
  }
}

function toneOf({ event, data }) {
  if (event !== "log") return undefined;
  return ["warn", "error", "fatal"].includes(data.level) ? "bad" : "off";
}
