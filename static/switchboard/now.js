// The start page of the admin: how old its numbers are, and what changed, said once for who cannot see it.
"use strict";

(() => {
  const LATE_S = 45; // it is drawn again every 15 s
  const root = document.getElementById("now");
  if (!root) return;
  const said = document.querySelector("[data-now-said]");
  const mark = () => root.querySelector("[data-now-at]");
  let drawn = Date.now();
  let things = mark()?.dataset.nowThings;

  const tell = () => {
    const place = mark();
    if (!place) return;
    place.dataset.said ??= place.textContent;
    const seconds = Math.round((Date.now() - drawn) / 1000);
    const isLate = seconds > LATE_S;
    place.classList.toggle("is-late", isLate);
    place.textContent = isLate
      ? `${place.dataset.said}, ${seconds} s ago: the server does not answer. It is asked again every 15 s.`
      : `${place.dataset.said}, ${seconds} s ago`;
    root.classList.toggle("is-stale", isLate);
  };

  root.addEventListener("htmx:afterSwap", () => {
    drawn = Date.now();
    const count = mark()?.dataset.nowThings;
    if (count !== things && said) {
      said.textContent = count === "0" ? "Nothing needs you now" : `${count} things need you now`;
    }
    things = count;
    tell();
  });
  // Who works on the page with the keyboard keeps the place; it is drawn again when the focus has left.
  root.addEventListener("htmx:beforeSwap", (event) => {
    if (root.contains(document.activeElement) && Date.now() - drawn < LATE_S * 1000) event.detail.shouldSwap = false;
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && Date.now() - drawn > 15_000) window.htmx?.ajax("GET", root.getAttribute("hx-get"), root);
  });
  setInterval(tell, 1000);
  tell();
})();
