/** Every form that a secret may take on its way out. */
export function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const forms = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1),
    encodeURIComponent(secret),
    bytes.toString("base64"),
    bytes.toString("base64url"),
    // Within a longer text, such as Basic credentials: without the characters that the neighbours decide.
    Buffer.from(`user:${secret}`).toString("base64").slice(8, -4),
  ];
  return [...new Set(forms)];
}
