// The charts: a line with its area, or columns. Drawn as SVG, told by a sentence, read by pointer or arrow keys.
import { h, svg } from "../switchboard/inbox/desk/dom.js";
import { clockText } from "./words.js";

const WIDTH = 600;
const HEIGHT = 130;
const TOP = 8; // px that stay free above the highest value

/** A round number at or above the highest value, so that the scale rarely jumps. */
export function scale(highest) {
  if (!(highest > 0)) return 1;
  const size = 10 ** Math.floor(Math.log10(highest));
  return [1, 1.5, 2, 3, 4, 6, 8, 10].map((step) => step * size).find((step) => step >= highest * 0.999);
}

/**
 * Draw into a <figure class="chart">.
 *
 * points: [{at: unix seconds, value: number or null}]; from and to: unix seconds of the edges; everyS: the
 * width of a column, and the longest way between two points that belong together. form: "line" or "bars".
 * text(value) says a value; empty: what to say where nobody knows anything.
 */
export function chartDraw(figure, { points, from, to, everyS, form, text, empty, when }) {
  const plot = figure.querySelector(".plot");
  const said = figure.querySelector("output");
  const known = points.filter((point) => point.value !== null && point.at >= from - everyS);
  const top = scale(Math.max(...known.map((point) => point.value), 0));
  const x = (at) => ((at - from) / (to - from)) * WIDTH;
  const y = (value) => HEIGHT - (value / top) * (HEIGHT - TOP);
  const last = known.at(-1);
  const words = last ? `${text(last.value)} now, ${text(Math.max(...known.map((point) => point.value)))} at most` : empty;
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": words });
  for (const part of [0.5, 1]) picture.append(svg("line", { x1: 0, x2: WIDTH, y1: y(top * part), y2: y(top * part), class: "grid" }));
  picture.append(svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5, class: "ground" }));
  if (form === "bars") {
    const width = (everyS / (to - from)) * WIDTH;
    for (const point of known) {
      const height = point.value > 0 ? Math.max(2, HEIGHT - y(point.value)) : 0;
      picture.append(svg("rect", { x: x(point.at) + width * 0.12, width: width * 0.76, y: HEIGHT - height, height, class: "bar" }));
    }
  } else {
    for (const run of runs(known, everyS * 3)) {
      const corners = run.map((point) => `${x(point.at).toFixed(1)},${y(point.value).toFixed(1)}`);
      if (run.length === 1) {
        picture.append(svg("circle", { cx: x(run[0].at), cy: y(run[0].value), r: 2, class: "dot" }));
        continue;
      }
      picture.append(svg("polygon", { points: `${x(run[0].at).toFixed(1)},${HEIGHT} ${corners.join(" ")} ${x(run.at(-1).at).toFixed(1)},${HEIGHT}`, class: "area" }));
      picture.append(svg("polyline", { points: corners.join(" "), class: "line" }));
    }
  }
  const cursor = svg("line", { y1: 0, y2: HEIGHT, x1: 0, x2: 0, class: "cursor", visibility: "hidden" });
  picture.append(cursor);
  plot.replaceChildren(
    picture,
    h("span", { class: "since" }, clockText(from * 1000)),
    h("span", { class: "until" }, "now"),
    known.length ? h("span", { class: "peak" }, text(top)) : h("span", { class: "nothing" }, empty),
  );
  const show = (place) => {
    const point = known[place];
    if (!point) return hide();
    figure.dataset.place = place;
    const middle = x(point.at) + (form === "bars" ? ((everyS / (to - from)) * WIDTH) / 2 : 0);
    cursor.setAttribute("x1", middle);
    cursor.setAttribute("x2", middle);
    cursor.setAttribute("visibility", "visible");
    said.textContent = `${when ? when(point) : clockText(point.at * 1000)}: ${text(point.value)}`;
    return undefined;
  };
  const hide = () => {
    delete figure.dataset.place;
    cursor.setAttribute("visibility", "hidden");
    said.textContent = last ? text(last.value) : "";
  };
  const near = (event) => {
    const box = picture.getBoundingClientRect();
    const at = from + ((event.clientX - box.left) / box.width) * (to - from) - (form === "bars" ? everyS / 2 : 0);
    let best = -1;
    known.forEach((point, place) => { if (best < 0 || Math.abs(point.at - at) < Math.abs(known[best].at - at)) best = place; });
    return best;
  };
  figure.onpointermove = (event) => show(near(event));
  figure.onpointerleave = hide;
  figure.onblur = hide;
  figure.onkeydown = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined || !known.length) return;
    event.preventDefault();
    const place = figure.dataset.place === undefined ? known.length - 1 : Number(figure.dataset.place) + step;
    show(Math.max(0, Math.min(known.length - 1, place)));
  };
  if (figure.dataset.place === undefined) hide();
  else show(Math.min(known.length - 1, Number(figure.dataset.place)));
}

/** Points that follow each other without a gap. */
function runs(points, gapS) {
  const found = [];
  for (const point of points) {
    const run = found.at(-1);
    if (run && point.at - run.at(-1).at <= gapS) run.push(point);
    else found.push([point]);
  }
  return found;
}
