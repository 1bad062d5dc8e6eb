/** The config as JSON Schema, for editors: made from the schemas that check it. */
import { z } from "zod";
import { commonShape } from "./common-fields.ts";
import { bindingSchema, consumerSchema, notifySchema } from "./consumer-schema.ts";
import { ignoredPlatforms } from "./messaging.ts";
import { platformTables } from "./platform-tables.ts";
import type { Shape } from "./read-fields.ts";
import { thirdPartyShape } from "./third-party-table.ts";
import { ignoredTables, topLevelShape } from "./top-level.ts";

/** Draft 2020-12. What needs two fields at once, or a file, is left to `bulkhead check`. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  const platforms = Object.entries(platformTables).map(([name, { shape }]) => [name, tableSchema(shape)]);
  const messaging = z
    .object(Object.fromEntries([...platforms, ...anything(ignoredPlatforms)]))
    .catchall(tableSchema(thirdPartyShape));
  const config = z
    .strictObject({
      ...topLevelShape,
      consumers: z.array(consumerSchema).optional(),
      bindings: z.array(bindingSchema).default([]),
      notify: z.array(notifySchema).default([]),
      messaging: messaging.optional(),
      ...Object.fromEntries(anything(ignoredTables)),
    })
    .describe("bulkhead.toml");
  return z.toJSONSchema(config, { io: "input", unrepresentable: "any" });
}

/** The root's fields may all be left out: they come from the environment, or only instances are wanted. */
function tableSchema(shape: Shape): z.ZodType {
  const fields = { ...commonShape, ...shape };
  const instance = z.strictObject({ name: z.string().min(1).max(64), ...fields });
  return z
    .strictObject(fields)
    .partial()
    .extend({ instances: z.array(instance).optional() })
    .optional();
}

function anything(names: ReadonlySet<string>): readonly (readonly [string, z.ZodType])[] {
  return [...names].map((name) => [name, z.unknown().optional()] as const);
}
