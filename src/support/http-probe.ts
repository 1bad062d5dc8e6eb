/** Proof that one of our own servers answers: a request over the real network stack. */
import { GatewayError } from "../contract/errors.ts";
import { addressText } from "./http-listener.ts";
import { get } from "./node-http.ts";

/** @throws {GatewayError} `platform_unavailable` when `path` is not answered with 200 within `timeoutMs`. */
export async function probeHttp(
  address: { readonly host: string; readonly port: number },
  path: string,
  timeoutMs = 5_000,
): Promise<void> {
  const host = address.host === "0.0.0.0" ? "127.0.0.1" : address.host === "::" ? "::1" : address.host;
  const answer = Promise.withResolvers<number>();
  const request = get({ host, port: address.port, path, agent: false, signal: AbortSignal.timeout(timeoutMs) });
  request.once("response", (response) => {
    response.resume();
    answer.resolve(response.statusCode ?? 0);
  });
  request.on("error", answer.reject);
  const where = `Cannot reach ${addressText({ host, port: address.port })}${path}`;
  let status: number;
  try {
    status = await answer.promise;
  } catch (cause) {
    throw new GatewayError("platform_unavailable", `${where}: no answer within ${timeoutMs} ms`, { cause });
  }
  if (status !== 200) throw new GatewayError("platform_unavailable", `${where}: found status ${status}, wanted 200`);
}
