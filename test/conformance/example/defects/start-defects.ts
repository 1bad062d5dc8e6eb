/** Wrong from the first contact to the last. */
import { connect } from "node:net";
import type { RunningAdapter } from "../../../../src/contract/adapter.ts";
import { GatewayError } from "../../../../src/library.ts";
import acme from "../acme-adapter.ts";
import { withFailure, withRunning, withStart, type Defect } from "./defect.ts";

/** By the port, so that each test has its own. */
const clients = new Map<number, Promise<RunningAdapter>>();

/** See each. */
export const startDefects: readonly Defect[] = [
  {
    does: "leaves probes unanswered",
    module: withRunning(() => ({ probe: () => new Promise(() => {}) })),
    fails: { start: ["starts, hears, answers and proves that it lives"] },
  },
  {
    does: "leaves a socket open",
    module: withStart(async (context) => {
      const running = await acme.start(context);
      connect(context.settings.port, context.settings.host).on("error", () => {});
      return running;
    }),
    fails: {
      start: [
        "closes every socket when it is stopped, and may be stopped twice",
        "closes a half-open connection when it is stopped",
      ],
    },
  },
  {
    does: "has one client for the whole life of its process",
    module: withStart((context) => {
      const { port } = context.settings;
      const client = clients.get(port) ?? acme.start(context);
      clients.set(port, client);
      return client;
    }),
    fails: {
      start: ["starts again after a stop"],
      "connect-faults": ["gets through after a short burst of server errors"],
    },
  },
  {
    does: "does not hear the end of its generation",
    module: withStart((context) => acme.start({ ...context, signal: new AbortController().signal })),
    fails: { start: ["gives up a hanging start when its generation ends"] },
  },
  {
    does: "does not say what a person must do",
    module: withFailure((reason) => {
      const { code, message, retry } = GatewayError.from(reason);
      return new GatewayError(code, message, { retry });
    }),
    fails: { "connect-faults": ["reports bad credentials, once, with what a person must do"] },
  },
  {
    does: "takes refused credentials for a passing fault",
    module: withFailure((reason) => {
      const { code, message } = GatewayError.from(reason);
      return code === "unauthorized" ? new GatewayError("platform_unavailable", message) : reason;
    }),
    fails: {
      "connect-faults": ["reports bad credentials, once, with what a person must do"],
      "live-faults": ["ends for good when its credentials are refused later"],
    },
  },
  {
    does: "tries refused credentials three times",
    module: withStart(async (context) => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await acme.start(context);
        } catch (reason) {
          if (GatewayError.from(reason).code !== "unauthorized" || attempt === 3) throw reason;
        }
      }
    }),
    fails: {},
    inGateway: {
      fails: "needs attention for bad credentials, and is not tried again by itself",
      says: /3 tries with bad credentials/u,
    },
  },
  {
    does: "waits for ever for its service",
    module: withStart(async (context) => {
      try {
        return await acme.start(context);
      } catch (reason) {
        if (!String(reason).includes("no answer")) throw reason;
        return new Promise((_resolve, reject) => {
          context.signal.addEventListener("abort", () => reject(context.signal.reason as Error), { once: true });
        });
      }
    }),
    fails: { "connect-faults": ["ends a start that the service never answers"] },
  },
  {
    does: "forgets how long it was asked to wait",
    module: withFailure((reason) => {
      const { code, message } = GatewayError.from(reason);
      return code === "rate_limited" ? new GatewayError("platform_unavailable", message) : reason;
    }),
    fails: { "connect-faults": ["passes on how long the service asks it to wait"] },
    inGateway: {
      fails: "waits as long as it is asked, and makes no storm against a service that is away",
      says: /Acme asks to wait/u,
    },
  },
  {
    does: "tries again and again by itself",
    module: withStart(async (context) => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await acme.start(context);
        } catch (reason) {
          const { code, message } = GatewayError.from(reason);
          if (code !== "platform_unavailable" || message.includes("no answer") || attempt === 100) throw reason;
        }
      }
    }),
    fails: {
      "connect-faults": [
        "gives up after a few tries on a service that is down",
        "gives up after a few tries on connections that are cut",
      ],
    },
  },
];
