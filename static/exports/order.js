// Ranges that people want most: a click fills the two fields.
for (const pill of document.querySelectorAll("[data-since]")) {
  pill.addEventListener("click", () => {
    document.querySelector("[name=since]").value = pill.dataset.since;
    document.querySelector("[name=until]").value = pill.dataset.until;
    for (const other of document.querySelectorAll("[data-since]")) other.removeAttribute("aria-current");
    pill.setAttribute("aria-current", "true");
  });
}
