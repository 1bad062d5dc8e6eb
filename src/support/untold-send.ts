/** The end of a search for a send whose answer was lost. */
import { GatewayError } from "../contract/errors.ts";

/** What `completeSend` rejects with where it cannot be told whether the send arrived: it is `unknown` then, and never repeated. */
export function untoldSend(why: string): GatewayError {
  return new GatewayError("timeout", `Cannot tell whether the send arrived: ${why}`, { retry: { kind: "never" } });
}
