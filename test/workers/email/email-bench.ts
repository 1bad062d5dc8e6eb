/** A mailbox with the adapter under test. */
import { AdapterBench } from "../../conformance/adapter-bench.ts";
import { type EmailOptions, EmailPlatform } from "../../emulators/email/platform.ts";

/** Both, and their end. */
export type EmailBench = AsyncDisposable & { readonly email: EmailPlatform; readonly bench: AdapterBench };

/** A mailbox with a running adapter; `before` sets the mailbox up. */
export async function startEmail(
  options: EmailOptions & {
    readonly policy?: Parameters<typeof AdapterBench.start>[1];
    readonly before?: (email: EmailPlatform) => Promise<void>;
  } = {},
): Promise<EmailBench> {
  const email = await EmailPlatform.start(options);
  try {
    await options.before?.(email);
    const bench = await AdapterBench.start(email, options.policy);
    return {
      email,
      bench,
      async [Symbol.asyncDispose]() {
        await bench[Symbol.asyncDispose]();
        await email[Symbol.asyncDispose]();
      },
    };
  } catch (reason) {
    await email[Symbol.asyncDispose]();
    throw reason;
  }
}

/** A mail as bytes: `fields` are header lines without ends. */
export function mailOf(fields: readonly string[], body: string): Buffer {
  return Buffer.from(`${fields.join("\r\n")}\r\n\r\n${body}\r\n`, "latin1");
}

/** The plainest header, with a Message-ID of its own. */
export function plainHeader(id: string, ...more: readonly string[]): readonly string[] {
  return ["From: Ann <ann@people.example>", `Message-ID: <${id}@people.example>`, `Subject: ${id}`, ...more];
}
