// A training step: a network and its data, a worker that computes a step, and the matrices of the step, one after the other.
import { $, FROM_DISK, curves, element, mathematics, notLoaded, startWorker } from "./common.js";

const LIMIT = 60; // seconds for a step
const GIVEN = ["layers", "X", "T", "seed"]; // what a change of begins anew

// The worker. Each step is given all that it needs, so that one can go back.

let worker = null, ready = false, toDo = 0, timer = 0;
let steps = []; // what was told of each step so far
function heard(event, from) {
  if (from !== worker) return;
  if (event.kind === "ready") {
    ready = true;
    ask();
  } else if (event.kind === "failed") {
    stop(notLoaded(event.text));
  } else if (event.kind === "note") {
    toDo = 0;
    $("results").replaceChildren(element("p", { class: "note" }, event.text));
    $("walk").hidden = true;
    rest("The step was not taken.");
  } else if (event.kind === "step") {
    steps.push(event);
    clearTimeout(timer);
    toDo -= 1;
    if (toDo > 0) ask();
    else shown();
  }
}
function take(count) {
  if (location.protocol === "file:") return say(FROM_DISK);
  if (toDo) return undefined;
  toDo = count;
  enable();
  if (ready) return ask();
  say("Python is being loaded ...");
  worker ??= startWorker("step.step", heard);
  return undefined;
}
function ask() {
  if (!toDo) return;
  say("Computing ...");
  timer = setTimeout(() => stop(`The step was not computed within ${LIMIT} s.`), 1000 * LIMIT);
  const given = Object.fromEntries(["layers", "loss", "lr", "seed", "X", "T"].map((name) => [name, $(name).value]));
  worker.postMessage(JSON.stringify({ ...given, seed: +given.seed || 0, params: steps.at(-1)?.params[1] ?? null }));
}
function stop(text) {
  worker?.terminate();
  worker = null;
  ready = false;
  toDo = 0;
  rest(text);
}
function rest(text) {
  clearTimeout(timer);
  enable();
  say(text);
}
function enable() {
  for (const name of ["forth", "more"]) $(name).disabled = toDo > 0;
  $("back").disabled = toDo > 0 || steps.length < 2;
  $("again").disabled = toDo > 0 || !steps.length;
  $("stop").disabled = !toDo;
}
function forget() {
  if (toDo) stop("");
  steps = [];
  for (const name of ["results", "curve"]) $(name).replaceChildren();
  $("walk").hidden = true;
  $("about").textContent = "";
  rest("The next step is the first.");
}
const say = (text) => { $("status").textContent = text; };
$("forth").addEventListener("click", () => take(1));
$("more").addEventListener("click", () => take(20));
$("back").addEventListener("click", () => { steps.pop(); shown(); });
$("again").addEventListener("click", forget);
$("stop").addEventListener("click", () => stop("Stopped."));
for (const name of GIVEN) $(name).addEventListener("change", forget);

// A step

let matrices = []; // each with its element, the places of those it is computed from, and its name
function shown() {
  const { loss, parts } = steps.at(-1);
  const following = steps.length > 1 ? `, it was ${steps.at(-2).loss.toPrecision(4)} a step before` : "";
  rest(`Step ${steps.length}: the loss before it is ${loss.toPrecision(4)}${following}.`);
  const losses = { label: "loss", y: steps.map((step) => (Number.isFinite(step.loss) ? step.loss : null)) };
  const curve = steps.length > 1 && curves({ x: steps.map((_, k) => k + 1), curves: [losses], label: "The loss before each step" });
  $("curve").replaceChildren(...(curve ? [curve] : []));
  matrices = [];
  $("results").replaceChildren(...parts.map((part) => element("article", {}, element("h2", {}, part.title), ...part.matrices.map((one) => drawn(part, one)))));
  const stays = !$("walk").hidden && +$("place").value < +$("place").max;
  $("place").max = matrices.length - 1;
  if (!stays) $("place").value = matrices.length - 1;
  $("walk").hidden = false;
  walk();
}
function drawn(part, { name, given, origin, shape, mathml, values }) {
  const known = new Map(matrices.flatMap((one, k) => (one.number === part.number ? [[one.name, k]] : []))); // the last of each name
  const formula = mathematics(mathml), text = JSON.stringify(values), place = matrices.length;
  if (!given) known.delete(name);
  mark(formula, new Map([...known, [name, place]]));
  let sources = [...formula.querySelectorAll("[data-place]")].map((node) => +node.dataset.place).filter((k) => k !== place);
  if (origin.startsWith("from ")) {
    const same = matrices.findLastIndex((one) => one.text === text);
    sources = same < 0 ? [] : [same];
  } else if (given) sources = [];
  const numbers = element("table", {}, ...values.map((row) => element("tr", {}, ...row.map((x) => element("td", { title: x }, short(x))))));
  const size = `${values.length} × ${values[0].length}`;
  const head = element("p", {}, formula, element("span", { class: "soft" }, ` ${shape === size ? size : `${shape} = ${size}`}${origin && `, ${origin}`}`));
  const box = element("div", { class: `matrix${given ? " given" : ""}`, tabindex: 0, "data-place": place }, head, numbers);
  for (const event of ["pointerover", "focusin"]) box.addEventListener(event, (happened) => point(happened.target.closest("[data-place]")));
  matrices.push({ name, number: part.number, title: part.title, text, sources: [...new Set(sources)], box });
  return box;
}
const short = (x) => (typeof x !== "number" ? `${x}` : x === 0 || (Math.abs(x) >= 1e-3 && Math.abs(x) < 1e5) ? x.toFixed(4) : x.toExponential(2));
/** Names in a formula know the matrix that they stand for: the largest piece whose text is one, so that W is found in Wᵀ, and DY is not Y. */
function mark(node, known) {
  if (known.has(node.textContent)) {
    node.setAttribute("data-place", known.get(node.textContent));
  } else for (const inner of node.children ?? []) mark(inner, known);
}

// What it is computed from, and how far the step is shown

function point(node) {
  if (!node) return;
  const place = +node.dataset.place, { name, title, sources } = matrices[place];
  const users = matrices.flatMap((one, k) => (one.sources.includes(place) ? [k] : []));
  matrices.forEach(({ box }, k) => {
    box.classList.toggle("here", k === place);
    box.classList.toggle("source", sources.includes(k));
    box.classList.toggle("user", users.includes(k));
  });
  for (const one of document.querySelectorAll("math [data-place]")) one.classList.toggle("here", +one.dataset.place === place);
  const list = (places) => places.map((k) => `${matrices[k].name} (${matrices[k].title})`).join(", ");
  $("about").textContent = [`${name} (${title})`, sources.length && `computed from ${list(sources)}`, users.length && `used for ${list(users)}`].filter(Boolean).join("; ");
}
/** Shows the step as far as the place that is chosen. */
function walk() {
  const place = +$("place").value;
  matrices.forEach(({ box }, k) => box.classList.toggle("later", k > place));
  $("before").disabled = place === 0;
  $("after").disabled = place === matrices.length - 1;
  point(matrices[place].box);
}
function move(by) {
  $("place").value = +$("place").value + by;
  walk();
  matrices[+$("place").value].box.scrollIntoView({ block: "nearest" });
}
$("place").addEventListener("input", () => move(0));
$("before").addEventListener("click", () => move(-1));
$("after").addEventListener("click", () => move(1));
