/** The commands about messages: sending one, and those that no consumer could handle. */
import type { Command } from "commander";
import { wholeSeconds, type Run } from "./command-run.ts";
import { dropDeadLetter, listDeadLetters, retryDeadLetters, showDeadLetter } from "./dead-letters.ts";
import { send } from "./send.ts";

/** Adds `send` and `dead-letters`. */
export function messageCommands(program: Command, run: Run): void {
  program
    .command("send")
    .argument("<target>", "KEY/ADDRESS, such as webhook/conversation-1")
    .argument("<text>")
    .option("--no-wait", "do not wait for the receipt")
    .option("--timeout <seconds>", "how long to wait for it", "60")
    .option("--idempotency-key <key>", "the same key again sends nothing")
    .description("send a text through the outbox")
    .action((target: string, text: string, options: { wait: boolean; timeout: string; idempotencyKey?: string }) =>
      run((context) =>
        send(context, {
          target,
          text,
          idempotencyKey: options.idempotencyKey ?? null,
          waitMs: options.wait ? wholeSeconds(options.timeout) * 1000 : 0,
        }),
      ),
    );
  const deadLetters = program.command("dead-letters").description("messages no consumer could handle");
  deadLetters
    .command("list")
    .description("all of them")
    .action(() => run(listDeadLetters));
  deadLetters
    .command("show")
    .argument("<id>")
    .description("one, with its message")
    .action((id: string) => run((context) => showDeadLetter(context, id)));
  deadLetters
    .command("retry")
    .argument("[id]")
    .option("--all", "every one of them")
    .description("hand it to its consumer again")
    .action((id: string | undefined, { all }: { all?: true }) =>
      run((context) => retryDeadLetters(context, { id, all: all === true })),
    );
  deadLetters
    .command("drop")
    .argument("<id>")
    .description("forget it")
    .action((id: string) => run((context) => dropDeadLetter(context, id)));
}
