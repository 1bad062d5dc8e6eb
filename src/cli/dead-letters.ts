/** `bulkhead dead-letters`: what no consumer could handle. */
import type { AdminClient } from "../admin-client.ts";
import { CommandError, exitCodes, type CommandContext } from "./context.ts";
import { formatAge, formatTable } from "./text.ts";

const pageSize = 1000;

/** One line of the list, as far as it is shown. */
type Row = {
  readonly seq: number;
  readonly id: string;
  readonly key: string;
  readonly conversation: string;
  readonly consumer: string;
  readonly attempt: number;
  readonly deadAt: string;
  readonly reason: string;
};

/** `dead-letters list`: all of them, oldest first. */
export async function listDeadLetters(context: CommandContext): Promise<number> {
  const rows = await fetchAll(await context.connect());
  if (context.json) context.print(JSON.stringify({ deadLetters: rows }, null, 2));
  else if (rows.length === 0) context.print("no dead letters");
  else
    context.print(
      formatTable(
        ["ID", "KEY", "CONVERSATION", "CONSUMER", "ATTEMPTS", "DEAD FOR", "REASON"],
        rows.map((row) => [
          row.id,
          row.key,
          row.conversation,
          row.consumer,
          `${row.attempt}`,
          formatAge(row.deadAt, Date.now()),
          row.reason,
        ]),
      ),
    );
  return exitCodes.done;
}

/** `dead-letters show ID`: it and its message, as JSON. */
export async function showDeadLetter(context: CommandContext, id: string): Promise<number> {
  const gateway = await context.connect();
  const letter = await gateway.call<unknown>({ method: "GET", path: pathOf(id) });
  context.print(JSON.stringify(letter, null, 2));
  return exitCodes.done;
}

/** `dead-letters retry ID` or `--all`. */
export async function retryDeadLetters(
  context: CommandContext,
  options: { readonly id: string | undefined; readonly all: boolean },
): Promise<number> {
  if ((options.id === undefined) !== options.all)
    throw new CommandError(exitCodes.usage, "Cannot retry: expected either an ID or --all");
  const gateway = await context.connect();
  const ids = options.id === undefined ? (await fetchAll(gateway)).map((row) => row.id) : [options.id];
  for (const id of ids) await gateway.call({ method: "POST", path: `${pathOf(id)}/retry` });
  context.print(context.json ? JSON.stringify({ retried: ids }) : `retried ${ids.length}`);
  return exitCodes.done;
}

/** `dead-letters drop ID`. */
export async function dropDeadLetter(context: CommandContext, id: string): Promise<number> {
  const gateway = await context.connect();
  await gateway.call({ method: "DELETE", path: pathOf(id) });
  context.print(context.json ? JSON.stringify({ dropped: [id] }) : `dropped ${id}`);
  return exitCodes.done;
}

async function fetchAll(gateway: AdminClient): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (;;) {
    const after = rows.at(-1)?.seq ?? 0;
    const path = `/v1/dead-letters?after=${after}&limit=${pageSize}`;
    const page = await gateway.call<{ deadLetters: readonly Row[] }>({ method: "GET", path });
    rows.push(...page.deadLetters);
    if (page.deadLetters.length < pageSize) return rows;
  }
}

function pathOf(id: string): string {
  return `/v1/dead-letters/${encodeURIComponent(id)}`;
}
