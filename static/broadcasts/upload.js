// Importing a list: the beginning of the file is read here, so that a person sees its columns and says which
// is what before anything is sent. Without this the columns are found by their usual names.
"use strict";

(() => {
  const form = document.querySelector("form[data-upload]");
  if (!form) return;
  const SAMPLE = 5;
  const HEAD_BYTES = 65_536;
  const USUAL = {
    user_id: ["userid", "id", "user", "uid", "customerid", "clientid"],
    login: ["login", "username", "name", "account"],
    telegram_id: ["telegramid", "tgid", "telegram", "chatid", "tg"],
  };
  const part = (name) => form.querySelector(`[data-${name}]`);
  const input = form.querySelector("input[type=file]");
  const drop = part("drop");
  const fields = [...form.querySelectorAll("[data-field]")];

  const h = (name, properties = {}, ...children) => {
    const node = Object.assign(document.createElement(name), properties);
    node.append(...children);
    return node;
  };

  // ---- CSV: quotes, doubled quotes, line ends within quotes ----
  function rowsOf(text) {
    const head = text.slice(0, text.search(/[\r\n]|$/));
    const delimiter = [",", ";", "\t", "|"].reduce((best, each) => (head.split(each).length > head.split(best).length ? each : best));
    const rows = [];
    let row = [], cell = "", quoted = false;
    const end = () => { row.push(cell.trim()); cell = ""; };
    for (let i = 0; i < text.length && rows.length <= SAMPLE; i += 1) {
      const char = text[i];
      if (quoted) {
        if (char !== '"') cell += char;
        else if (text[i + 1] === '"') { cell += '"'; i += 1; }
        else quoted = false;
      } else if (char === '"') quoted = true;
      else if (char === delimiter) end();
      else if (char === "\n" || char === "\r") {
        end();
        if (row.some(Boolean)) rows.push(row);
        row = [];
      } else cell += char;
    }
    if (cell || row.length) { end(); if (row.some(Boolean)) rows.push(row); }
    return rows;
  }

  function guess(columns) {
    const found = {};
    for (const column of columns) {
      const plain = column.replace(/[\s_-]/g, "").toLowerCase();
      for (const [ours, names] of Object.entries(USUAL)) if (names.includes(plain) && !(ours in found)) found[ours] = column;
    }
    return found;
  }

  const size = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1000))} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

  async function look() {
    const file = input.files[0];
    part("file").textContent = file ? file.name : "Choose a CSV file, or drop it here";
    part("size").textContent = file ? `${size(file.size)}. Choose another one, or drop it here.` : "Nothing is imported before you press the button.";
    part("mapping").hidden = true;
    for (const field of fields) field.value = "";
    if (!file) return;
    let text;
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(await file.slice(0, HEAD_BYTES).arrayBuffer(), { stream: true });
    } catch {
      say("This file is not in UTF-8. Save it as “CSV UTF-8”, then choose it again.", false);
      return;
    }
    const rows = rowsOf(text.replace(/^\ufeff/, ""));
    if (!rows.length) { say("The file is empty.", false); return; }
    let [columns, ...sample] = rows;
    const found = guess(columns);
    if (!Object.keys(found).length && /^-?\d+$/.test(columns[0])) {
      // No heading: the first column holds ids, the second one, if there is one, logins.
      sample = rows.slice(0, SAMPLE);
      columns = columns.map((_, i) => ["user_id", "login"][i] ?? `column ${i + 1}`);
      Object.assign(found, { user_id: "user_id", ...(columns.length > 1 ? { login: "login" } : {}) });
    }
    draw(columns, sample.slice(0, SAMPLE), found);
  }

  function draw(columns, sample, found) {
    const chosen = columns.map((column) => Object.keys(found).find((ours) => found[ours] === column) ?? "");
    const selects = columns.map((column, place) => {
      const select = h("select", { ariaLabel: `What ${column} is` }, h("option", { value: "", textContent: "not used" }),
        ...fields.map((field) => h("option", { value: field.dataset.field, textContent: field.dataset.title })));
      select.value = chosen[place];
      select.addEventListener("change", () => {
        // A field comes from one column: taking another one frees the first.
        for (const other of selects) if (other !== select && select.value && other.value === select.value) other.value = "";
        update();
      });
      return select;
    });
    part("heads").replaceChildren(...columns.map((column, i) => h("th", {}, column, h("br"), selects[i])));
    const update = () => {
      for (const field of fields) field.value = columns[selects.findIndex((select) => select.value === field.dataset.field)] ?? "";
      part("lines").replaceChildren(...sample.map((row) => h("tr", {}, ...columns.map((_, i) =>
        h("td", { className: selects[i].value ? "is-used" : "soft", textContent: row[i] ?? "" })))));
      const named = new Set(selects.map((select) => select.value));
      const isGood = named.has("user_id") || named.has("telegram_id");
      say(isGood ? "These are the first lines. Correct the choices where they are wrong." : "Say which column holds the user id or the Telegram id.", isGood);
    };
    update();
  }

  function say(text, isGood) {
    part("mapping").hidden = false;
    part("said").textContent = text;
    part("said").classList.toggle("is-bad", !isGood);
    part("go").disabled = !isGood;
    if (!isGood && !input.files[0]) part("go").disabled = false;
  }

  input.addEventListener("change", look);
  for (const [event, on] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    drop.addEventListener(event, () => drop.classList.toggle("is-over", on));
  }
  look();
})();
