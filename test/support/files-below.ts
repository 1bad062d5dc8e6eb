/** Every file of a folder, whatever the depth. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Name and content of each. */
export function filesBelow(folder: string): readonly (readonly [name: string, bytes: Buffer])[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => [name, readFileSync(join(parentPath, name))]);
}
