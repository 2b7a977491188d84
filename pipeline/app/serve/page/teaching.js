// A class of one's own: examples, teaching, what it costs, taking it back, the file.

import { $, attempt, call, element, percent } from "./common.js";
import { clear, compare, sheet } from "./script.js";

let state = await call("api/teaching");

async function change(path, method, body, headers = {}) {
  state = await call(`api/teaching/${path}`, { method, body, headers });
  show();
}

function show() {
  const slots = Array.from({ length: state.most }, (_, place) => {
    const source = state.examples[place];
    if (!source) return element("li");
    const image = element("img", { src: source, alt: `Example ${place + 1}` });
    const remove = element("button", { type: "button", "aria-label": `Remove example ${place + 1}` }, "remove");
    remove.addEventListener("click", () => attempt(() => change(`examples/${place}`, "DELETE")));
    return element("li", { class: "full" }, image, remove);
  });
  $("examples").replaceChildren(...slots);
  $("add").textContent = `Add as an example (${state.examples.length})`;
  $("learn").disabled = !state.examples.length;
  for (const name of ["back", "download"]) $(name).disabled = !state.taught;
  $("taught").hidden = !state.taught;
  $("untaught").hidden = Boolean(state.taught);
  if (state.taught) cost(state.taught);
}

function cost({ name, figures }) {
  const { examples, old, new: own } = figures;
  $("taught-name").textContent = `${name}, from ${examples} example${examples > 1 ? "s" : ""}`;
  const facts = [
    [percent(old.right / old.images, 2), "old classes right before"],
    [percent((old.right - old.lost) / old.images, 2), "right with it"],
    own
      ? [percent(own.found / own.images, 1), `of ${own.images} images of ${name} found`]
      : [String(old.lost), `of ${old.images.toLocaleString("en")} images lost`],
  ];
  const entry = ([value, label]) =>
    element("div", {}, element("dt", {}, label), element("dd", {}, value));
  $("figures").replaceChildren(...facts.map(entry));
  const lost = Object.entries(figures.by_class).sort(([, one], [, other]) => other.lost - one.lost);
  const shown = lost.length <= 12 ? Object.entries(figures.by_class) : lost.slice(0, 8);
  $("lost-names").replaceChildren(...shown.map(([each]) => element("th", { scope: "col" }, each)));
  $("lost-counts").replaceChildren(...shown.map(([, each]) => element("td", {}, String(each.lost))));
}

async function add(file) {
  await change("examples", "POST", file);
}

$("add").addEventListener("click", () =>
  attempt(async () => {
    const drawing = await sheet();
    if (!drawing) throw new Error("There is nothing on the sheet yet: draw, or choose a picture.");
    await add(drawing);
    clear();
  }));
$("more").addEventListener("change", () =>
  attempt(async () => {
    const files = [...$("more").files];
    $("more").value = "";
    for (const file of files) await add(file);
  }));
$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const named = JSON.stringify({ name: $("name").value });
    $("learn").disabled = true;
    try {
      await change("class", "POST", named, { "content-type": "application/json" });
    } finally {
      $("learn").disabled = false;
    }
    compare(state.taught.name);
    $("taught-name").focus();
  });
});
$("back").addEventListener("click", () =>
  attempt(async () => {
    await change("class", "DELETE");
    compare("");
  }));
$("download").addEventListener("click", () => {
  element("a", { href: "api/teaching/file", download: "" }).click();
});
$("load").addEventListener("change", () =>
  attempt(async () => {
    const [file] = $("load").files;
    $("load").value = "";
    if (!file) return;
    await change("class", "PUT", file);
    compare(state.taught.name);
  }));

show();
if (state.taught) compare(state.taught.name);
