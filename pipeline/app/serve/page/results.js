// The committed results: tables, and pictures.

import { $, attempt, call, element } from "./common.js";

function table(rows) {
  const [header, ...body] = rows;
  const head = header.map((cell) => element("th", { scope: "col" }, cell));
  const made = element(
    "table",
    { class: "figures" },
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...body.map((cells) => element("tr", {}, ...cells.map(cell)))),
  );
  return element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Table" }, made);
}

function cell(text, column) {
  return column ? element("td", {}, text) : element("th", { scope: "row" }, text);
}

function figure({ path, title, width, height }) {
  const source = `plots/${path}`;
  const image = element("img", { src: source, width, height, alt: title, loading: "lazy" });
  return element(
    "figure",
    {},
    element("a", { href: source }, image),
    element("figcaption", {}, title),
  );
}

function question({ title, seeds, last, alike, data, pictures }, place) {
  const heading = (text) => element("p", { class: "small" }, text);
  return element(
    "details",
    place ? {} : { open: "" },
    element("summary", {}, title),
    ...(seeds.length ? [heading(`Five seeds${alike ? "" : ", of other images than the last run"}; mean ± half of the 95 % interval`)] : []),
    ...seeds.map(table),
    heading(`The last run (${data})`),
    ...last.map(table),
    element("div", { class: "gallery" }, ...pictures.map(figure)),
  );
}

attempt(async () => {
  const questions = await call("api/results");
  $("questions").replaceChildren(...questions.map(question));
  if (!questions.length) $("questions").textContent = "There are no results yet.";
});
