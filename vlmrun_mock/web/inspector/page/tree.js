// An answer as a tree: objects that open and close, and fields that light their boxes on the picture, and the other way.
import { h } from "./dom.js";

const SUFFIX = "_metadata";
const MOST = 3000;
const WORDS = { hi: "high confidence", med: "medium confidence", low: "low confidence" };

export function tree(value, grounded, onLight) {
  const places = new Map(grounded.map((each) => [each.pointer, each]));
  const fields = new Map();
  let left = MOST;

  function shown(name, inner, pointer, open) {
    left -= 1;
    if (left < 0) return left === -1 ? h("li", { class: "dim" }, "… more than the page shows: see the answer as it was sent") : null;
    if (inner !== null && typeof inner === "object") {
      const entries = Array.isArray(inner) ? inner.map((each, index) => [String(index), each]) : kept(inner);
      if (places.has(pointer) || entries.length === 0) return leaf(name, inner, pointer);
      const hint = Array.isArray(inner) ? `${entries.length} items` : `${entries.length} fields`;
      return h("li", null,
        h("details", { open: open },
          h("summary", null, h("span", { class: "name" }, name), h("span", { class: "dim" }, ` ${hint}`)),
          h("ul", null, entries.map(([key, each]) => shown(key, each, `${pointer}/${escaped(key)}`, open)))));
    }
    return leaf(name, inner, pointer);
  }

  function leaf(name, inner, pointer) {
    const place = places.get(pointer);
    const confidence = place?.confidence;
    const parts = [
      h("span", { class: "name" }, name),
      h("span", { class: `value ${inner === null ? "null" : typeof inner}` }, written(inner)),
      confidence && h("span", { class: `confidence ${confidence}`, title: WORDS[confidence] || confidence }, confidence === "hi" ? "" : confidence, confidence === "hi" ? h("span", { class: "hidden" }, "high") : null),
    ];
    if (!place || !place.boxes.length) return h("li", { class: `leaf ${confidence || ""}` }, parts);
    const light = (is) => () => onLight(pointer, is);
    const button = h("button", { type: "button", class: "field", onmouseenter: light(true), onmouseleave: light(false), onfocus: light(true), onblur: light(false) }, parts);
    fields.set(pointer, button);
    return h("li", { class: `leaf ${confidence || ""}` }, button);
  }

  const entries = value !== null && typeof value === "object" ? (Array.isArray(value) ? value.map((each, index) => [String(index), each]) : kept(value)) : null;
  const root = entries
    ? h("ul", { class: "tree" }, entries.map(([key, each]) => shown(key, each, `/${escaped(key)}`, true)))
    : h("p", { class: "prose" }, typeof value === "string" ? value : JSON.stringify(value));
  return {
    element: root,
    light(pointer, is) {
      const field = fields.get(pointer);
      field?.classList.toggle("lit", is);
      if (is) field?.scrollIntoView({ block: "nearest" });
    },
  };
}

const escaped = (key) => key.replaceAll("~", "~0").replaceAll("/", "~1");
const kept = (object) => Object.entries(object).filter(([key]) => !(key.endsWith(SUFFIX) && key.slice(0, -SUFFIX.length) in object));
const written = (value) => (typeof value === "string" ? value : JSON.stringify(value));
