// Forms with two ways: now or at a time, delete or edit. The fields of the second are shown when it is chosen.
"use strict";

(() => {
  const form = document.querySelector("form[data-send], form[data-recall]");
  if (!form) return;
  const ways = [...form.querySelectorAll("input[type=radio]")];
  const later = form.querySelector("[data-later]");
  const update = () => {
    const second = ways.at(-1).checked;
    later.hidden = !second;
    form.querySelector("[data-now]").hidden = second;
    form.querySelector("[data-then]").hidden = !second;
  };
  for (const radio of ways) radio.addEventListener("change", update);
  update();

  // ---- the time there, as what it means here and in UTC ----
  const zone = form.querySelector("[data-zone]");
  if (!zone) return;
  const at = form.elements.at;
  const said = form.querySelector("[data-said]");
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone.value === "UTC" && !at.value && [...document.querySelectorAll("#zones option")].some((option) => option.value === here)) zone.value = here;

  // The moment at which the clocks of a zone show that time: guess, look what they show, correct.
  function momentOf(local, name) {
    const wanted = Date.parse(`${local}Z`);
    let guess = wanted;
    for (let i = 0; i < 3; i += 1) {
      const shown = new Date(guess).toLocaleString("sv-SE", { timeZone: name, hourCycle: "h23" }).replace(" ", "T");
      guess += wanted - Date.parse(`${shown}Z`);
    }
    return guess;
  }
  const say = () => {
    said.textContent = "";
    if (!at.value) return;
    try {
      const moment = momentOf(at.value.slice(0, 16), zone.value);
      const minutes = Math.round((moment - Date.now()) / 60000);
      const away = minutes < 0 ? "which is over" : minutes < 90 ? `in ${minutes} min` : minutes < 2880 ? `in ${Math.round(minutes / 60)} h` : `in ${Math.round(minutes / 1440)} d`;
      const utc = new Date(moment).toISOString().slice(0, 16).replace("T", " ");
      const mine = here === zone.value ? "" : `, ${new Date(moment).toLocaleString([], { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" })} where you are`;
      said.textContent = `That is ${utc} UTC${mine}, ${away}.`;
    } catch {
      said.textContent = "This is no time zone that is known here.";
    }
  };
  for (const field of [at, zone]) field.addEventListener("input", say);
  say();
})();
