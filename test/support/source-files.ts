/** The product's own TypeScript files as text, for tests of the tree itself. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** `path` is from the top of the tree, with forward slashes: `src/contract/errors.ts`. */
export type SourceFile = { readonly path: string; readonly text: string };

const top = new URL("../../", import.meta.url);

/** Every `.ts` file below `folders`, in order. A web page's scripts are the browser's and left out. */
export function sourceFiles(folders: readonly string[]): readonly SourceFile[] {
  return folders.flatMap((folder) => {
    const names = readdirSync(fileURLToPath(new URL(`${folder}/`, top)), { recursive: true, encoding: "utf8" });
    return names
      .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
      .filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts") && !path.includes("/page/"))
      .sort()
      .map((path) => ({ path, text: readFileSync(new URL(path, top), "utf8") }));
  });
}

/** `text` with its comments blanked out, so that words in them are not taken for code. Line numbers stay. */
export function withoutComments(text: string): string {
  // Strings come first in the pattern, so that "https://…" does not begin a comment.
  return text.replaceAll(
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/gu,
    (whole, string?: string) => string ?? whole.replaceAll(/[^\n]/gu, " "),
  );
}
