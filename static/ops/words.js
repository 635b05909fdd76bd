// Numbers as people read them.

const numbers = new Intl.NumberFormat("en");
export const number = (value) => numbers.format(value);

/** 0.42 -> "0.42", 31.5 -> "31.5", 8412.3 -> "8,412" */
export function rate(value) {
  if (value >= 100) return number(Math.round(value));
  return String(Math.round(value * (value >= 10 ? 10 : 100)) / (value >= 10 ? 10 : 100));
}

/** Bytes per second as bits, which is how lines are sold: 91000000 -> "728 Mbit/s" */
export function bits(bytesPerSecond) {
  let value = bytesPerSecond * 8;
  for (const unit of ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"]) {
    if (value < 1000 || unit === "Gbit/s") return `${value >= 100 ? Math.round(value) : Math.round(value * 10) / 10} ${unit}`;
    value /= 1000;
  }
  return "";
}

/** "5.000000" -> "5", "1234.5" -> "1,234.5": a decimal text, never rounded. */
export function money(text) {
  const [whole, part = ""] = String(text).split(".");
  const rest = part.replace(/0+$/, "");
  return whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",") + (rest ? `.${rest}` : "");
}

/** The hour and minute of a moment, of the clock of whoever looks. */
export function clockText(ms) {
  return new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

/** The name of the zone that those times are in. */
export const zone = () => Intl.DateTimeFormat(undefined, { timeZoneName: "short" })
  .formatToParts().find((part) => part.type === "timeZoneName")?.value ?? "";
