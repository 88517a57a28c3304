// The list of requests: a thousand lines at most, each made once, hidden by the filters, laid out when it is seen.
import { $, duration, h, size, time } from "./dom.js";
import { picture } from "./data.js";

const MOST = 1000;
const FILTERS = ["q", "status", "source", "kind"];
const lines = new Map(); // id -> { row, element, words }
let chosen = null;
let waiting = [];
let paused = false;
let scheduled = false;
let loading = 0;
let choose = () => {};

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    const { id, number, identity } = entry.target.dataset;
    picture(id, number, identity).then((url) => {
      if (url) entry.target.src = url;
      else entry.target.replaceWith(placeholder("doc"));
    });
  }
});

const placeholder = (text) => h("span", { class: "thumb none", "aria-hidden": "true" }, text);

export function setUp(onChoose, onFilter) {
  choose = onChoose;
  $("rows").addEventListener("click", (event) => {
    const line = event.target.closest("[role=option]");
    if (line) choose(line.dataset.id);
  });
  $("rows").addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) {
      event.preventDefault();
      move(by);
    }
    if (event.key === "Home" || event.key === "End") {
      event.preventDefault();
      const all = visible();
      choose((event.key === "Home" ? all[0] : all.at(-1))?.row.id);
    }
  });
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("filters").addEventListener("input", () => {
    filter();
    onFilter(given());
  });
}

export function given() {
  const form = $("filters").elements;
  return Object.fromEntries(FILTERS.map((name) => [name, form[name].value.trim()]).filter(([, value]) => value));
}

export function setGiven(params) {
  for (const name of FILTERS) $("filters").elements[name].value = params.get(name) || "";
  filter();
}

// What comes while the list is loaded waits, as the loaded list may be older.
export function beginLoad() {
  loading += 1;
}

export function endLoad(rows) {
  loading -= 1;
  if (rows) load(rows);
  if (!loading && !paused) flush();
}

export function load(rows) {
  lines.clear();
  const made = rows.map((row) => made_line(row));
  for (const each of made) lines.set(each.row.id, each);
  $("rows").replaceChildren(...made.map((each) => each.element));
  filter();
  mark();
}

export function add(row) {
  waiting.push(row);
  if (paused) {
    $("pause").textContent = `Resume (${waiting.length} new)`;
    if (waiting.length > MOST) waiting.shift();
  } else if (!scheduled && !loading) {
    scheduled = true;
    requestAnimationFrame(flush);
  }
}

function flush() {
  scheduled = false;
  if (loading) return;
  const fresh = document.createDocumentFragment();
  for (const row of waiting.splice(0)) {
    const before = lines.get(row.id);
    const line = made_line(row);
    lines.set(row.id, line);
    if (before) before.element.replaceWith(line.element);
    else fresh.prepend(line.element);
    line.element.hidden = !wanted(line);
  }
  const list = $("rows");
  list.prepend(fresh);
  while (list.childElementCount > MOST) {
    lines.delete(list.lastElementChild.dataset.id);
    list.lastElementChild.remove();
  }
  mark();
  count();
}

export function setPaused(is) {
  paused = is;
  $("pause").textContent = is ? "Resume" : "Pause";
  $("pause").setAttribute("aria-pressed", String(is));
  if (!is) flush();
}

export const isPaused = () => paused;
export const has = (id) => lines.has(id);

const visible = () => [...$("rows").children].filter((each) => !each.hidden).map((each) => lines.get(each.dataset.id));

export function move(by) {
  const all = visible();
  const at = all.findIndex((line) => line.row.id === chosen);
  const next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))];
  if (next) choose(next.row.id);
}

export function setChosen(id) {
  chosen = id;
  mark();
  lines.get(id)?.element.scrollIntoView({ block: "nearest" });
}

function mark() {
  const list = $("rows");
  list.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
  const line = lines.get(chosen);
  line?.element.setAttribute("aria-selected", "true");
  if (line) list.setAttribute("aria-activedescendant", line.element.id);
  else list.removeAttribute("aria-activedescendant");
}

