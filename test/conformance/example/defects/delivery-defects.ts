/** Wrong about what comes in: lost, said twice, called something else. */
import type { EmittedMessage } from "../../../../src/contract/message.ts";
import acme from "../acme-adapter.ts";
import { emitting, withEmit, withMessages, withStart, type Defect } from "./defect.ts";

/** Messages that one defect has in hand at once. */
const mostInHand = 100;
let copies = 0;

function withRevision(message: EmittedMessage, revision: string | null): EmittedMessage {
  const { revision: _, ...rest } = message;
  return revision === null ? rest : { ...rest, revision };
}

/** See each. */
export const deliveryDefects: readonly Defect[] = [
  {
    does: "acknowledges before the gateway has accepted",
    module: withEmit(async (message, emit) => {
      emit(message).catch(() => {});
    }),
    fails: {
      delivery: [
        "acknowledges a message only once it is accepted",
        "brings again what the gateway refused",
        "goes on after a death in mid-stream where it was",
      ],
      events: [
        "acknowledges an event only once it is accepted",
        "brings the events again that were not accepted before a death",
      ],
    },
  },
  {
    does: "gives what comes again a new id",
    module: withMessages((message) => {
      copies += 1;
      return withRevision(message, `${message.revision ?? ""}/${copies}`);
    }),
    fails: {
      delivery: ["gives a message that comes again its old id, and each other one its own"],
      events: [
        "tells edits of one message apart, and knows one that comes again",
        "hears a deletion as one of the message that is gone",
      ],
      interactions: [
        "tells presses of one button apart, and knows one that comes again",
        "tells commands apart, and knows one that comes again",
      ],
    },
  },
  {
    does: "drops what it has no hand free for",
    module: withStart((context) => {
      let inHand = 0;
      return acme.start(
        emitting(context, async (message) => {
          if (inHand === mostInHand) return;
          inHand += 1;
          try {
            await context.emit(message);
          } finally {
            inHand -= 1;
          }
        }),
      );
    }),
    fails: { delivery: ["brings a flood in order once there is credit"] },
  },
  {
    does: "takes nothing in before its start is over",
    module: withStart(async (context) => {
      let isStarted = false;
      const running = await acme.start(
        emitting(context, async (message) => {
          if (isStarted) await context.emit(message);
        }),
      );
      isStarted = true;
      return running;
    }),
    fails: {
      delivery: [
        "brings again what the gateway refused",
        "goes on after a death in mid-stream where it was",
        "brings what was said while it was stopped",
      ],
      events: ["brings the events again that were not accepted before a death"],
    },
    inGateway: { fails: "loses nothing when its host is killed in mid-stream", says: /"number \d+" heard/u },
  },
  {
    does: "takes an edit for a message of its own",
    module: withMessages((message) =>
      message.kind === "edited" ? { ...message, kind: "text", id: `${message.id}-edited` } : message,
    ),
    fails: {
      events: [
        "hears an edit as one of the message that it changes",
        "tells edits of one message apart, and knows one that comes again",
        "brings the events again that were not accepted before a death",
      ],
    },
  },
  {
    does: "gives all edits of a message one identity",
    module: withMessages((message) => (message.kind === "edited" ? withRevision(message, null) : message)),
    fails: { events: ["tells edits of one message apart, and knows one that comes again"] },
  },
  {
    does: "keeps deletions to itself",
    module: withMessages((message) => (message.kind === "deleted" ? null : message)),
    fails: {
      events: [
        "hears a deletion as one of the message that is gone",
        "acknowledges an event only once it is accepted",
        "brings the events again that were not accepted before a death",
      ],
    },
  },
  {
    does: "does not say that a reaction is taken off",
    module: withMessages((message) =>
      message.kind === "reaction" ? { ...message, metadata: { reaction_action: "added" } } : message,
    ),
    fails: { events: ["hears who reacts with what, and that it is taken off"] },
  },
  {
    does: "hears nothing more after a line that it cannot read",
    module: withStart((context) => {
      let isDeaf = false;
      const { log } = context;
      const hearing = emitting(context, (message) => (isDeaf ? new Promise(() => {}) : context.emit(message)));
      return acme.start({
        ...hearing,
        log: {
          debug: (event, fields) => log.debug(event, fields),
          info: (event, fields) => log.info(event, fields),
          warn(event, fields) {
            isDeaf ||= event === "acme-line-ignored";
            log.warn(event, fields);
          },
          error: (event, fields) => log.error(event, fields),
        },
      });
    }),
    fails: {},
    inGateway: { fails: "survives what no honest platform sends", says: /"after the nonsense" heard/u },
  },
];
