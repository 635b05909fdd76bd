// The lists beside and below the charts.
import { h, moment, number, plural, reconcile, span } from "../switchboard/inbox/desk/dom.js";
import { bits, rate } from "./words.js";

const within = (root, kind, name) => root.querySelector(`[data-${kind}="${name}"]`);
const titled = (link, text) => (link ? h("a", { href: link }, text) : h("span", {}, text));

function fill(root, name, rows, options, { said = "", isEmpty = rows.length === 0 } = {}) {
  reconcile(within(root, "list", name), rows, options);
  const empty = within(root, "empty", name);
  if (empty) empty.hidden = !isEmpty;
  const place = within(root, "said", name);
  if (place) place.textContent = said;
}

const names = new Intl.DisplayNames("en", { type: "region", fallback: "code" });
const country = (code) => (/^[A-Z]{2}$/.test(code) && code !== "XX" ? names.of(code) : "nobody knows where");

// Far fewer than usual at this hour of the week: the alert decides with more care, this only draws the eye.
const isFew = ({ health, users, users_usual: usual }) => health === "online" && usual >= 10 && users < usual / 2;
const usersText = ({ users, users_usual: usual }) => (usual === null ? plural(users, "user") : `${number(users)} of usual ${number(Math.round(usual))}`);

export function serversShow(root, { items, total, checked_at: checkedAt }) {
  const most = Math.max(...items.map((item) => item.bytes_per_s ?? 0), 1);
  fill(root, "servers", items, {
    key: (item) => item.name + item.link,
    stamp: (item) => [item, most],
    draw: (item) => {
      const meter = h("meter", { min: 0, max: most, value: item.bytes_per_s ?? 0, title: "share of the busiest server" });
      return h(
        "li", { class: `server is-${item.health}` },
        h("i", { class: "dot", "aria-hidden": "true" }),
        h("span", { class: "name" }, titled(item.link, item.name), h("abbr", { title: country(item.country) }, item.country === "XX" ? "" : item.country)),
        item.health === "online" ? meter : h("span", { class: "state" }, `${item.label} since `, moment(item.since)),
        h("span", { class: isFew(item) ? "num is-bad" : "num" }, item.health === "online" ? usersText(item) : ""),
        h("span", { class: "num" }, item.bytes_per_s === null ? "" : bits(item.bytes_per_s)),
      );
    },
  }, { said: total > items.length ? `${number(items.length)} of ${number(total)}` : "", isEmpty: total === 0 });
  const place = within(root, "said", "servers");
  if (checkedAt) place.append("looked at ", moment(checkedAt));
}

export function queuesShow(root, { queues, failed_per_second: failed }) {
  fill(root, "queues", queues, {
    key: (queue) => queue.name,
    stamp: (queue) => queue,
    draw: (queue) => h(
      "li", { class: `queue${queue.is_paused ? " is-paused" : queue.oldest_s >= 60 ? " is-late" : ""}` },
      h("span", { class: "name" }, h("a", { href: queue.link }, queue.name), queue.is_paused ? h("span", { class: "tag" }, "paused") : null),
      h("span", { class: "num" }, h("b", {}, number(queue.due)), " due"),
      h("span", { class: "num" }, queue.oldest_s === null ? "" : `oldest ${span(queue.oldest_s)}`),
      h("span", { class: "num" }, `${rate(queue.ended_per_s)}/s out`),
      h("span", { class: queue.dead ? "num is-bad" : "num" }, queue.dead ? `${number(queue.dead)} dead` : ""),
    ),
  }, { said: failed > 0 ? `${rate(failed)} failed tries a second` : "" });
}

export function servicesShow(root, services) {
  const down = services.filter((service) => service.state !== "up").length;
  fill(root, "services", services, {
    key: (service) => service.name,
    stamp: (service) => service,
    draw: (service) => h(
      "li", { class: `service is-${service.state}` },
      h("i", { class: "dot", "aria-hidden": "true" }),
      h("span", { class: "name" }, titled(service.link, service.title)),
      h("span", { class: "num" }, service.latency_ms === null ? service.state : `${number(Math.round(service.latency_ms))} ms`),
      service.text ? h("span", { class: "why" }, service.text) : null,
    ),
  }, { said: services.length ? (down ? `${number(down)} of ${number(services.length)} not well` : `${number(services.length)} up`) : "" });
}

export function alertsShow(root, { open, items }) {
  fill(root, "alerts", items, {
    key: (alert) => alert.id,
    stamp: (alert) => alert,
    draw: (alert) => h(
      "li", { class: `alert is-${alert.severity}` },
      h("span", { class: "badge" }, alert.severity),
      h("span", { class: "what" }, titled(alert.link, alert.title), alert.count > 1 ? h("span", { class: "quiet" }, ` ×${number(alert.count)}`) : null),
      h(
        "span", { class: "quiet" }, "since ", moment(alert.opened_at),
        alert.acked_by ? `, ${alert.acked_by} has it` : "", alert.is_silenced ? ", silenced" : "",
        alert.runbook ? [" · ", h("a", { href: alert.runbook }, "what to do")] : null,
      ),
    ),
  }, { said: open > items.length ? `${number(items.length)} of ${number(open)}` : open ? number(open) : "" });
}

const GOOD = /_(resolved|online|completed)$/;
const WHICH = {
  trouble: ({ kind, severity }) => severity !== "info" || kind.endsWith("_resolved"),
  node: ({ kind }) => kind.startsWith("node"),
  payment: ({ kind }) => /^payment_(completed|failed|refunded)$/.test(kind),
};

export function eventsShow(root, items, which) {
  const rows = which ? items.filter(WHICH[which]) : items;
  fill(root, "events", rows, {
    key: (event) => event.id,
    stamp: (event) => event.id,
    draw: (event) => h(
      "li", { class: `event is-${event.severity}${GOOD.test(event.kind) ? " is-good" : ""}`, title: event.kind.replaceAll("_", " ") },
      h("i", { class: "dot", "aria-hidden": "true" }),
      h("span", { class: "what" }, titled(event.link, event.title)),
      h("span", { class: "quiet" }, moment(event.at)),
    ),
  });
}
