/** Secrets out of text, by exact value: the value itself, its URL-encoded, base64 and JSON-escaped forms, within JSON in JSON too. */

const shortestSecretCharacters = 4;
/** Of one owner, with those it had before. */
const keptSecrets = 200;
const mask = "[redacted]";

/** A set of secret values with one pass over a text for all of them. Values shorter than 4 characters cannot be told from prose and are left. */
export class Redactor {
  readonly #byOwner = new Map<string, readonly string[]>();
  #pattern: RegExp | null = null;

  /** Replaces what `owner` (a runtime key, `gateway`) wants hidden. Old values of a rotated secret are kept as long as the owner lives. */
  set(owner: string, secrets: readonly string[]): void {
    const known = this.#byOwner.get(owner) ?? [];
    // The present ones first, so that many rotations of one push out no other.
    this.#byOwner.set(owner, [...new Set([...secrets, ...known])].slice(0, Math.max(secrets.length, keptSecrets)));
    this.#pattern = null;
  }

  /** Forgets an owner that is gone. */
  delete(owner: string): void {
    this.#byOwner.delete(owner);
    this.#pattern = null;
  }

  /** `text` with every secret masked. */
  redact(text: string): string {
    this.#pattern ??= compile([...this.#byOwner.values()].flat());
    return text.replace(this.#pattern, mask);
  }
}

function compile(secrets: readonly string[]): RegExp {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < shortestSecretCharacters) continue;
    const escaped = jsonEscaped(secret);
    for (const form of [secret, encodeURIComponent(secret), escaped, jsonEscaped(escaped)]) forms.add(form);
    for (const form of base64Forms(Buffer.from(secret, "utf8"))) forms.add(form);
  }
  if (forms.size === 0) return /(?!)/gu;
  // Longest first, so that a secret that contains another is masked whole.
  const sorted = [...forms].toSorted((left, right) => right.length - left.length);
  return new RegExp(sorted.map((form) => RegExp.escape(form)).join("|"), "gu");
}

function jsonEscaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

const shortestInnerCharacters = 8;

/** Alone, and within a longer text such as Basic credentials: there, what its neighbours have no part in. */
function base64Forms(bytes: Buffer): readonly string[] {
  const inner = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    const wholeCharacters = Math.floor(((offset + bytes.length) * 8) / 6);
    return text.slice(Math.ceil((offset * 8) / 6), wholeCharacters);
  });
  // Short ones are found in texts that have nothing to do with the secret.
  const standard = [bytes.toString("base64"), ...inner.filter((text) => text.length >= shortestInnerCharacters)];
  return standard.flatMap((text) => [text, text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/u, "")]);
}
