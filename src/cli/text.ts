/** Values as a person reads them on a terminal. */
import { createRequire } from "node:module";
import type Table from "cli-table3";
import type { ConfigIssue } from "../contract/spec.ts";

const borderless = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

/** Rows under a heading, columns aligned, no lines. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  // Loaded for the first table: a gateway that runs for months prints none.
  const TextTable = createRequire(import.meta.url)("cli-table3") as typeof Table;
  const table = new TextTable({
    head: [...head],
    chars: borderless,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  for (const row of rows) table.push(row.map(printable));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** Without control characters: what a stranger wrote must not steer the terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028-\u202e\u2066-\u2069]+/gu, " ");
}

/** `45s`, `12m`, `3h`, `5d`: how long since `since` (ISO 8601), seen at `nowMs`. */
export function formatAge(since: string, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(since)) / 1000));
  return formatSeconds(seconds);
}

/** `45s`, `12m`, `3h`, `5d`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** `0 MiB`, `12.3 MiB`, `1.2 GiB`. */
export function formatBytes(bytes: number): string {
  const mebibytes = bytes / (1024 * 1024);
  return mebibytes < 1024 ? `${mebibytes.toFixed(1)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}

/** `bulkhead.toml:12: messaging.slack.bot_token: …`. */
export function formatIssue(issue: ConfigIssue, file: string): string {
  const place = issue.line === null ? file : `${file}:${issue.line}`;
  return printable(`${place}: ${issue.path === "" ? "" : `${issue.path}: `}${issue.message}`);
}
