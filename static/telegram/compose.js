// The picture beside the text that is being written. The server draws it, by the rules that also
// decide whether Telegram takes the text; without this script it is drawn when the form is sent.
"use strict";

(() => {
  const form = document.querySelector("form[data-preview]");
  if (!form) return;
  const body = form.querySelector("[data-body]");
  const count = form.querySelector("[data-count]");
  const notes = form.querySelector("[data-notes]");
  const notice = (tone, icon, text) => {
    const line = document.createElement("p");
    line.className = `notice ${tone}`;
    line.style.marginTop = ".6rem";
    const sign = document.createElement("span");
    sign.className = "material-symbols-outlined";
    sign.setAttribute("aria-hidden", "true");
    sign.textContent = icon;
    const words = document.createElement("span");
    words.textContent = text;
    line.append(sign, words);
    return line;
  };
  let latest = 0;
  const draw = async () => {
    const turn = ++latest;
    const sent = new FormData();
    for (const name of ["csrfmiddlewaretoken", "message", "parse_mode"]) sent.append(name, form.elements[name].value);
    let shown;
    try {
      const answer = await fetch(form.dataset.preview, { method: "POST", body: sent });
      if (!answer.ok || answer.redirected) throw new Error(answer.status);
      shown = await answer.json();
    } catch {
      if (turn === latest) notes.replaceChildren(notice("is-warning", "cloud_off", "The picture is old: the server does not answer."));
      return;
    }
    if (turn !== latest) return;  // a later text was drawn meanwhile
    const isEmpty = form.elements.message.value.trim() === "";
    body.innerHTML = shown.body;  // written by the server from a list of tags, every text escaped
    count.textContent = shown.length === null ? "" : `${shown.length} of ${shown.limit} characters`;
    count.classList.toggle("is-bad", shown.length > shown.limit);
    notes.replaceChildren(
      ...(shown.error && !isEmpty ? [notice("is-error", "error", shown.error)] : []),
      ...(shown.note ? [notice("is-warning", "info", shown.note)] : []),
    );
    const field = form.elements.message.closest(".field");
    for (const old of field.querySelectorAll(".error")) old.remove();  // said of an earlier text
    field.classList.toggle("is-wrong", Boolean(shown.error) && !isEmpty);
  };
  let timer;
  form.addEventListener("input", (event) => {
    if (!["message", "parse_mode"].includes(event.target.name)) return;
    clearTimeout(timer);
    timer = setTimeout(draw, 200);
  });
})();
