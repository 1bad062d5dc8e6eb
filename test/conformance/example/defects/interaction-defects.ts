/** Wrong about buttons, menus and commands. */
import acme from "../acme-adapter.ts";
import { emitting, withMessages, withSend, withStart, type Defect } from "./defect.ts";

/** See each. */
export const interactionDefects: readonly Defect[] = [
  {
    does: "says of a button only what stands on it",
    module: withMessages((message) =>
      message.kind === "interaction" ? { ...message, metadata: { label: message.metadata?.["label"] } } : message,
    ),
    fails: {
      interactions: ["hears of a button that it showed, and shows the answer", "hears what was chosen from a menu"],
    },
  },
  {
    does: "shows only the text of a rich message",
    module: withSend(async (request, send) => {
      const { response } = request;
      if (response.kind !== "rich_message") return send(request);
      return send({ ...request, response: { kind: "text", text: response.text } });
    }),
    fails: {
      responses: ["shows a rich message"],
      interactions: [
        "hears of a button that it showed, and shows the answer",
        "hears what was chosen from a menu",
        "gives who pressed a button a sign in time",
        "tells presses of one button apart, and knows one that comes again",
      ],
    },
  },
  {
    does: "gives a sign only with its answer",
    module: withStart(async (context) => {
      const answered = Promise.withResolvers<void>();
      const running = await acme.start(
        emitting(context, async (message) => {
          await context.emit(message);
          if (message.kind === "interaction" || message.kind === "command") await answered.promise;
        }),
      );
      return {
        ...running,
        async send(request) {
          if (request.response.kind === "text") answered.resolve();
          return running.send?.(request);
        },
      };
    }),
    fails: {
      interactions: [
        "gives who pressed a button a sign in time",
        "hears a command with its words, and shows the answer",
      ],
    },
  },
  {
    does: "knows a press by its button",
    module: withMessages((message) =>
      message.kind === "interaction"
        ? { ...message, id: `${message.replyTo?.["messageId"]}/${message.text}` }
        : message,
    ),
    fails: { interactions: ["tells presses of one button apart, and knows one that comes again"] },
  },
  {
    does: "offers its commands only at its start",
    module: withStart(async (context) => {
      const running = await acme.start(context);
      const { commands } = context.policy;
      return { ...running, updatePolicy: async (policy) => running.updatePolicy?.({ ...policy, commands }) };
    }),
    fails: { interactions: ["offers the commands that are declared, and no longer those that are not"] },
  },
  {
    does: "drops the words of a command",
    module: withMessages((message) =>
      message.kind === "command" ? { ...message, text: message.text.replace(/ .*$/su, "") } : message,
    ),
    fails: { interactions: ["hears a command with its words, and shows the answer"] },
  },
  {
    does: "knows a command by its name",
    module: withMessages((message) => (message.kind === "command" ? { ...message, id: message.text } : message)),
    fails: { interactions: ["tells commands apart, and knows one that comes again"] },
  },
];
