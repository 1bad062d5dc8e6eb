/** What can be told of a config's machine with no gateway running: its state directory, its disk, its ports. */
import { constants } from "node:fs";
import { access, stat, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import type { Config } from "../contract/config.ts";
import { GatewayError } from "../contract/errors.ts";
import { ok, problem, warning, type Finding } from "./finding.ts";
import { formatBytes } from "./text.ts";

/** Others can read what is there: messages, and the admin token. */
const othersMode = 0o077;

/** Looks at the disk; at the ports too, unless `isRunning`: its own gateway has them then. */
export async function examineMachine(config: Config, isRunning: boolean): Promise<readonly Finding[]> {
  const ports = isRunning ? [] : await Promise.all(placesOf(config).map(examinePlace));
  return [...(await examineStateDir(config)), ...ports];
}

async function examineStateDir({ gateway, journal }: Config): Promise<readonly Finding[]> {
  const { stateDir } = gateway;
  const subject = "state directory";
  const existing = await nearestExisting(stateDir);
  try {
    await access(existing, constants.W_OK | constants.X_OK);
  } catch {
    return [
      problem(subject, `${existing} is not writable`, "Give the user that runs the gateway the right to write there"),
    ];
  }
  const findings: Finding[] = [];
  const { mode } = await stat(existing);
  if (existing === stateDir && (mode & othersMode) !== 0)
    findings.push(warning(subject, `others may look into ${stateDir}`, `chmod 700 ${stateDir}`));
  else findings.push(ok(subject, stateDir));
  const { bavail, bsize } = await statfs(existing);
  const freeBytes = bavail * bsize;
  const message = `${formatBytes(freeBytes)} free, the journal may take ${formatBytes(journal.maxBytes)}`;
  const isShort = journal.durability !== "memory" && freeBytes < journal.maxBytes;
  const userAction = "Make room, or set [journal] max_bytes lower: a full disk refuses messages";
  findings.push(isShort ? warning("disk", message, userAction) : ok("disk", message));
  return findings;
}

/** `place`, or where it would be made. */
async function nearestExisting(place: string): Promise<string> {
  for (let at = place; ; at = path.dirname(at))
    try {
      await stat(at);
      return at;
    } catch (reason) {
      if (at === path.dirname(at)) throw GatewayError.from(reason);
    }
}

type Place = { readonly subject: string; readonly host: string; readonly port: number };

function placesOf({ admin, adapters }: Config): readonly Place[] {
  const own = admin.listen.kind === "tcp" ? [{ subject: "admin port", ...admin.listen }] : [];
  const theirs = adapters.flatMap(({ key, listensAt }) =>
    listensAt === undefined ? [] : [{ subject: `port of ${key}`, ...listensAt }],
  );
  return [...own, ...theirs].filter(({ port }) => port !== 0);
}

async function examinePlace({ subject, host, port }: Place): Promise<Finding> {
  const address = `${host}:${port}`;
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<Finding>();
  server.once("error", (error: NodeJS.ErrnoException) => {
    const why = error.code === "EADDRINUSE" ? "another process listens there" : (error.code ?? error.message);
    resolve(problem(subject, `Cannot listen on ${address}: ${why}`, "End that process, or choose another port"));
  });
  server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(ok(subject, `${address} is free`))));
  return promise;
}
