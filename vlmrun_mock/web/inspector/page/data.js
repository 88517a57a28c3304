// What the page asks of its own server, with the key if one is needed; nothing else is ever asked.

const KEY = "vlmrun-mock-key";
const BASE = "/_mock/inspector/";
let whenKeyNeeded = () => {};

export const onKeyNeeded = (call) => (whenKeyNeeded = call);
export const setKey = (key) => sessionStorage.setItem(KEY, key);

function headers(more) {
  const key = sessionStorage.getItem(KEY);
  return { ...(key ? { Authorization: `Bearer ${key}` } : {}), ...more };
}

export async function ask(path, options = {}) {
  const url = path.startsWith("/") ? path : BASE + path;
  const response = await fetch(url, { ...options, headers: headers(options.headers) });
  if (response.status === 401) whenKeyNeeded();
  return response;
}

export async function json(path, options) {
  const response = await ask(path, options);
  const data = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(reason(data) || `The server answers ${response.status}`);
  return data;
}

function reason(data) {
  if (Array.isArray(data.detail)) return data.detail.map((each) => `${each.loc.slice(1).join(".")}: ${each.msg}`).join("; ");
  return data.error?.message || (typeof data.detail === "string" ? data.detail : "");
}

export const post = (path, data) =>
  json(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(data) });

// Pictures are fetched with the key, and kept for a while under what identifies them.
const pictures = new Map();
const MOST_PICTURES = 80;

export function picture(id, number, identity, page = 0) {
  const name = `${identity}#${page}`;
  if (!pictures.has(name)) {
    const path = `requests/${encodeURIComponent(id)}/documents/${number}?page=${page}`;
    const loaded = ask(path).then(async (response) => (response.ok ? URL.createObjectURL(await response.blob()) : null));
    pictures.set(name, loaded);
    if (pictures.size > MOST_PICTURES) {
      const [oldest, gone] = pictures.entries().next().value;
      pictures.delete(oldest);
      gone.then((url) => setTimeout(() => url && URL.revokeObjectURL(url), 60_000));
    }
    loaded.then((url) => url === null && pictures.delete(name));
  }
  return pictures.get(name);
}

// EventSource cannot send a key, so the events are read from an answer that goes on.
export async function listen(handlers) {
  for (;;) {
    try {
      const response = await ask("events");
      if (response.status === 409) return handlers.off();
      if (response.ok) {
        handlers.on();
        await readEvents(response.body.getReader(), handlers);
      }
    } catch {
      // The server has gone, or comes back: another try follows.
    }
    handlers.lost();
    await new Promise((resolve) => setTimeout(resolve, 1500));
  }
}

async function readEvents(reader, handlers) {
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += decoder.decode(value, { stream: true });
    const events = rest.split("\n\n");
    rest = events.pop();
    for (const each of events) {
      const found = /^event: (\w+)\ndata: (.*)$/s.exec(each);
      if (found) handlers[found[1]]?.(JSON.parse(found[2]));
    }
  }
}
