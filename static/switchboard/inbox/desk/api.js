// REST of this site, as the person who looks at the page.

/** The server said no: `message` is for people, `code` for programs. */
export class Refusal extends Error {
  constructor(status, problem) {
    const fields = (problem.errors ?? []).map((each) => `${each.field}: ${each.message}`);
    super(fields.length ? fields.join("; ") : problem.detail ?? `The server answers ${status}.`);
    Object.assign(this, { status, code: problem.code ?? "", retryAfter: 0 });
  }
}

const csrf = document.querySelector(".desk").dataset.csrf;

/** The answer's JSON. Throws Refusal, or Error when nobody answers. */
export async function call(method, path, body, headers = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: {
        Accept: "application/json",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(method === "GET" ? {} : { "X-CSRFToken": csrf }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Error("The server does not answer. It may be restarting; try again in a moment.");
  }
  const text = await answer.text();
  let content = {};
  try {
    content = text ? JSON.parse(text) : {};
  } catch {
    content = { detail: `The server answers ${answer.status}, with something that is not JSON.` };
    if (answer.ok) throw new Refusal(answer.status, content);
  }
  if (!answer.ok) throw new Refusal(answer.status, content);
  return content;
}

/** A key for Idempotency-Key. crypto.randomUUID() is there on https only. */
export function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