function wanted({ row, words }) {
  const { q, status, source, kind } = given();
  if (kind && row.kind !== kind) return false;
  if (status && String(Math.floor(row.status / 100)) !== status) return false;
  if (source && (row.source || "none") !== source) return false;
  return !q || q.toLowerCase().split(/\s+/).every((word) => words.includes(word));
}

function filter() {
  for (const line of lines.values()) line.element.hidden = !wanted(line);
  count();
}

function count() {
  const shown = [...lines.values()].filter((line) => !line.element.hidden).length;
  $("count").textContent = shown === lines.size ? String(lines.size) : `${shown} of ${lines.size}`;
  const empty = $("empty");
  empty.hidden = shown > 0;
  if (!shown) empty.replaceChildren(...(lines.size ? [h("p", null, "No request is like this.")] : waitingForRequests()));
}

function waitingForRequests() {
  const base = location.origin;
  return [
    h("h2", null, "Waiting for the first request"),
    h("p", null, "Point your application here:"),
    h("pre", { tabindex: 0 }, `export OPENAI_BASE_URL=${base}/v1/openai\nexport VLMRUN_BASE_URL=${base}/v1\nexport VLMRUN_API_KEY=local`),
    h("p", null, "Or drop a document anywhere to make a fixture for it."),
  ];
}

export function family(status) {
  return status === 0 ? "cut" : status < 400 ? "good" : status < 500 ? "warn" : "bad";
}

function made_line(row) {
  const documents = row.documents.map((each, number) => thumbnail(row, each, number));
  const named = row.documents[0];
  const about = named
    ? [named.filename || (named.media_type || named.kind).split("/").pop(), named.width ? `${named.width}×${named.height}` : "", size(named.size)].filter(Boolean).join(" · ")
    : "no document";
  const more = row.document_count > 1 ? ` +${row.document_count - 1}` : "";
  const badges = [
    row.kind !== "chat" && h("span", { class: "badge kind" }, row.kind),
    row.fault && h("span", { class: "badge bad" }, `fault: ${row.fault}`),
    row.missed && h("span", { class: "badge warn" }, "no fixture"),
    row.error && !row.missed && h("span", { class: "badge warn" }, row.error),
    row.source && h("span", { class: `badge ${row.fixture === `${row.domain}/answer.json` ? "packaged" : row.source}` }, row.fixture && row.source === "fixture" ? row.fixture : row.source),
  ];
  const element = h(
    "div",
    { class: "row", role: "option", id: `row-${row.id}`, "aria-selected": "false", data: { id: row.id } },
    h("span", { class: `status ${family(row.status)}` }, row.status || "cut"),
    h("span", { class: "thumbs" }, documents.length ? documents : placeholder("–")),
    h("span", { class: "what" },
      h("span", { class: "domain" }, row.domain || (row.schema ? "own schema" : "no domain"), row.domain && row.schema ? h("span", { class: "dim" }, " + schema") : null),
      h("span", { class: "about" }, about + more),
      h("span", { class: "badges" }, badges)),
    h("span", { class: "figures" },
      h("time", { datetime: new Date(row.time * 1000).toISOString() }, time(row.time)),
      h("span", null, duration(row.seconds)),
      row.tokens && h("span", { title: "tokens: prompt + completion" }, `${row.tokens[0]}+${row.tokens[1]} tok`)),
  );
  const words = [row.id, row.domain, row.model, row.fixture, row.source, row.error, row.fault, row.kind, row.status, row.key, ...row.notes,
    ...row.documents.flatMap((each) => [each.filename, each.identity, each.media_type])].filter((each) => each !== null).join(" ").toLowerCase();
  return { row, element, words };
}

function thumbnail(row, given, number) {
  if (!given.pictured) {
    return placeholder(given.identity.startsWith("http") ? "url" : (given.media_type || "doc").split("/").pop().slice(0, 4));
  }
  const image = h("img", { class: "thumb", alt: "", data: { id: row.id, number, identity: given.identity } });
  seen.observe(image);
  return image;
}
