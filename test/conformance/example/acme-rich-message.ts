/** Rich messages in Acme's means: a text, and buttons below it. Pure. */
import type { Response } from "../../../src/library.ts";

type RichMessage = Extract<Response, { readonly kind: "rich_message" }>;

/** As Acme has it; `id` and `value` come back when it is pressed. */
export type AcmeButton = { readonly id: string; readonly label: string; readonly value?: string };

/** Text, cards and a poll, one below the other. */
export function richText({ text, cards, poll }: RichMessage): string {
  const blocks = [
    text,
    ...cards.map(({ title, description, fields }) =>
      [title, description, ...fields.map(({ name, value }) => `${name}: ${value}`)].filter(Boolean).join("\n"),
    ),
    ...(poll === undefined ? [] : [[poll.question, ...poll.answers.map((answer) => `- ${answer}`)].join("\n")]),
  ];
  return blocks.filter(Boolean).join("\n\n");
}

/** Acme has no menus: each option is a button with the menu's id. */
export function buttonsOf({ interactiveElements }: RichMessage): readonly AcmeButton[] {
  return interactiveElements.flatMap((element): readonly AcmeButton[] =>
    element.kind === "buttons"
      ? element.buttons.map(({ label, customId }) => ({ id: customId ?? label, label }))
      : element.options.map(({ label, value }) => ({ id: element.customId, label, value })),
  );
}
