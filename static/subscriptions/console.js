// A button that helps may stand away from the panel that it opens.
"use strict";

for (const link of document.querySelectorAll("a[data-open]")) {
  link.addEventListener("click", (event) => {
    const panel = document.getElementById(link.dataset.open);
    if (!panel) return;
    event.preventDefault();
    event.stopPropagation(); // a click beside an open panel closes it
    panel.open = true;
    panel.scrollIntoView({ block: "nearest" });
  });
}
