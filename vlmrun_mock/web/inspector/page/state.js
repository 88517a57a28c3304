// The state of the server at a glance, and a form to arm faults.
import { $, h, size, time, toast } from "./dom.js";
import { ask, json, post } from "./data.js";
import { tree } from "./tree.js";

const NUMBERS = new Set(["Answered", "Asked", "Struck", "Requests", "Files"]);

export async function showState(openDialog) {
  const told = await json("state");
  const again = () => showState(openDialog);
  $("state").replaceChildren(
    h("div", { class: "cards" },
      h("div", { class: "column" }, fixtures(told), domains(told, openDialog)),
      h("div", { class: "column" }, faults(told, again), keys(told), webhooks(told), options(told), limits(told))));
  return told;
}

function card(title, hint, ...content) {
  return h("section", { class: "card" }, h("h2", null, title, hint && h("span", { class: "dim" }, ` ${hint}`)), content);
}

function table(columns, rows) {
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": columns.join(", ") },
    h("table", null, h("thead", null, h("tr", null, columns.map((each) => h("th", { scope: "col", class: NUMBERS.has(each) ? "number" : "" }, each)))), h("tbody", null, rows)));
}

function fixtures(told) {
  const unused = told.fixtures.filter((each) => !each.used).length;
  const hint = `${told.fixture_count}${told.folder ? ` in ${told.folder}` : ""}${unused ? `, ${unused} unused` : ""}`;
  if (!told.fixtures.length) return card("Fixtures", "", h("p", { class: "note" }, told.folder ? "The folder has no fixture yet." : "None: start with --fixtures DIR, or make one from a request."));
  const rows = told.fixtures.map((each) => h("tr", { class: each.used ? "" : "unused" },
    h("th", { scope: "row" }, each.name, each.of !== "folder" && h("span", { class: "badge" }, each.of === "key" ? "of a key" : "registered"), each.description && h("p", { class: "dim" }, each.description)),
    h("td", null, each.match.domain || "any"),
    h("td", null, each.match.documents ? String(each.match.documents.length) : "any"),
    h("td", { class: "number" }, each.used ? String(each.used) : h("span", { class: "badge warn" }, "unused"))));
  return card("Fixtures", hint, table(["Fixture", "Domain", "Documents", "Answered"], rows));
}

function domains(told, openDialog) {
  const rows = told.domains.map((each) => h("tr", null,
    h("th", { scope: "row" }, h("button", { type: "button", class: "link", onclick: () => gallery(each.name, openDialog) }, each.name)),
    h("td", { class: "dim" }, each.description),
    h("td", { class: "number" }, each.requests ? String(each.requests) : "")));
  return card("Domains", String(told.domains.length), table(["Domain", "What it reads", "Asked"], rows));
}

async function gallery(name, openDialog) {
  const told = await json(`domains/${encodeURIComponent(name)}`);
  const printed = h("div", { class: "printed" });
  openDialog(told.name, h("p", { class: "note" }, told.description), printed,
    h("h3", null, "The packaged answer"), h("div", { class: "said" }, tree(told.answer, [], () => {}).element),
    h("details", null, h("summary", null, "The schema"), h("pre", { tabindex: 0 }, JSON.stringify(told.schema, null, 2))));
  if (!told.printable) return;
  const response = await ask(`domains/${encodeURIComponent(name)}/printed`);
  if (!response.ok) return;
  const src = URL.createObjectURL(await response.blob());
  printed.append(h("img", { src, alt: `A printed document of ${told.name}`, onload: () => URL.revokeObjectURL(src) }));
}

function faults(told, again) {
  const rows = told.faults.map((each) => h("tr", null,
    h("th", { scope: "row" }, each.kind === "error" ? `error ${each.status}` : each.kind),
    h("td", null, each.domain || each.route || "any"),
    h("td", null, each.times === null ? "always" : `${each.times}×`),
    h("td", { class: "number" }, `${each.struck} of ${each.seen}`)));
  const form = h("form", { class: "arm", onsubmit: (event) => { event.preventDefault(); arm(new FormData(form), again); } },
    field("Kind", h("select", { name: "kind" }, told.fault_kinds.map((each) => h("option", null, each)))),
    field("Status", h("input", { name: "status", type: "number", min: 400, max: 599, value: "503" })),
    field("Domain", h("input", { name: "domain", type: "text", placeholder: "any", list: "domain-names", autocomplete: "off" })),
    field("Times", h("input", { name: "times", type: "number", min: 1, value: "1" })),
    field("Wait, ms", h("input", { name: "latency_ms", type: "number", min: 0, placeholder: "0" })),
    h("datalist", { id: "domain-names" }, told.domains.map((each) => h("option", { value: each.name }))),
    h("button", { type: "submit", class: "primary" }, "Arm"),
    told.faults.length ? h("button", { type: "button", class: "quiet", onclick: async () => { await json("/_mock/faults", { method: "DELETE" }); again(); } }, "Disarm all") : "");
  return card("Faults", told.faults.length ? String(told.faults.length) : "none armed", rows.length ? table(["Fault", "For", "Times", "Struck"], rows) : "", form);
}

const field = (label, input) => h("label", null, h("span", null, label), input);

async function arm(given, again) {
  const fault = { kind: given.get("kind") };
  if (fault.kind === "error" && given.get("status")) fault.status = Number(given.get("status"));
  if (given.get("domain")) fault.domain = given.get("domain");
  if (given.get("times")) fault.times = Number(given.get("times"));
  if (given.get("latency_ms")) fault.latency_ms = Number(given.get("latency_ms"));
  try {
    await post("/_mock/faults", fault);
    toast("Armed.", "good");
    again();
  } catch (error) {
    toast(error.message, "bad");
  }
}

function keys(told) {
  const rows = told.keys.map((each) => h("tr", null, h("th", { scope: "row" }, h("code", null, each.mark)), h("td", { class: "number" }, String(each.requests)), h("td", { class: "number" }, String(each.files))));
  return card("Keys", `${told.keys.length}, by a mark that tells nothing of them`, rows.length ? table(["Key", "Requests", "Files"], rows) : h("p", { class: "note" }, "No key has asked yet."));
}

function webhooks(told) {
  if (!told.webhooks.length) return "";
  const rows = told.webhooks.map((each) => h("tr", { class: each.delivered ? "" : "unused" },
    h("th", { scope: "row" }, each.subject), h("td", null, each.url), h("td", null, each.skipped || each.attempts.map((one) => `${time(one.time)} ${one.status ?? one.error}`).join(", "))));
  return card("Webhooks", String(told.webhooks.length), table(["About", "To", "Attempts"], rows));
}

function options(told) {
  const changed = told.options.filter((each) => !each.is_default);
  const shown = (list) => h("table", { class: "pairs" }, h("tbody", null, list.map((each) => h("tr", { title: each.help }, h("th", { scope: "row" }, h("code", null, each.name)), h("td", null, each.value || "–")))));
  return card("Options", `vlmrun-mock ${told.version}`,
    changed.length ? shown(changed) : h("p", { class: "note" }, "All are as they are by default."),
    h("details", null, h("summary", null, "All options"), shown(told.options)));
}

function limits(told) {
  const shown = Object.entries(told.limits).map(([name, value]) => h("tr", null, h("th", { scope: "row" }, name), h("td", null, name.startsWith("bytes") ? size(value) : String(value))));
  const kept = told.inspected ? `${size(told.kept_bytes)} of ${size(told.most_bytes)} kept for this page` : "nothing is kept for this page";
  return card("Limits", kept, h("table", { class: "pairs" }, h("tbody", null, shown)));
}
