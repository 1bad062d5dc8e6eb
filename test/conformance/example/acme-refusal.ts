/** What Acme says against something, as what a supervisor and a consumer act on. */
import { GatewayError } from "../../../src/library.ts";
import type { Line } from "./acme-events.ts";

/** A line of the type `refused`. */
export function refusalOf({ reason, retryAfterSeconds }: Line): GatewayError {
  switch (reason) {
    case "bad_token":
      return new GatewayError("unauthorized", "Cannot log in to Acme: the token was refused", {
        userAction: "Put a token from Acme's settings page into [messaging.acme.settings]",
      });
    case "busy":
      return new GatewayError("rate_limited", "Cannot do this yet: Acme asks to wait", {
        retry: { kind: "after", delayMs: Number(retryAfterSeconds) * 1_000 },
      });
    case "no_such_room":
    case "no_such_message":
    case "no_such_file":
      return new GatewayError("not_found", `Cannot do this: Acme says ${reason}`);
    case "too_large":
      return new GatewayError("too_large", "Cannot take the file: it is larger than allowed");
    case "too_long":
    case "empty":
      return new GatewayError("message_rejected", `Cannot say this: Acme says ${reason}`);
    default:
      return new GatewayError("platform_unavailable", "Cannot do this: Acme has a problem of its own");
  }
}
