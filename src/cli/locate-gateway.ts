/** Where the gateway of a config listens, and the token it wants: also when the config has since been broken. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { NotRunningError, type AdminClientOptions } from "../admin-client.ts";
import type { ListenAddress, LoadResult } from "../contract/config.ts";
import type { ConfigSource } from "./context.ts";

/** What locating needs of the stages. */
export type LocateOptions = {
  readonly source: ConfigSource;
  readonly load: (source: ConfigSource) => Promise<LoadResult>;
  readonly parseListen: (text: string, baseDir: string) => ListenAddress | null;
  /** The token of a state directory; `null` where there is none. */
  readonly readToken: (stateDir: string) => Promise<string | null>;
  /** Where the gateway of a state directory said that it listens; `null` where none runs. */
  readonly readAddress: (stateDir: string) => Promise<string | null>;
};

type Place = { readonly listen: ListenAddress; readonly stateDir: string };

const defaultListen: ListenAddress = { kind: "tcp", host: "127.0.0.1", port: 8787 };

/** @throws {NotRunningError} when its state directory has no token: no gateway was ever started there. */
export async function locateGateway(options: LocateOptions): Promise<AdminClientOptions> {
  const place = await findPlace(options);
  const token = await options.readToken(place.stateDir);
  if (token === null) throw new NotRunningError(`gateway not running: no token in ${place.stateDir}`);
  const address = await options.readAddress(place.stateDir);
  // The gateway's own word first: a port 0 in its config is another one by now, and the config may have been edited since.
  const listen = address === null ? null : options.parseListen(address, place.stateDir);
  return { listen: listen ?? place.listen, token };
}

async function findPlace({ source, load, parseListen }: LocateOptions): Promise<Place> {
  const loaded = await load(source);
  if (loaded.ok) return { listen: loaded.config.admin.listen, stateDir: loaded.config.gateway.stateDir };
  // A running gateway goes on through a broken config, and its operator must be able to ask it why.
  const baseDir = source.kind === "file" ? path.dirname(source.path) : source.baseDir;
  const text = source.kind === "file" ? await readFile(source.path, "utf8") : "";
  const listen = findString(text, "listen");
  return {
    listen: (listen === null ? null : parseListen(listen, baseDir)) ?? defaultListen,
    stateDir: path.resolve(baseDir, findString(text, "state_dir") ?? "data"),
  };
}

/** By line, since the text may be no TOML. Both keys exist in one table only. */
function findString(text: string, key: string): string | null {
  return new RegExp(`^[ \\t]*${key}[ \\t]*=[ \\t]*(["'])(.*?)\\1`, "m").exec(text)?.[2] ?? null;
}
