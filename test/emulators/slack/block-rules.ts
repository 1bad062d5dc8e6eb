/** What Slack refuses in blocks: https://docs.slack.dev/reference/block-kit/blocks */
import type { Json } from "./workspace.ts";

const blockTypes = new Set([
  "actions",
  "context",
  "divider",
  "file",
  "header",
  "image",
  "input",
  "markdown",
  "rich_text",
  "section",
  "table",
  "video",
]);
const elementTypes = new Set([
  "button",
  "checkboxes",
  "datepicker",
  "overflow",
  "radio_buttons",
  "static_select",
  "multi_static_select",
  "users_select",
]);

/** `null` for blocks that Slack takes, else what it says of them. */
export function blocksFault(blocks: unknown): string | null {
  if (!Array.isArray(blocks)) return "blocks must be an array";
  const list = blocks as readonly unknown[];
  if (list.length > 50) return "no more than 50 items allowed [json-pointer:/blocks]";
  let markdown = 0;
  for (const [index, block] of list.entries()) {
    if (typeof block !== "object" || block === null) return `must be an object [json-pointer:/blocks/${index}]`;
    const fields = block as Json;
    const fault = blockFault(fields);
    if (fault !== null) return `${fault} [json-pointer:/blocks/${index}]`;
    if (fields["type"] === "markdown") markdown += String(fields["text"]).length;
  }
  return markdown > 12_000 ? "must be less than 12001 characters [json-pointer:/blocks]" : null;
}

function blockFault(block: Json): string | null {
  switch (block["type"]) {
    case "markdown":
      return typeof block["text"] === "string" && block["text"] !== "" ? null : "missing required field: text";
    case "section": {
      const fields = block["fields"];
      if (block["text"] === undefined && fields === undefined) return "must have text or fields";
      if (Array.isArray(fields) && fields.length > 10) return "no more than 10 items allowed";
      const texts = [block["text"], ...(Array.isArray(fields) ? (fields as readonly unknown[]) : [])];
      return first(
        texts.filter((text) => text !== undefined).map((text, at) => textFault(text, at === 0 ? 3000 : 2000)),
      );
    }
    case "header":
      return textFault(block["text"], 150);
    case "context": {
      const elements = block["elements"];
      return Array.isArray(elements) && elements.length >= 1 && elements.length <= 10 ? null : "1 to 10 elements";
    }
    case "image":
      return typeof block["image_url"] === "string" && typeof block["alt_text"] === "string"
        ? null
        : "missing required field: image_url or alt_text";
    case "actions": {
      const elements = block["elements"];
      if (!Array.isArray(elements) || elements.length < 1 || elements.length > 25) return "1 to 25 elements";
      const ids = (elements as readonly Json[]).map((element) => element["action_id"]);
      if (new Set(ids).size < ids.length) return "action_id must be unique within the block";
      return first((elements as readonly Json[]).map(elementFault));
    }
    default:
      return blockTypes.has(String(block["type"])) ? null : `unsupported type: ${String(block["type"])}`;
  }
}

function elementFault(element: Json): string | null {
  if (!elementTypes.has(String(element["type"]))) return `unsupported type: ${String(element["type"])}`;
  const id = element["action_id"];
  if (typeof id !== "string" || id.length > 255) return "action_id must be 1 to 255 characters";
  if (element["type"] === "button") {
    if (element["style"] !== undefined && element["style"] !== "primary" && element["style"] !== "danger")
      return "must be primary or danger";
    return textFault(element["text"], 75);
  }
  const options = element["options"];
  const most = element["type"] === "static_select" ? 100 : 10;
  if (!Array.isArray(options) || options.length < 1 || options.length > most) return `1 to ${most} options`;
  return first((options as readonly Json[]).map((option) => textFault(option["text"], 75)));
}

function textFault(text: unknown, most: number): string | null {
  const value = typeof text === "object" && text !== null ? (text as Json)["text"] : undefined;
  return typeof value === "string" && value.length >= 1 && value.length <= most
    ? null
    : `text must be 1 to ${most} characters`;
}

function first(faults: readonly (string | null)[]): string | null {
  return faults.find((fault) => fault !== null) ?? null;
}
