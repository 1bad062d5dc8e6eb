/** The endpoints about the gateway and its adapters: status, plan, reload, and what an operator does to one of them. */
import { Hono } from "hono";
import { GatewayError } from "../contract/errors.ts";
import type { GatewayControl } from "../contract/control.ts";
import { answerError, errorRecord } from "./error-answer.ts";
import type { Metrics } from "./metrics.ts";
import { readCount, readText } from "./request-body.ts";

const longestReloadWaitSeconds = 3600;

/** `/healthz`, `/readyz`: the two that need no token. */
export const openPaths: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

/** Routes over {@link GatewayControl}, without any guard. */
export function gatewayRoutes(control: GatewayControl, metrics: Metrics): Hono {
  return new Hono()
    .get("/healthz", (context) => context.json({ status: "ok" }))
    .get("/readyz", (context) =>
      control.isReady() ? context.json({ status: "ready" }) : answerError(context, notReady(control)),
    )
    .get("/metrics", async (context) =>
      context.body(await metrics.text(), 200, { "Content-Type": metrics.contentType }),
    )
    .get("/v1/status", (context) => context.json(control.status()))
    .get("/v1/plan", async (context) => context.json(await control.plan()))
    .post("/v1/plan", async (context) => context.json(await control.plan(await readText(context))))
    .post("/v1/reload", async (context) => {
      const waitSeconds = readCount(context, "wait", { fallback: 0, maximum: longestReloadWaitSeconds });
      const report = await control.reload({ waitMs: waitSeconds * 1000 });
      if (report.ok) return context.json({ configGeneration: report.configGeneration, actions: report.actions });
      const first = report.errors[0];
      const error = new GatewayError("config_invalid", `Cannot reload: ${first?.message ?? "the config has errors"}`);
      const record =
        first === undefined || first.path === "" ? errorRecord(error) : { ...errorRecord(error), path: first.path };
      return context.json({ error: record, errors: report.errors }, 422);
    })
    .post("/v1/adapters/:key/restart", async (context) => {
      const shared = context.req.query("shared");
      return context.json(
        await control.restart(context.req.param("key"), { shared: shared === "true" || shared === "1" }),
        202,
      );
    })
    .post("/v1/adapters/:key/pause", async (context) =>
      context.json(await control.pause(context.req.param("key")), 202),
    )
    .post("/v1/adapters/:key/resume", async (context) =>
      context.json(await control.resume(context.req.param("key")), 202),
    )
    .get("/v1/adapters/:key/history", (context) => {
      const key = context.req.param("key");
      return context.json({ key, history: control.history(key) });
    });
}

function notReady(control: GatewayControl): GatewayError {
  const trouble = control.conditions().find((condition) => condition.code === "journal_unavailable");
  return new GatewayError(
    "journal_unavailable",
    trouble === undefined ? "Not ready: the first reconcile is not done" : "Not ready: the journal cannot be written",
  );
}
