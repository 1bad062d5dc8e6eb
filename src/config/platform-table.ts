/** What the loader must know about one built-in platform's table; each `*-schema.ts` file says it for one platform. */
import type { z } from "zod";
import type { Platform } from "../contract/spec.ts";
import type { Table } from "./plain-value.ts";

/** Where an adapter will listen. */
export type ListenPoint = { readonly host: string; readonly port: number };

/** Something that two fields are wrong about together, reported at `key`. */
type TableProblem = { readonly key: string; readonly message: string };

/** A rule over several fields; looked at only when all of `needs` are right by themselves. */
type TableRule<Fields> = {
  readonly needs: readonly (keyof Fields & string)[];
  find(fields: Fields): TableProblem | null;
};

/** One platform's table. `Fields`: its keys with defaults filled in. */
export interface PlatformTable<Fields = Table> {
  readonly platform: Platform;
  readonly shape: Readonly<Record<string, z.ZodType>>;
  /** The default key runs when one of these is there; empty: it needs none. */
  readonly credentials: readonly string[];
  /** Field -> the environment variable that the default key takes where the file is silent. */
  readonly environment: Readonly<Record<string, string>>;
  readonly rules: readonly TableRule<Fields>[];
  /** Defaults that come from other fields. */
  complete(fields: Fields): Fields;
  /** `null`: it only connects outwards. */
  listensAt(fields: Fields): ListenPoint | null;
}

/** What a platform's file says; what is left out is empty. */
export type PlatformDefinition<Shape extends Readonly<Record<string, z.ZodType>>> = {
  readonly platform: Platform;
  readonly shape: Shape;
  readonly credentials?: readonly (keyof Shape & string)[];
  readonly environment?: Readonly<Partial<Record<keyof Shape & string, string>>>;
  readonly rules?: readonly TableRule<FieldsOf<Shape>>[];
  complete?(fields: FieldsOf<Shape>): FieldsOf<Shape>;
  listensAt?(fields: FieldsOf<Shape>): ListenPoint | null;
};

type FieldsOf<Shape extends Readonly<Record<string, z.ZodType>>> = {
  readonly [Key in keyof Shape]: z.output<Shape[Key]>;
};

/** A platform's table whose rules are checked against its own fields. */
export function definePlatform<Shape extends Readonly<Record<string, z.ZodType>>>(
  definition: PlatformDefinition<Shape>,
): PlatformTable {
  const table = {
    credentials: [],
    environment: {},
    rules: [],
    complete: (fields: FieldsOf<Shape>) => fields,
    listensAt: () => null,
    ...definition,
  };
  // The loader hands each rule only fields that this very shape has parsed.
  return table as unknown as PlatformTable;
}
