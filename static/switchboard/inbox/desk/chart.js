// Two charts, drawn as SVG: bars of the latency, and the small line of a tile.
import { h, latencyText, now, plural, svg } from "./dom.js";

const WIDTH = 600;
const HEIGHT = 150;
const SECONDS = 600;
const STEP = 5; // seconds of one bar

/** A round number at or above the highest value, so that the scale rarely jumps. */
function scale(highest) {
  const size = 10 ** Math.floor(Math.log10(Math.max(highest, 1)));
  return [1, 1.5, 2, 3, 4, 6, 8, 10].map((step) => step * size).find((step) => step >= highest);
}

/** Seconds into bars: the highest second of each is shown, so that no slow one hides. */
function bars(points) {
  const count = SECONDS / STEP;
  const last = Math.floor(now() / 1000 / STEP);
  const found = new Map();
  for (const [at, pushes, half, , most] of points) {
    const place = count - 1 - (last - Math.floor(at / STEP));
    if (place < 0 || place >= count) continue;
    const bar = found.get(place) ?? { place, pushes: 0, half: 0, most: 0 };
    bar.pushes += pushes;
    bar.half = Math.max(bar.half, half);
    bar.most = Math.max(bar.most, most);
    found.set(place, bar);
  }
  return [...found.values()].sort((a, b) => a.place - b.place);
}

/** The whole chart into `plot`; words about it, or about the bar under the pointer, into `said`. */
export function latencyDraw(plot, said, points) {
  const shown = bars(points);
  const width = WIDTH / (SECONDS / STEP);
  const top = scale(Math.max(4, ...shown.map((bar) => bar.most)));
  const y = (ms) => HEIGHT - (ms / top) * (HEIGHT - 6);
  const pushes = shown.reduce((all, bar) => all + bar.pushes, 0);
  const slowest = Math.max(0, ...shown.map((bar) => bar.most));
  const words = pushes
    ? `Last ten minutes: ${plural(pushes, "push", "pushes")} measured, the slowest second took ${latencyText(slowest)}.`
    : "The last ten minutes. Send something to see a bar.";
  const picture = svg("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": words,
  });
  for (const part of [0.5, 1]) {
    picture.append(svg("line", { x1: 0, x2: WIDTH, y1: y(top * part), y2: y(top * part), class: "grid" }));
  }
  picture.append(svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5, class: "ground" }));
  for (const bar of shown) {
    const x = bar.place * width + width * 0.12;
    const size = { x, width: width * 0.76 };
    const tall = (ms) => ({ y: Math.min(y(ms), HEIGHT - 2), height: Math.max(HEIGHT - y(ms), 2) });
    picture.append(svg("rect", { ...size, ...tall(bar.most), class: "most" }));
    picture.append(svg("rect", { ...size, ...tall(bar.half), class: "half" }));
  }
  plot.replaceChildren(
    picture,
    h("span", { class: "peak" }, latencyText(top)),
    h("span", { class: "since" }, "10 min ago"),
    h("span", { class: "until" }, "now"),
  );
  const tell = (bar) => {
    said.textContent = bar
      ? `${plural(bar.pushes, "push", "pushes")}: half within ${latencyText(bar.half)}, 99 of 100 within ${latencyText(bar.most)}.`
      : words;
  };
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const place = ((event.clientX - box.left) / box.width) * (SECONDS / STEP);
    const near = shown.filter((bar) => Math.abs(bar.place + 0.5 - place) < 2);
    tell(near.sort((a, b) => Math.abs(a.place + 0.5 - place) - Math.abs(b.place + 0.5 - place))[0]);
  });
  picture.addEventListener("pointerleave", () => tell(null));
  if (!plot.matches(":hover")) tell(null);
}

/** A line of one value per minute; the last minute is not over yet. */
export function sparkDraw(place, values) {
  const top = Math.max(4, ...values);
  const step = 120 / (values.length - 1);
  const points = values.map((value, i) => `${(i * step).toFixed(1)},${(27 - (value / top) * 24).toFixed(1)}`);
  place.replaceChildren(svg(
    "svg", { viewBox: "0 0 120 28", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("polygon", { points: `0,28 ${points.join(" ")} 120,28` }),
    svg("polyline", { points: points.join(" ") }),
  ));
}
