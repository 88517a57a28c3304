// One request: its document beside its answer, and tabs for what went over the wire and why.
import { code, duration, h, time } from "./dom.js";
import { editor } from "./editor.js";
import { family } from "./list.js";
import { tree } from "./tree.js";
import { ofRequest, viewer } from "./viewer.js";

export function detail(data, { tab, onTab, onClose }) {
  const { row } = data;
  const names = tabs(data);
  const panel = h("div", { class: "panel", role: "tabpanel", id: "panel", tabindex: 0 });
  const bar = h("div", { class: "tabs", role: "tablist", "aria-label": "What of the request" });

  function show(name, focus = false) {
    const key = names.some(([each]) => each === name) ? name : names[0][0];
    for (const each of bar.children) {
      const is = each.dataset.tab === key;
      each.setAttribute("aria-selected", String(is));
      each.tabIndex = is ? 0 : -1;
      if (is && focus) each.focus();
      if (is) panel.setAttribute("aria-labelledby", each.id);
    }
    panel.replaceChildren(...[names.find(([each]) => each === key)[2]()].flat(Infinity).filter(Boolean));
    panel.classList.toggle("wide", key === "answer" || key === "fixture");
    onTab(key);
  }

  bar.append(...names.map(([key, label]) => h("button", { type: "button", role: "tab", id: `tab-${key}`, "aria-controls": "panel", data: { tab: key }, onclick: () => show(key) }, label)));
  bar.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const at = names.findIndex(([each]) => each === document.activeElement.dataset.tab);
    show(names[(at + by + names.length) % names.length][0], true);
  });
  const make = h("button", { type: "button", class: "primary", id: "make", onclick: () => show("fixture") }, "Make a fixture");
  const head = h("header", { class: "head" },
    h("button", { type: "button", class: "quiet back", onclick: onClose }, "‹ Requests"),
    h("div", { class: "title" },
      h("h2", null, h("span", { class: `status ${family(row.status)}` }, row.status || "cut"), row.domain || (row.schema ? "own schema" : "no domain")),
      h("p", { class: "facts" }, facts(data).map((each) => h("span", null, each)))),
    make);
  const element = h("div", { class: "request" }, head, reason(data), bar, panel);
  show(tab);
  return element;
}

function facts({ row, entry }) {
  return [
    row.id,
    row.kind === "chat" ? "chat completion" : row.kind,
    entry.model,
    time(row.time),
    duration(row.seconds),
    row.tokens && `${row.tokens[0]} + ${row.tokens[1]} tokens`,
    row.source && `from ${row.source}${row.fixture ? ` ${row.fixture}` : ""}`,
    row.key && `key ${row.key}`,
  ].filter(Boolean);
}

function reason({ row, entry }) {
  const lines = [
    entry.message && h("p", null, h("strong", null, `${entry.error}: `), entry.message),
    row.fault && h("p", null, h("strong", null, "Injected failure: "), row.fault),
    ...entry.notes.filter((note) => !entry.message || !note.includes(entry.message.slice(0, 40))).map((note) => h("p", null, note)),
  ].filter(Boolean);
  return lines.length ? h("div", { class: `reason ${row.missed || row.error ? "warn" : ""}` }, lines) : "";
}

function tabs(data) {
  const found = [
    ["answer", "Answer", () => answer(data)],
    ["request", "Request", () => kept(data, () => body(data.request.body, data.request.text, "The request as it was sent"))],
    ["response", "Response", () => kept(data, () => body(data.answer.body, data.answer.text, "The answer as it was sent"))],
    ["headers", "Headers", () => kept(data, () => [headers("Request", `${data.request.method} ${data.request.path}`, data.request.headers), headers("Answer", String(data.row.status), data.answer.headers)])],
    ["schema", "Schema", () => schema(data)],
    ["match", "Match", () => match(data)],
    ["findings", data.findings.length ? `Findings (${data.findings.length})` : "Findings", () => findings(data)],
  ];
  if (data.answer?.chunks.length) found.push(["stream", "Stream", () => stream(data)]);
  if (data.webhooks.length || data.reads.length) found.push(["job", "Job", () => job(data)]);
  found.push(["call", "Call", () => call(data)], ["fixture", "Fixture", () => editor({ id: data.row.id, draft: data.draft, documents: data.documents, load: ofRequest(data.row.id) })]);
  return found;
}

const kept = (data, show) => (data.kept ? show() : h("p", { class: "note" }, data.why));

function answer(data) {
  let shown;
  const view = viewer(data.documents, data.boxes, ofRequest(data.row.id), light);
  function light(pointer, is) {
    view.light(pointer, is);
    shown?.light(pointer, is);
  }
  let side;
  if (!data.kept) side = h("p", { class: "note" }, data.why);
  else if (!data.answer.has_content) side = body(data.answer.body, data.answer.text, "The answer as it was sent");
  else {
    shown = tree(data.answer.content, data.boxes, light);
    side = [legend(data.boxes), shown.element];
  }
  return h("div", { class: "beside" }, view.element, h("div", { class: "said", tabindex: 0, role: "region", "aria-label": "The answer as a tree" }, side));
}

