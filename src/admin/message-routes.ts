/** The endpoints about messages: outbound sends, replies, dead letters. */
import { Hono } from "hono";
import type { GatewayControl } from "../contract/control.ts";
import type { DeadLetterRow } from "../contract/journal-query.ts";
import { readCount, readRespond, readSend } from "./request-body.ts";

const deadLettersPerPage = 100;
const mostDeadLettersPerPage = 1000;

/** A dead letter as the API shows it: the row without what only the journal needs, times as ISO 8601. */
type DeadLetterView = {
  readonly seq: number;
  readonly id: string;
  readonly key: string;
  readonly conversation: string;
  readonly consumer: string;
  readonly attempt: number;
  readonly bytes: number;
  readonly receivedAt: string;
  readonly deadAt: string;
  readonly reason: string;
  readonly error: { readonly code: string; readonly message: string } | null;
};

/** Routes over {@link GatewayControl}, without any guard. */
export function messageRoutes(control: GatewayControl): Hono {
  return new Hono()
    .post("/v1/send", async (context) => context.json(await control.send(await readSend(context)), 202))
    .get("/v1/sends/:id", async (context) => {
      const report = await control.sendReport(context.req.param("id"));
      return context.json({ ...report, error: viewError(report.error) });
    })
    .post("/v1/messages/:id/respond", async (context) => {
      const request = await readRespond(context);
      return context.json(await control.respond({ messageId: context.req.param("id"), ...request }), 202);
    })
    .get("/v1/dead-letters", async (context) => {
      const afterSeq = readCount(context, "after", { fallback: 0, maximum: Number.MAX_SAFE_INTEGER });
      const limit = readCount(context, "limit", { fallback: deadLettersPerPage, maximum: mostDeadLettersPerPage });
      const rows = await control.deadLetters({ afterSeq, limit });
      return context.json({ deadLetters: rows.map(viewDeadLetter) });
    })
    .get("/v1/dead-letters/:id", async (context) => {
      const { row, message } = await control.deadLetter(context.req.param("id"));
      return context.json({ ...viewDeadLetter(row), message });
    })
    .post("/v1/dead-letters/:id/retry", async (context) => {
      const id = context.req.param("id");
      await control.retryDeadLetter(id);
      return context.json({ id }, 202);
    })
    .delete("/v1/dead-letters/:id", async (context) => {
      const id = context.req.param("id");
      await control.dropDeadLetter(id);
      return context.json({ id });
    });
}

function viewDeadLetter(row: DeadLetterRow): DeadLetterView {
  return {
    seq: row.seq,
    id: row.id,
    key: row.key,
    conversation: row.conversation,
    consumer: row.consumer,
    attempt: row.attempt,
    bytes: row.bytes,
    receivedAt: new Date(row.atMs).toISOString(),
    deadAt: new Date(row.deadAtMs).toISOString(),
    reason: row.reason,
    error: viewError(row.error),
  };
}

/** Without the stack: it is of use in the log only. */
function viewError(error: DeadLetterRow["error"]): DeadLetterView["error"] {
  return error === null ? null : { code: error.code, message: error.message };
}
