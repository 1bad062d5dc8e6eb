/** The two endpoints that look into an adapter's thread: a file each, which is gone once it was sent. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { Hono, type Context } from "hono";
import type { GatewayControl, InspectionRequest } from "../contract/control.ts";
import { RequestFieldError } from "./error-answer.ts";
import { readCount } from "./request-body.ts";

const longestProfileSeconds = 300;
const usualProfileSeconds = 10;

/** Routes over {@link GatewayControl}, without any guard. */
export function inspectionRoutes(control: Pick<GatewayControl, "inspect">): Hono {
  return new Hono()
    .get("/v1/adapters/:key/heap-snapshot", (context) =>
      answerFile(context, control, { key: context.req.param("key"), kind: "heapSnapshot", seconds: 0 }),
    )
    .get("/v1/adapters/:key/cpu-profile", (context) => {
      const limits = { fallback: usualProfileSeconds, maximum: longestProfileSeconds };
      const seconds = readCount(context, "seconds", limits);
      if (seconds === 0)
        throw new RequestFieldError("seconds", "Cannot take a profile of 0 seconds: expected 1 to 300");
      return answerFile(context, control, { key: context.req.param("key"), kind: "cpuProfile", seconds });
    });
}

async function answerFile(
  context: Context,
  control: Pick<GatewayControl, "inspect">,
  request: InspectionRequest,
): Promise<Response> {
  await using stack = new AsyncDisposableStack();
  const inspection = stack.use(await control.inspect(request));
  const { size } = await stat(inspection.path);
  const file = createReadStream(inspection.path);
  const owned = stack.move();
  // Also where the client goes away in the middle.
  file.once("close", () => void owned.disposeAsync());
  return context.body(Readable.toWeb(file) as ReadableStream<Uint8Array<ArrayBuffer>>, 200, {
    "Content-Type": "application/json",
    "Content-Length": String(size),
    "Content-Disposition": `attachment; filename="${inspection.name}"`,
    "Cache-Control": "no-store",
  });
}
