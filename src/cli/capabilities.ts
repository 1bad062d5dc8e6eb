/** `bulkhead capabilities`: what each platform does with each response kind. */
import { capabilitiesOf } from "../contract/capabilities.ts";
import { responseKinds } from "../contract/response-kinds.ts";
import { platforms } from "../contract/spec.ts";
import { exitCodes, type CommandContext } from "./context.ts";
import { formatTable } from "./text.ts";

/** Prints the matrix: one row per response kind, one column per platform; as JSON by platform. */
export function capabilities(context: Pick<CommandContext, "json" | "print">): number {
  const matrix = Object.fromEntries(platforms.map((platform) => [platform, capabilitiesOf(platform)]));
  if (context.json) context.print(JSON.stringify(matrix, null, 2));
  else
    context.print(
      formatTable(
        ["RESPONSE", ...platforms.map((platform) => platform.toUpperCase())],
        responseKinds.map((kind) => [kind, ...platforms.map((platform) => matrix[platform]?.[kind] ?? "none")]),
      ),
    );
  return exitCodes.done;
}
