// Numbers and spans of time, as the page of an operation says them.

const numbers = new Intl.NumberFormat("en");
export const number = (value) => numbers.format(value);

/** 29.41 -> "29.4", 8412.3 -> "8,412" */
export function rateText(value) {
  if (value >= 100) return number(Math.round(value));
  return String(Math.round(value * 10) / 10);
}

/** Seconds in two units at most: "42 s", "3 min 36 s", "2 h 5 min", "3 d 4 h". */
export function spanText(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const pairs = [[86_400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]];
  const [size, unit, small, part] = pairs.find(([size]) => whole >= size);
  const rest = Math.floor((whole % size) / small);
  return `${Math.floor(whole / size)} ${unit}${rest ? ` ${rest} ${part}` : ""}`;
}

/** The clock of whoever looks, with its zone in the title of the element. */
export function clockText(ms) {
  const at = new Date(ms);
  const today = new Date().toDateString() === at.toDateString();
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return today ? time : `${at.toLocaleDateString([], { day: "numeric", month: "short" })} ${time}`;
}
