/** Wrong about a connection that was good, and about the policy that it is to obey. */
import acme from "../acme-adapter.ts";
import { withRunning, withStart, type Defect } from "./defect.ts";

/** See each. */
export const connectionDefects: readonly Defect[] = [
  {
    does: "does not see that its connection is over",
    module: withRunning(() => ({ closed: new Promise(() => {}) })),
    fails: {
      "live-faults": [
        "comes back after its connection was cut",
        "has one connection after the other, and listens on the last alone",
        "ends for good when its credentials are refused later",
        "leaves a long outage to the supervisor",
      ],
    },
  },
  {
    does: "connects twice",
    module: withStart(async (context) => {
      const [first, second] = [await acme.start(context), await acme.start(context)];
      return {
        ...first,
        async stop() {
          await Promise.all([first.stop(), second.stop()]);
        },
      };
    }),
    fails: {
      start: ["starts again after a stop"],
      "live-faults": ["has one connection after the other, and listens on the last alone"],
    },
  },
  {
    does: "counts its own pings as signs of life",
    module: withRunning((running, context) => {
      const pings = setInterval(() => context.frame(), 1_000);
      return {
        async stop() {
          clearInterval(pings);
          await running.stop();
        },
      };
    }),
    fails: { "live-faults": ["notices a half-open connection, or lets it be noticed"] },
    inGateway: { fails: "shows a half-open connection in its status, and gets over it", says: /a silent connection/u },
  },
  {
    does: "connects again by itself for ever",
    module: withStart(async (context) => {
      let running = await acme.start(context);
      let isOver = false;
      const keepOn = async (): Promise<void> => {
        while (!isOver) {
          try {
            await running.closed;
          } catch {
            // So it begins anew.
          }
          if (!isOver) running = await acme.start(context).catch(() => running);
        }
      };
      void keepOn();
      return {
        send: async (request) => running.send?.(request),
        async stop() {
          isOver = true;
          await running.stop();
        },
      };
    }),
    fails: {
      "live-faults": ["ends for good when its credentials are refused later", "leaves a long outage to the supervisor"],
    },
  },
  {
    does: "reconnects for a policy",
    module: withStart(async (context) => {
      let running = await acme.start(context);
      return {
        ...running,
        stop: () => running.stop(),
        async updatePolicy() {
          await running.stop();
          running = await acme.start(context);
        },
      };
    }),
    fails: { policy: ["keeps its connection for a new policy"] },
  },
];