function legend(boxes) {
  const counts = { hi: 0, med: 0, low: 0 };
  for (const each of boxes) if (each.confidence in counts) counts[each.confidence] += 1;
  if (!boxes.length) return "";
  const drawn = boxes.some((each) => each.boxes.length);
  return h("p", { class: "legend" },
    ["hi", "med", "low"].map((name) => h("span", { class: `confidence-key ${name}` }, `${counts[name]} ${{ hi: "high", med: "medium", low: "low" }[name]}`)),
    drawn && h("span", { class: "dim" }, "point at a field or a box"));
}

function body(value, text, label) {
  return code(value === null || value === undefined ? text || "(no body)" : JSON.stringify(value, null, 2), label);
}

function headers(title, line, pairs) {
  return h("section", null, h("h3", null, title), h("p", { class: "line" }, h("code", null, line)),
    h("table", { class: "pairs" }, h("tbody", null, pairs.map(([name, value]) => h("tr", null, h("th", { scope: "row" }, name), h("td", null, value))))));
}

function schema(data) {
  if (!data.schema) return h("p", { class: "note" }, "Neither the request nor its domain has a schema.");
  return [h("p", { class: "note" }, `The schema of ${data.schema.of}, which the answer follows.`), code(JSON.stringify(data.schema.schema, null, 2), "The schema")];
}

function match(data) {
  const near = data.nearest;
  if (!near) return h("p", { class: "note" }, "The body could not be read as a request.");
  if (near.answers_now) {
    const same = near.answers_now === data.row.fixture;
    return h("p", { class: "note good" }, same ? "The fixture " : "It was not answered by it then, but now the fixture ", h("strong", null, near.answers_now), same ? " matches: there is no difference." : " matches.");
  }
  if (!near.nearest) return h("p", { class: "note" }, "No fixture of yours is loaded, so there is none to compare with.");
  return [
    h("p", { class: "note" }, "The nearest of ", String(near.fixtures), " is ", h("strong", null, near.nearest), ". It would match if:"),
    h("table", { class: "differences" },
      h("caption", { class: "hidden" }, "The differences to the nearest fixture"),
      h("thead", null, h("tr", null, ["Part", "The fixture wants", "The request has", "In words"].map((each) => h("th", { scope: "col" }, each)))),
      h("tbody", null, near.differences.map((each) => h("tr", null,
        h("th", { scope: "row" }, each.part),
        h("td", { class: "wanted" }, h("code", null, shortly(each.expected))),
        h("td", { class: "got" }, h("code", null, shortly(each.actual))),
        h("td", null, each.message))))),
  ];
}

const shortly = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 1) ?? "nothing");

function findings(data) {
  if (!data.findings.length) return h("p", { class: "note good" }, "There is nothing to find fault with in how the client handled this.");
  return h("ul", { class: "findings" }, data.findings.map((each) => h("li", { class: "warn" }, h("code", null, each.code), ` ${each.message}`, each.requests.length > 1 && h("p", { class: "dim" }, each.requests.join(", ")))));
}

function stream(data) {
  const chunks = data.answer.chunks;
  const last = Math.max(...chunks.map((each) => each.seconds), 0.001);
  const marks = chunks.map((each, index) => {
    const mark = h("span", { class: `tick ${each.is_end ? "end" : ""}`, title: `${index + 1}: ${duration(each.seconds)}` });
    mark.style.left = `${(each.seconds / last) * 100}%`;
    return mark;
  });
  return [
    h("p", { class: "note" }, `${chunks.length} chunks, the first after ${duration(chunks[0].seconds)}, the last after ${duration(last)}.`),
    h("div", { class: "timeline", role: "img", "aria-label": `A time line of ${chunks.length} chunks` }, marks),
    h("table", { class: "chunks" },
      h("thead", null, h("tr", null, ["#", "After", "Since the last", "Bytes", "Text"].map((each) => h("th", { scope: "col" }, each)))),
      h("tbody", null, chunks.slice(0, 1000).map((each, index) => h("tr", null,
        h("td", null, String(index + 1)), h("td", null, duration(each.seconds)), h("td", null, duration(index ? each.seconds - chunks[index - 1].seconds : 0)),
        h("td", null, String(each.bytes)), h("td", null, h("code", null, each.is_end ? "[DONE]" : each.text || "–")))))),
  ];
}

function job(data) {
  return [
    h("section", null, h("h3", null, "Readings"), data.reads.length
      ? h("table", { class: "pairs" }, h("tbody", null, data.reads.map((each) => h("tr", null, h("th", { scope: "row" }, time(each.time)), h("td", null, each.status)))))
      : h("p", { class: "note" }, "It was not read.")),
    data.webhooks.map((each) => h("section", null, h("h3", null, "Webhook"),
      h("p", { class: `note ${each.delivered ? "good" : "warn"}` }, `${each.delivered ? "Delivered" : "Not delivered"} to `, h("code", null, each.url), each.skipped ? `: ${each.skipped}` : ""),
      each.fault && h("p", { class: "note warn" }, `Injected failure: ${each.fault}`),
      h("table", { class: "pairs" }, h("tbody", null, each.attempts.map((one) => h("tr", null, h("th", { scope: "row" }, time(one.time)), h("td", null, one.status === null ? one.error : String(one.status)))))),
      each.body && code(pretty(each.body), "The body of the webhook"))),
  ];
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function call(data) {
  if (!data.calls) return h("p", { class: "note" }, data.why || "The body is no JSON.");
  return [["curl", "curl"], ["python", "Python"], ["javascript", "JavaScript"]].map(([key, label]) => h("section", null, h("h3", null, label), code(data.calls[key], `The call in ${label}`)));
}

