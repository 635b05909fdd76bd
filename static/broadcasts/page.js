// The page of a broadcast that goes out: when its numbers of failures change, the list below is read again;
// when it is paused or over, what can be done with it.
"use strict";

(() => {
  const rest = document.getElementById("rest");
  if (!rest) return;
  let waiting = 0;
  document.addEventListener("progress", ({ detail: { was, now } }) => {
    if (was.stage !== now.stage) window.htmx?.trigger("#tools", "again");
    const isOther = was.stage !== now.stage || was.failed !== now.failed || was.unknown !== now.unknown || was.skipped !== now.skipped;
    if (!isOther || waiting) return;
    // Not with every message: what is read there is a page.
    waiting = setTimeout(() => {
      waiting = 0;
      window.htmx?.trigger(rest, "again");
    }, now.stage === "over" ? 100 : 2000);
  });
})();
