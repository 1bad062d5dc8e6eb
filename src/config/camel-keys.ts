/** TOML is snake_case, the rest of the program camelCase: one conversion for values and for types. */

type CamelCase<Text extends string> = Text extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Text;

/** `{ auth_token: string }` as `{ authToken: string }`. */
export type CamelKeys<Table> = { readonly [Key in keyof Table as CamelCase<Key & string>]: Table[Key] };

/** `table` with its own keys in camelCase; values are left as they are. Literal: `{ auth_token: "x" }` gives `{ authToken: "x" }` */
export function camelKeys<Table extends object>(table: Table): CamelKeys<Table> {
  const entries = Object.entries(table).map(([key, value]): [string, unknown] => [
    key.replaceAll(/_([a-z0-9])/gu, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  // The runtime rule above is the type's rule.
  return Object.fromEntries(entries) as CamelKeys<Table>;
}
