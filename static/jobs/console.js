// The console's own script: relative times that go on, live charts of queues, panels, lists.
// No library, no build step. Everything works without it, only less lively.
"use strict";

(() => {
  const root = document.querySelector(".console");
  if (!root) return;
  // The server's clock counts: that of a laptop may be wrong.
  const skew = Date.parse(root.dataset.now) - Date.now();
  const serverNow = () => Date.now() + skew;

  // ---- moments ("3 min ago"), the same words as jobs/templatetags/console.py ----
  function ago(ms) {
    const seconds = Math.round((serverNow() - ms) / 1000);
    const away = Math.abs(seconds);
    if (away < 3) return "now";
    let words = `${Math.floor(away / 86400)} d`;
    for (const [limit, size, unit] of [[90, 1, "s"], [5400, 60, "min"], [172800, 3600, "h"]]) {
      if (away < limit) { words = `${Math.floor(away / size)} ${unit}`; break; }
    }
    return seconds > 0 ? `${words} ago` : `in ${words}`;
  }
  function tick() {
    for (const time of document.querySelectorAll("time[data-ago]")) {
      const words = ago(Date.parse(time.dateTime));
      if (time.textContent !== words) time.textContent = words;
    }
  }
  setInterval(tick, 1000);

  // ---- panels of buttons: one at a time, closed by Escape or a click beside them ----
  const panels = () => document.querySelectorAll("details.act[open]");
  document.addEventListener("toggle", (event) => {
    const opened = event.target;
    if (!(opened instanceof HTMLDetailsElement) || !opened.matches("details.act") || !opened.open) return;
    for (const other of panels()) if (other !== opened) other.open = false;
    opened.querySelector(".panel :is(input:not([type=hidden]), select, textarea, button)")?.focus();
  }, true);
  document.addEventListener("click", (event) => {
    for (const open of panels()) if (!open.contains(event.target)) open.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const open of panels()) { open.open = false; open.querySelector("summary").focus(); }
  });

  // ---- a form is sent once, also by a double click ----
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  // ---- copying ----
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      const text = button.dataset.copy || location.href;
      const label = button.querySelector("[data-label]") || button;
      const before = label.textContent;
      try {
        await navigator.clipboard.writeText(text);
        label.textContent = "Copied";
      } catch {
        prompt("Copy it from here:", text);  // no clipboard without https
      }
      setTimeout(() => { label.textContent = before; }, 1500);
    });
  }

  // ---- lists: choosing rows ----
  for (const list of document.querySelectorAll("[data-choose]")) {
    const boxes = [...list.querySelectorAll("input[name=id]")];
    const all = list.querySelector("[data-choose-all]");
    const count = list.querySelector("[data-chosen]");
    const needing = list.querySelectorAll("[data-needs-chosen]");
    const update = () => {
      const chosen = boxes.filter((box) => box.checked).length;
      if (all) { all.checked = chosen > 0 && chosen === boxes.length; all.indeterminate = chosen > 0 && !all.checked; }
      if (count) count.textContent = chosen;
      for (const button of needing) button.disabled = chosen === 0;
      for (const box of boxes) box.closest("tr").classList.toggle("is-chosen", box.checked);
    };
    let last = null;
    for (const box of boxes) {
      box.addEventListener("click", (event) => {
        if (event.shiftKey && last !== null) {
          const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
          for (const between of boxes.slice(from, to + 1)) between.checked = box.checked;
        }
        last = box;
        update();
      });
    }
    all?.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; update(); });
    update();
  }

  // ---- JSON text areas: say at once where it is broken ----
  for (const area of document.querySelectorAll("textarea[data-json]")) {
    const say = area.parentElement.querySelector("[data-json-state]");
    const check = () => {
      try { JSON.parse(area.value); say.textContent = "Valid JSON"; say.className = "hint is-good"; return true; }
      catch (error) { say.textContent = `Not JSON yet: ${error.message}`; say.className = "hint is-bad"; return false; }
    };
    area.addEventListener("input", check);
    area.parentElement.querySelector("[data-json-format]")?.addEventListener("click", () => {
      if (check()) area.value = JSON.stringify(JSON.parse(area.value), null, 2);
    });
    area.addEventListener("keydown", (event) => {
      if (event.key !== "Tab" || event.shiftKey) return;
      event.preventDefault();
      area.setRangeText("  ", area.selectionStart, area.selectionEnd, "end");
    });
    check();
  }

  // ---- queues: numbers and charts ----
  const SVG = "http://www.w3.org/2000/svg";
  const WIDTH = 600, HEIGHT = 96;
  const draw = (name, attributes) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  // A round number at or above the highest value, so that the scale rarely jumps.
  function scale(highest) {
    if (highest <= 4) return 4;
    const size = 10 ** Math.floor(Math.log10(highest));
    return [1, 1.5, 2, 3, 4, 6, 8, 10].map((step) => step * size).find((step) => step >= highest);
  }
  const number = new Intl.NumberFormat("en");
  function chart(figure, queue, minuteSeconds) {
    const plot = figure.querySelector("[data-plot]");
    const minutes = queue.made.length, step = WIDTH / minutes;
    // The minute that is not over yet is drawn as what it comes to if it goes on like this, dashed.
    const whole = (values) => [...values.slice(0, -1), minuteSeconds < 5 ? values.at(-2) : (values.at(-1) * 60) / minuteSeconds];
    const made = whole(queue.made), ended = whole(queue.ended);
    const top = scale(Math.max(...made, ...ended, ...queue.failed));
    const y = (value) => HEIGHT - (value / top) * (HEIGHT - 4);
    const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img",
      "aria-label": `Last hour: ${number.format(sum(queue.made))} in, ${number.format(sum(queue.ended))} out, ${number.format(sum(queue.failed))} failed tries` });
    for (const part of [0.25, 0.5, 0.75, 1]) {
      const height = HEIGHT - part * (HEIGHT - 4);
      svg.append(draw("line", { x1: 0, x2: WIDTH, y1: height, y2: height, class: "grid" }));
    }
    // Steps, not slopes: a value is that of a whole minute.
    const corners = (values) => values.map((value, i) => `${(i * step).toFixed(1)},${y(value).toFixed(1)} ${((i + 1) * step).toFixed(1)},${y(value).toFixed(1)}`);
    const line = (values, name) => {
      const steps = corners(values);
      svg.append(draw("polyline", { points: steps.slice(0, -1).join(" "), class: name }));
      svg.append(draw("polyline", { points: `${steps.at(-2).split(" ")[1]} ${steps.at(-1)}`, class: `${name} is-open` }));
    };
    svg.append(draw("polygon", { points: `0,${HEIGHT} ${corners(ended).join(" ")} ${WIDTH},${HEIGHT}`, class: "ended" }));
    line(ended, "ended-line");
    line(made, "made-line");
    queue.failed.forEach((value, i) => {
      if (value) svg.append(draw("rect", { x: i * step + step * 0.2, width: step * 0.6, y: y(value), height: HEIGHT - y(value), class: "failed" }));
    });
    const cursor = draw("rect", { y: 0, height: HEIGHT, width: step, x: -step, class: "cursor" });
    svg.append(cursor);
    const peak = document.createElement("span");
    peak.className = "peak";
    peak.textContent = `${number.format(top)}/min`;
    plot.replaceChildren(svg, peak);
    const hover = figure.querySelector("[data-hover]");
    const show = (place) => {
      cursor.setAttribute("x", place * step);
      const at = new Date(serverNow() - (minutes - 1 - place) * 60000);
      hover.textContent = `${at.toISOString().slice(11, 16)} UTC: ${number.format(queue.made[place])} in, ${number.format(queue.ended[place])} out, ${number.format(queue.failed[place])} failed`;
      figure.dataset.place = place;
    };
    const hide = () => { cursor.setAttribute("x", -step); hover.textContent = ""; delete figure.dataset.place; };
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      show(Math.max(0, Math.min(minutes - 1, Math.floor(((event.clientX - box.left) / box.width) * minutes))));
    });
    svg.addEventListener("pointerleave", hide);
    if (figure.dataset.place !== undefined) show(Number(figure.dataset.place));
  }
  const sum = (values) => values.reduce((all, value) => all + value, 0);
  const capped = (value, most) => (value > most ? `${number.format(most)}+` : number.format(value));
  function span(seconds) {
    if (seconds < 90) return `${Math.round(seconds)} s`;
    if (seconds < 5400) return `${Math.floor(seconds / 60)} min`;
    return seconds < 172800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`;
  }
  function show(page, live) {
    for (const card of page.querySelectorAll("[data-queue]")) {
      const queue = live.queues[card.dataset.queue];
      if (!queue) continue;
      for (const cell of card.querySelectorAll("[data-live]")) {
        const name = cell.dataset.live;
        if (name === "oldest") cell.textContent = queue.oldest_s === null ? "none" : span(queue.oldest_s);
        else cell.textContent = capped(queue[name], live.counted);
        if (name === "dead") cell.closest("div").classList.toggle("is-bad", queue.dead > 0);
      }
      for (const rate of card.querySelectorAll("[data-rate]")) rate.textContent = queue.per_second[rate.dataset.rate];
      chart(card.querySelector("[data-chart]"), queue, live.minute_s);
      // Somebody else paused or resumed it: the button must say what is true.
      if (queue.is_paused !== (card.querySelector(".is-paused") !== null) && panels().length === 0) location.reload();
    }
  }
  const page = document.querySelector("[data-queues]");
  if (page) {
    show(page, JSON.parse(document.getElementById("queues-live").textContent));
    const stale = document.querySelector("[data-stale]");
    const ask = async () => {
      if (document.visibilityState !== "visible") return;
      try {
        const answer = await fetch(page.dataset.queues, { headers: { Accept: "application/json" } });
        if (answer.redirected) { location.reload(); return; }  // the session has ended
        if (!answer.ok) throw new Error(answer.status);
        show(page, await answer.json());
        stale.hidden = true;
      } catch {
        stale.hidden = false;
      }
    };
    setInterval(ask, 5000);
  }
})();
