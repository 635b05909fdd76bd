// The segment builder: rows of field, comparison and value, written as JSON into the field that is sent.
// Without it that field is shown as it is.
"use strict";

(() => {
  const form = document.querySelector("form.compose");
  if (!form?.querySelector("[data-builder]")) return; // of one that is paused only the texts are edited

  // ---- only the part of the chosen kind of audience is shown ----
  const kinds = [...form.querySelectorAll("input[name=audience_type]")];
  const showKind = () => {
    const chosen = kinds.find((radio) => radio.checked)?.value;
    for (const part of form.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== chosen;
  };
  for (const radio of kinds) radio.addEventListener("change", showKind);
  showKind();

  // ---- the builder ----
  const builder = form.querySelector("[data-builder]");
  const known = JSON.parse(document.getElementById("segment-fields").textContent);
  const list = builder.querySelector("[data-rows]");
  const sent = builder.querySelector("textarea[name=conditions]");
  builder.querySelector("[data-raw]").hidden = true;

  const h = (name, properties = {}, ...children) => {
    const node = Object.assign(document.createElement(name), properties);
    node.append(...children);
    return node;
  };
  const options = (pairs, chosen) => pairs.map(([value, title]) => h("option", { value, textContent: title, selected: value === chosen }));

  const write = () => {
    sent.value = JSON.stringify([...list.children].map((row) => row.read()));
    builder.dispatchEvent(new Event("segment", { bubbles: true }));
  };

  // The control for a value, and how it is read: by the form that the field asks for.
  function valueOf(field, value) {
    if (field.form === "flag") {
      const select = h("select", { ariaLabel: "Value" }, ...options([["yes", "yes"], ["no", "no"]], value === false ? "no" : "yes"));
      return [select, () => select.value === "yes"];
    }
    if (field.form === "number") {
      const input = h("input", { type: "number", min: 0, step: 1, value: value ?? 1, ariaLabel: "Value" });
      return [input, () => (input.value === "" ? null : Number(input.value))];
    }
    if (field.form === "moment") {
      const input = h("input", { type: "datetime-local", ariaLabel: "Moment (UTC)", title: "UTC", value: value ? String(value).slice(0, 16) : "" });
      return [h("span", { className: "moment-utc" }, input, h("span", { className: "soft", textContent: "UTC" })), () => (input.value ? `${input.value}:00Z` : null)];
    }
    const chosen = new Set(Array.isArray(value) ? value : []);
    if (field.choices.length) {
      const boxes = field.choices.map((choice) => {
        const box = h("input", { type: "checkbox", value: choice.value, checked: chosen.has(choice.value) });
        return [box, h("label", { className: "choice" }, box, ` ${choice.title}`)];
      });
      return [h("span", { className: "choices" }, ...boxes.map(([, label]) => label)), () => boxes.filter(([box]) => box.checked).map(([box]) => box.value)];
    }
    const input = h("input", { type: "text", value: [...chosen].join(", "), placeholder: "words, with commas between them", ariaLabel: "Value" });
    return [input, () => input.value.split(",").map((word) => word.trim()).filter(Boolean)];
  }

  function add(one = {}) {
    let field = known.find((each) => each.name === one.field) ?? known[0];
    let read;
    const fields = h("select", { ariaLabel: "Field" }, ...options(known.map((each) => [each.name, each.title]), field.name));
    const ways = h("select", { ariaLabel: "Comparison" });
    const place = h("span", { className: "condition-value" });
    const away = h("button", { type: "button", className: "button small", ariaLabel: "Take this condition out" });
    away.append(h("span", { className: "material-symbols-outlined", textContent: "close" }));
    const row = h("li", { className: "condition" }, fields, ways, place, away);
    const draw = (op, value) => {
      ways.replaceChildren(...options(field.operations.map((each) => [each.name, each.title]), op));
      ways.hidden = field.operations.length < 2 && field.form === "flag";
      const [control, reading] = valueOf(field, value);
      read = reading;
      place.replaceChildren(control);
    };
    fields.addEventListener("change", () => { field = known.find((each) => each.name === fields.value); draw(); write(); });
    away.addEventListener("click", () => {
      const next = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      write();
      (next?.querySelector("select") ?? builder.querySelector("[data-add]")).focus();
    });
    row.read = () => ({ field: field.name, op: ways.value, value: read() });
    draw(one.op, one.value);
    list.append(row);
    return row;
  }

  let given = [];
  try { given = JSON.parse(sent.value || "[]"); } catch { builder.querySelector("[data-raw]").hidden = false; }
  for (const one of Array.isArray(given) ? given : []) add(one);
  builder.querySelector("[data-add]").addEventListener("click", () => { add().querySelector("select").focus(); write(); });
  list.addEventListener("input", write);
  list.addEventListener("change", write);
  for (const radio of kinds) {
    radio.addEventListener("change", () => {
      if (radio.value === "segment" && radio.checked && !list.children.length) { add(); write(); }
    });
  }
})();
