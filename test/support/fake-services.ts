/** What consumers ask of the gateway, remembered. */
import { GatewayError } from "../../src/contract/errors.ts";
import type { ConsumerServices } from "../../src/consume/consumer-services.ts";

/** One call of a service. */
export type ServiceCall = { readonly name: keyof ConsumerServices; readonly request: unknown };

/** Says yes to everything. */
export class FakeServices implements ConsumerServices {
  readonly calls: ServiceCall[] = [];

  async replyNow(request: Parameters<ConsumerServices["replyNow"]>[0]): Promise<unknown> {
    this.calls.push({ name: "replyNow", request });
    return null;
  }

  streamChunk(request: Parameters<ConsumerServices["streamChunk"]>[0]): void {
    this.calls.push({ name: "streamChunk", request });
  }

  async setStatus(request: Parameters<ConsumerServices["setStatus"]>[0]): Promise<void> {
    this.calls.push({ name: "setStatus", request });
  }

  async history(request: Parameters<ConsumerServices["history"]>[0]): ReturnType<ConsumerServices["history"]> {
    this.calls.push({ name: "history", request });
    return [];
  }

  async send(request: Parameters<ConsumerServices["send"]>[0]): ReturnType<ConsumerServices["send"]> {
    this.calls.push({ name: "send", request });
    return { id: "s1", state: "queued" };
  }

  async attachment(request: Parameters<ConsumerServices["attachment"]>[0]): ReturnType<ConsumerServices["attachment"]> {
    this.calls.push({ name: "attachment", request });
    throw new GatewayError("not_found", "Cannot fetch the attachment: this is a test");
  }
}
