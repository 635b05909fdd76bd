// Pins that lie on each other are pushed apart, each with a line to its place. Without this script servers
// of one place are spread, and those of neighbours may overlap.
"use strict";

for (const face of document.querySelectorAll("[data-map]")) {
  const items = [...face.querySelectorAll(".map-pins > li")];
  const lines = face.querySelector(".map-lines");
  const places = items.map((item) => ({
    left: parseFloat(item.style.left) / 100,
    top: parseFloat(item.style.top) / 100,
    dx: parseFloat(item.style.getPropertyValue("--dx")),
    dy: parseFloat(item.style.getPropertyValue("--dy")),
  }));

  const spread = () => {
    const { width, height } = face.getBoundingClientRect();
    const radius = items.length ? items[0].firstElementChild.offsetWidth / 2 + 1 : 0;
    const pins = places.map((place) => ({
      x: place.left * width + place.dx,
      y: place.top * height + place.dy,
    }));
    for (let round = 0; round < 60; round += 1) {
      let moved = false;
      for (let a = 0; a < pins.length; a += 1) {
        for (let b = a + 1; b < pins.length; b += 1) {
          const far = Math.hypot(pins[b].x - pins[a].x, pins[b].y - pins[a].y);
          if (far >= radius * 2) continue;
          const push = (radius * 2 - far) / 2 + 0.1;
          const turn = far ? Math.atan2(pins[b].y - pins[a].y, pins[b].x - pins[a].x) : a + b;
          pins[a].x -= Math.cos(turn) * push;
          pins[a].y -= Math.sin(turn) * push;
          pins[b].x += Math.cos(turn) * push;
          pins[b].y += Math.sin(turn) * push;
          moved = true;
        }
      }
      for (const pin of pins) {
        pin.x = Math.min(Math.max(pin.x, radius), width - radius);
        pin.y = Math.min(Math.max(pin.y, radius), height - radius);
      }
      if (!moved) break;
    }
    lines.setAttribute("viewBox", `0 0 ${width} ${height}`);
    lines.replaceChildren();
    pins.forEach((pin, number) => {
      const item = items[number];
      const home = { x: places[number].left * width, y: places[number].top * height };
      item.style.setProperty("--dx", `${(pin.x - home.x).toFixed(1)}px`);
      item.style.setProperty("--dy", `${(pin.y - home.y).toFixed(1)}px`);
      item.classList.toggle("is-left", pin.x < 130);
      item.classList.toggle("is-right", pin.x > width - 130);
      item.classList.toggle("is-high", pin.y < 110);
      if (Math.hypot(pin.x - home.x, pin.y - home.y) > radius) {
        lines.append(drawn("line", { x1: home.x, y1: home.y, x2: pin.x, y2: pin.y }));
        lines.append(drawn("circle", { cx: home.x, cy: home.y, r: 2 }));
      }
    });
  };

  const drawn = (name, values) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(values)) made.setAttribute(key, value.toFixed(1));
    return made;
  };

  new ResizeObserver(spread).observe(face);
}
