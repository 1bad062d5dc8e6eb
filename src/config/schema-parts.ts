/** The fields that the schemas of several tables share. */
import { z } from "zod";
import { urlProblem, type urlSchemes } from "./loopback.ts";

/** Which fields may be written as `env:NAME`, `file:/path` or `secret:NAME`, and which of them are never shown. */
export const referenceFields = z.registry<{ readonly isSecret: boolean }>();

const referenceNote = "or env:NAME, file:/path, secret:NAME";
const longestTextCharacters = 16_384;
/** The longest time a timer can wait. */
const longestDelayMs = 2_147_483_647;

/** A text that must be there. */
export function text(description: string): z.ZodString {
  return z.string().trim().min(1).max(longestTextCharacters).describe(description);
}

/** A text whose default is `""`: none. */
export function optionalText(description: string): z.ZodDefault<z.ZodString> {
  return z.string().trim().max(longestTextCharacters).default("").describe(description);
}

/** A field that may be a reference and is shown in messages once resolved, such as a user name. */
export function reference(description: string): z.ZodString {
  return text(`${description}, ${referenceNote}`).register(referenceFields, { isSecret: false });
}

/** A {@link reference} whose default is `""`. */
export function optionalReference(description: string): z.ZodDefault<z.ZodString> {
  return optionalText(`${description}, ${referenceNote}`).register(referenceFields, { isSecret: false });
}

/** A credential: may be a reference, its value is redacted everywhere and taken to the letter, spaces and all. */
export function secret(description: string): z.ZodString {
  const schema = z.string().min(1).max(longestTextCharacters).describe(`${description}, ${referenceNote}`);
  return schema.register(referenceFields, { isSecret: true });
}

/** A {@link secret} whose default is `""`: none. */
export function optionalSecret(description: string): z.ZodDefault<z.ZodString> {
  const schema = z.string().max(longestTextCharacters).default("").describe(`${description}, ${referenceNote}`);
  return schema.register(referenceFields, { isSecret: true });
}

/** A whole number from `minimum` to `maximum`. */
export function integer(minimum: number, maximum: number): z.ZodInt {
  return z.int().min(minimum).max(maximum);
}

/** Milliseconds, `minimum` to what a timer can wait. */
export function milliseconds(minimum: number, fallback: number): z.ZodDefault<z.ZodInt> {
  return integer(minimum, longestDelayMs).default(fallback);
}

/** A TCP port; 0: any free one. */
export function port(fallback: number): z.ZodDefault<z.ZodInt> {
  return integer(0, 65_535).default(fallback).describe("port to listen on, 0: any free one");
}

/** The address to listen on. Brackets around an IPv6 address are taken off. */
export function bind(): z.ZodDefault<z.ZodPipe<z.ZodString, z.ZodTransform<string, string>>> {
  return z
    .string()
    .trim()
    .min(1)
    .transform((host) => host.replace(/^\[(.*)\]$/u, "$1"))
    .default("127.0.0.1")
    .describe("address to listen on");
}

/** An id: platforms number theirs, so integers are taken as text. */
export function identifier(): z.ZodType<string, string | number> {
  return z
    .union([z.string(), z.int()], { error: "a string or an integer" })
    .transform((id) => String(id).trim())
    .pipe(z.string().min(1));
}

/** A list of ids, empty by default. */
export function identifiers(description: string): z.ZodDefault<z.ZodArray<z.ZodType<string, string | number>>> {
  return z.array(identifier()).default([]).describe(description);
}

/** A list of texts, empty by default. */
export function texts(description: string): z.ZodDefault<z.ZodArray<z.ZodString>> {
  return z.array(z.string().trim().min(1)).default([]).describe(description);
}

/** A URL of the family that goes in the clear to loopback only; `""`: the platform's own. */
export function optionalUrl(family: keyof typeof urlSchemes, description: string): z.ZodDefault<z.ZodString> {
  return z
    .string()
    .trim()
    .superRefine((value, context) => {
      const problem = value === "" ? null : urlProblem(value, family);
      if (problem !== null) context.addIssue({ code: "custom", message: problem });
    })
    .default("")
    .describe(description);
}
