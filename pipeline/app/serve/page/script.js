// The sheet to draw on, the answers side by side, and the strength.

import { $, attempt, call, element, percent } from "./common.js";

const MANY = 12; // classes beyond which only the most probable are shown
const BLANK = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";
const about = await call("api/about");
const context = $("canvas").getContext("2d");
let picture = null; // a file that was chosen in place of a drawing
let drawn = false;
let taught = ""; // the name of the class of one's own

const list = (given) => given.join(", ").replace(/, ([^,]*)$/, " and $1");
const method = () => about.methods.find(({ name }) => name === $("method").value);

// ---- The sheet

function wipe() {
  context.fillStyle = "#000";
  context.fillRect(0, 0, 280, 280);
  Object.assign(context, { strokeStyle: "#fff", lineWidth: 20, lineCap: "round", lineJoin: "round" });
  drawn = false;
}

export function clear() {
  wipe();
  picture = null;
  $("picture").hidden = true;
  $("hint").hidden = false;
  $("choose").value = "";
  show(null);
}

function place(event) {
  const box = $("canvas").getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

$("canvas").addEventListener("pointerdown", (event) => {
  if (event.button) return;
  if (picture) clear();
  $("canvas").setPointerCapture(event.pointerId);
  context.beginPath();
  context.moveTo(...place(event));
  context.arc(...place(event), 0.1, 0, 2 * Math.PI); // a dot, if it stays there
  stroke(event);
});
$("canvas").addEventListener("pointermove", (event) => {
  if ($("canvas").hasPointerCapture(event.pointerId)) stroke(event);
});
$("canvas").addEventListener("pointerup", () => ask(true));

function stroke(event) {
  context.lineTo(...place(event));
  context.stroke();
  drawn = true;
  $("hint").hidden = true;
  ask();
}

function choose(file) {
  if (!file) return;
  wipe();
  picture = file;
  URL.revokeObjectURL($("picture").src);
  $("picture").src = URL.createObjectURL(file);
  $("picture").hidden = false;
  $("hint").hidden = true;
  ask(true);
}

/** What is on the sheet, as a file; null if nothing is. */
export async function sheet() {
  if (!drawn && !picture) return null;
  return picture ?? new Promise((done) => $("canvas").toBlob(done, "image/png"));
}

$("clear").addEventListener("click", clear);
$("choose").addEventListener("change", () => choose($("choose").files[0]));
document.addEventListener("paste", (event) => choose(event.clipboardData.files[0]));
for (const type of ["dragover", "dragleave", "drop"]) {
  $("drop").addEventListener(type, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", type === "dragover");
    if (type === "drop") choose(event.dataTransfer.files[0]);
  });
}

// ---- The answers

let asking = false;
let again = false;

/** Asks what the sheet shows: one request at a time, and the last state of the sheet for sure. */
async function ask(aloud = false) {
  if (asking) {
    again ||= { aloud };
    return;
  }
  asking = true;
  $("answers").setAttribute("aria-busy", "true");
  await attempt(async () => {
    const given = new URLSearchParams({ method: method().name });
    if (method().strength !== null) given.set("strength", $("strength").value);
    const body = await sheet();
    if (!body) return show(null);
    const told = await call(`api/answers?${given}`, { method: "POST", body });
    if (drawn || picture) show(told, aloud); // not cleared meanwhile
  });
  asking = false;
  if (again) {
    const { aloud: then } = again;
    again = false;
    ask(then);
  } else {
    $("answers").setAttribute("aria-busy", "false");
  }
}

const models = () => ["base", "method", ...(taught ? ["taught"] : [])];
const titles = () => ({ base: "Base", method: method().title, taught: `with ${taught}` });

function names(answers) {
  const own = taught ? [taught] : [];
  const all = [...new Set([...about.classes, ...own])];
  if (all.length <= MANY) return all;
  const most = (name) =>
    Math.max(...models().map((model) => answers?.[model]?.probabilities[name] ?? 0));
  return all.sort((one, other) => most(other) - most(one)).slice(0, MANY);
}

