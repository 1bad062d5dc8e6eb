/** Errors of a config in words: where, what was found, what is allowed. A string's value is never repeated outside closed lists: it may be a secret. */
import { z } from "zod";
import { nearestKey } from "./nearest-key.ts";

/** One thing wrong, before its line is looked up. */
export type Issue = { readonly path: string; readonly message: string };

const bareKey = /^[A-Za-z0-9_-]+$/u;

/** `joinPath("messaging.slack", "instances", 1, "bot_token")` is `messaging.slack.instances[1].bot_token`. */
export function joinPath(base: string, ...segments: readonly PropertyKey[]): string {
  let path = base;
  for (const segment of segments) {
    if (typeof segment === "number") path += `[${segment}]`;
    else {
      const name = String(segment);
      path += `${path === "" ? "" : "."}${bareKey.test(name) ? name : JSON.stringify(name)}`;
    }
  }
  return path;
}

/** What kind of value was found, without the value: `a string`, `a table`, `nothing`. */
export function describeKind(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "a table";
  if (value === "") return "an empty string";
  return `a ${typeof value}`;
}

/** The issue of a key that nothing reads, with the nearest known one. */
export function unknownKeyIssue(base: string, key: string, known: readonly string[]): Issue {
  const nearest = nearestKey(key, known);
  const hint =
    nearest === null ? `expected one of ${known.toSorted().join(", ")}` : `the nearest known key is "${nearest}"`;
  return { path: joinPath(base, key), message: `unknown key, ${hint}` };
}

/** Every issue of a failed parse below `base`. Parse with `reportInput: true`. */
export function zodIssues(error: z.ZodError, schema: z.ZodType, base: string): readonly Issue[] {
  return error.issues.flatMap((issue) => {
    const path = joinPath(base, ...issue.path);
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => unknownKeyIssue(path, key, knownKeysAt(schema, issue.path)));
    return [{ path, message: messageOf(issue) }];
  });
}

function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.input === undefined && issue.code === "invalid_type") return `missing, expected ${expectedType(issue)}`;
  const found = describeKind(issue.input);
  switch (issue.code) {
    case "invalid_type":
      return `found ${isWrongNumber(issue) ? String(issue.input) : found}, expected ${expectedType(issue)}`;
    case "too_small":
      return `found ${measure(issue)}, expected at least ${issue.minimum}${unitOf(issue.origin)}`;
    case "too_big":
      return `found ${measure(issue)}, expected at most ${issue.maximum}${unitOf(issue.origin)}`;
    case "invalid_value":
      return `found ${shown(issue.input)}, expected ${alternatives(issue.values)}`;
    case "custom":
      return issue.message;
    case "invalid_union":
    case "invalid_format":
    case "invalid_key":
    case "invalid_element":
    case "not_multiple_of":
    case "unrecognized_keys":
      break;
  }
  return `found ${found}, expected ${issue.message}`;
}

function expectedType(issue: z.core.$ZodIssueInvalidType): string {
  const expected: string = issue.expected;
  if (expected === "object" || expected === "record") return "a table";
  if (expected === "int") return "an integer";
  if (expected === "array") return "an array";
  return `a ${expected}`;
}

/** Where a text is expected a number may be a password. */
function isWrongNumber(issue: z.core.$ZodIssueInvalidType): boolean {
  return typeof issue.input === "number" && (issue.expected === "int" || issue.expected === "number");
}

function measure(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const { input } = issue;
  if (typeof input === "number") return String(input);
  if (typeof input === "string") return input === "" ? "an empty string" : `${input.length} characters`;
  return Array.isArray(input) ? `${input.length} entries` : describeKind(input);
}

function unitOf(origin: string): string {
  if (origin === "string") return " characters";
  return origin === "array" ? " entries" : "";
}

const longestShownCharacters = 40;

function shown(value: unknown): string {
  if (typeof value === "string" && value.length <= longestShownCharacters) return JSON.stringify(value);
  return typeof value === "number" || typeof value === "boolean" ? String(value) : describeKind(value);
}

function alternatives(values: readonly unknown[]): string {
  const texts = values.map((value) => (typeof value === "string" ? JSON.stringify(value) : String(value)));
  return texts.length === 1 ? (texts[0] ?? "") : `one of ${texts.join(", ")}`;
}

function knownKeysAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let current: unknown = unwrap(schema);
  for (const segment of path) {
    if (current instanceof z.ZodArray) current = unwrap(current.element);
    else if (current instanceof z.ZodObject)
      current = unwrap((current.shape as Record<string, unknown>)[String(segment)]);
  }
  return current instanceof z.ZodObject ? Object.keys(current.shape) : [];
}

function unwrap(schema: unknown): unknown {
  let current = schema;
  for (;;) {
    if (current instanceof z.ZodOptional || current instanceof z.ZodDefault || current instanceof z.ZodPrefault)
      current = current.unwrap();
    else if (current instanceof z.ZodPipe) current = current.in;
    else return current;
  }
}
