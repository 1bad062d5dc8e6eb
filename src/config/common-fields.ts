/** What every `[messaging.x]` table and instance has beside the platform's own keys. */
import { z } from "zod";
import type { AdapterConfig } from "../contract/config.ts";
import { identifiers } from "./schema-parts.ts";
import { supervisorOverrideSchema } from "./supervisor-schema.ts";

/** Keys of any adapter. */
export const commonShape = {
  enabled: z.boolean().default(true).describe("false: switched off, and not looked at"),
  authority: identifiers("who may give commands; empty: everyone"),
  supervisor: supervisorOverrideSchema,
} as const;

/** The policy of a table that says nothing about it. */
export const defaultPolicy: AdapterConfig["policy"] = {
  dmAllowedUsers: [],
  allowBotMessages: false,
  allowedSenders: [],
  triggerPrefix: "",
  maxBodyBytes: 1_048_576,
  maxAttachmentBytes: 10_485_760,
};

const longestNameCharacters = 64;

/** What is wrong with an instance's name, or `null`. It becomes part of a runtime key, of paths and of target addresses. */
export function nameProblem(name: unknown): string | null {
  if (name === undefined) return "missing, expected a name";
  if (typeof name !== "string") return "found no string, expected a name";
  if (name === "") return "found an empty string, expected a name";
  const wanted = `expected at most ${longestNameCharacters} characters without ":" or "/", not "default", no space at the ends`;
  if (name.trim() !== name) return `found a space at an end, ${wanted}`;
  if (name.length > longestNameCharacters) return `found ${name.length} characters, ${wanted}`;
  if (name.toLowerCase() === "default" || /[:/\p{Cc}]/u.test(name)) return `found ${JSON.stringify(name)}, ${wanted}`;
  return null;
}