function show(told, aloud = false) {
  const answers = told?.answers;
  $("seen").src = told?.seen ?? BLANK;
  $("verdicts").replaceChildren(element("tr", {}, element("th"), ...models().map(head)));
  $("bars").replaceChildren(...names(answers).map(row));
  $("bars").parentElement.classList.toggle("named", names(answers).some(({ length }) => length > 3));
  if (aloud && answers) {
    const said = models().map((model) => `${titles()[model]}: ${answers[model].known ? answers[model].name : "unknown"}`);
    $("said").textContent = said.join("; ");
  }

  function head(model) {
    const answer = answers?.[model];
    const name = answer ? `${answer.name}${answer.known ? "" : "?"}` : "–";
    const sure = answer && (answer.known ? percent(answer.probability) : "unknown");
    return element(
      "th",
      { scope: "col", class: model },
      element("span", { class: "model" }, titles()[model]),
      element("span", { class: "verdict" }, name),
      element("span", { class: "sure" }, sure ?? ""),
    );
  }

  function row(name) {
    const best = answers && models().some((model) => answers[model]?.name === name);
    const cells = models().map((model) => {
      const value = answers?.[model]?.probabilities[name];
      const fill = element("i");
      fill.style.width = percent(value ?? 0, 2).replace(" ", "");
      const track = element("div", { class: "track", "aria-hidden": "true" }, fill);
      const text = value === undefined ? "" : percent(value);
      return element("td", { class: model }, element("div", { class: "bar" }, track, element("span", {}, text)));
    });
    return element("tr", best ? { class: "best" } : {}, element("th", { scope: "row" }, name), ...cells);
  }
}

// ---- The strength

const SVG = "http://www.w3.org/2000/svg";
const X = (strength) => 44 + 137 * strength;
const Y = (accuracy) => 160 - 145 * accuracy;

function mark(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function curve() {
  const { curve: points, strength, title } = method();
  const chosen = Number($("strength").value);
  const parts = [0, 0.5, 1].flatMap((y) => [
    mark("line", { class: "axis", x1: 44, x2: 318, y1: Y(y), y2: Y(y) }),
    mark("text", { x: 38, y: Y(y) + 4, "text-anchor": "end" }, `${100 * y} %`),
  ]);
  for (const x of [0, 0.5, 1, 1.5, 2]) parts.push(mark("text", { x: X(x), y: 180, "text-anchor": "middle" }, x));
  if (points.length) {
    parts.push(mark("line", { class: "mark", x1: X(chosen), x2: X(chosen), y1: Y(1), y2: Y(0) }));
    for (const kind of ["old", "new"]) {
      const line = points.map((point) => `${X(point.strength)},${Y(point[kind])}`).join(" ");
      parts.push(mark("polyline", { class: kind, points: line }));
      parts.push(mark("circle", { class: kind, r: 4.5, cx: X(chosen), cy: Y(between(points, kind, chosen)) }));
    }
    parts.push(mark("text", { class: "old", x: 50, y: Y(1) + 15 }, "old classes"));
    parts.push(mark("text", { class: "new", x: 50, y: Y(0) - 8 }, "new class"));
  }
  $("curve").toggleAttribute("hidden", !points.length);
  $("curve").replaceChildren(...parts);
  $("strength").disabled = !points.length;
  const those = about.methods.filter((each) => each.curve.length).map((each) => each.title);
  $("curve-text").textContent = points.length
    ? `Test accuracy at strength ${chosen.toFixed(2)}: ${percent(between(points, "old", chosen), 2)} on ` +
      `the old classes, ${percent(between(points, "new", chosen), 2)} on the new. ` +
      `0 is the base, 1 as trained; ${strength} was chosen on validation data.`
    : `The ${title} model has no strength: it is what it is.${those.length ? ` Models with one: ${list(those)}.` : ""}`;
}

function between(points, kind, strength) {
  const after = Math.max(1, points.findIndex((point) => point.strength >= strength - 1e-9));
  const [one, other] = [points[after - 1], points[after]];
  const share = (strength - one.strength) / (other.strength - one.strength);
  return one[kind] + share * (other[kind] - one[kind]);
}

$("strength").addEventListener("input", () => {
  curve();
  ask();
});
$("method").addEventListener("change", () => {
  $("strength").value = method().strength ?? 1;
  curve();
  ask(true);
});

// ---- The beginning

/** Takes note of the name of a class that was taught ("" for none), and asks anew. */
export function compare(name) {
  taught = name;
  ask(true);
}

const old = about.classes.filter((name) => !about.new.includes(name));
$("lead").textContent = about.classes.length <= MANY
  ? `A classifier that knows ${list(old)} learned ${list(about.new)}. What did it forget?`
  : `A classifier of ${old.length} classes learned ${list(about.new)}. What did it forget?`;
if (!about.digits) { // few photographs look like drawings
  $("ask-title").textContent = "Show it a picture";
  $("hint").textContent = "Drop a picture here";
  $("how").textContent = "One picture will do, three are better: choose some of a class that is new to it.";
  $("name").placeholder = "thumbs up";
}
$("method").append(...about.methods.map(({ name, title }) => element("option", { value: name }, title)));
if (about.methods.some(({ name }) => name === "lora")) $("method").value = "lora";
$("strength").value = method().strength ?? 1;
clear();
curve();
