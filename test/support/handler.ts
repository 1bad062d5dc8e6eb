/** A user's handler for tests with real threads: does what a message's text says. */
import { RejectMessage } from "../../src/contract/reject-message.ts";
import type { Handler } from "../../workers/consumer-handlers.ts";

const handle: Handler = async (message, context) => {
  switch (message.text) {
    case "early":
      await context.reply("working");
      return "done";
    case "crash":
      process.exit(3);
      return undefined;
    case "spin":
      for (;;);
    case "wait":
      await new Promise((_resolve, reject) => {
        context.signal.addEventListener("abort", () => reject(context.signal.reason as Error), { once: true });
      });
      return undefined;
    case "reject":
      throw new RejectMessage("no");
    case "log":
      console.log("hello from the handler");
      context.log.warn("low-on-ink", { left: 3 });
      return undefined;
    default:
      return `echo ${message.text}`;
  }
};

export default handle;
