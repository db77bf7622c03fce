// The page: texts to choose from, a worker that proves, and what it says.
import { $, FROM_DISK, curves, element, mathematics, notLoaded, startWorker } from "./common.js";

// Examples

let examples = [];
async function loadExamples() {
  examples = await (await fetch("examples.json")).json();
  for (const [kind, label] of [["example", "Right"], ["exercise", "Exercises: what is wrong?"]]) {
    const group = element("optgroup", { label });
    examples.forEach((example, k) => example.kind === kind && group.append(new Option(example.title, k)));
    $("example").append(group);
  }
  choose(0);
}
function choose(number) {
  $("code").value = examples[number].text;
  $("teaching").checked = examples[number].kind === "exercise";
  $("results").replaceChildren();
}
$("example").addEventListener("change", () => choose(+$("example").value));

// The worker. It is replaced after each text, so that none changes what is said of the next; the next one loads meanwhile.

let worker = null, state = "none", waiting = null, timer = 0;
function newWorker() {
  worker = startWorker("play.examine", (event, from) => from === worker && heard(event));
  state = "loading";
}
function heard(event) {
  if (event.kind === "ready") {
    state = "ready";
    waiting === null ? say("Python is ready.") : examine();
  } else if (event.kind === "failed") {
    end(notLoaded(event.text));
    worker = null;
    state = "none";
  } else if (event.kind === "done") {
    end(`Done in ${event.since.toFixed(1)} s.`);
    replaceWorker();
  } else show(event);
}
function replaceWorker() {
  worker?.terminate();
  newWorker();
}
function prove() {
  if (location.protocol === "file:") return say(FROM_DISK);
  if (waiting !== null) return undefined;
  waiting = $("code").value;
  $("results").replaceChildren();
  $("prove").disabled = true;
  $("stop").disabled = false;
  if (state === "ready") return examine();
  say("Python is being loaded ...");
  if (state === "none") newWorker();
  return undefined;
}
function examine() {
  state = "busy";
  const seconds = Math.min(600, Math.max(1, +$("limit").value || 60));
  timer = setTimeout(() => stop(`No verdict on the rest within ${seconds} s.`), 1000 * seconds);
  say("Proving ...");
  worker.postMessage(waiting);
}
function end(text) {
  clearTimeout(timer);
  waiting = null;
  $("prove").disabled = false;
  $("stop").disabled = true;
  say(text);
}
function stop(text) {
  end(text);
  replaceWorker();
}
const say = (text) => { $("status").textContent = text; };
$("prove").addEventListener("click", prove);
$("stop").addEventListener("click", () => stop("Stopped."));
$("code").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) prove();
});

// What it says

function section(name) {
  const id = `class-${name}`;
  return document.getElementById(id) ?? $("results");
}
function show(event) {
  ({ class: showClass, equations: showEquations, plot: showPlot, verdict: showVerdict, note: showNote })[event.kind]?.(event, section(event.name));
}
function showClass(event) {
  $("results").append(element("article", { id: `class-${event.name}` },
    element("h2", {}, event.name, " ", element("span", { class: "soft" }, event.type)), element("p", { class: "soft" }, event.about)));
}
function showEquations(event, into) {
  const box = element("div", { class: "equations" });
  for (const part of event.parts) {
    box.append(element("h3", {}, part.title));
    for (const line of part.lines) box.append(mathematics(line));
  }
  const sizes = event.shapes.map(([shape, names]) => `${shape}: ${names.join(", ")}`).join(";  ");
  const [forward, backward] = event.costs;
  const copy = element("button", { onclick: () => navigator.clipboard?.writeText(event.latex).then(() => { copy.textContent = "copied"; }) }, "Copy LaTeX");
  into.append(box, element("p", { class: "soft" }, sizes), element("p", { class: "soft" }, `operations on numbers: ${forward}; ${backward}  `, copy));
}
const WORDS = { proved: "proved", refuted: "refuted", open: "open" };
function showVerdict(event, into) {
  const box = element("div", { class: `verdict ${event.status}`, "data-quantity": event.quantity });
  const scope = event.status === "proved" ? ` for ${event.sizes}` : "";
  box.append(element("p", {}, event.statement, event.case ? ` (${event.case})` : "", ": ", element("span", { class: "word" }, WORDS[event.status] + scope)));
  const answer = [event.counterexample, event.advice].filter(Boolean).map((text) => element("p", {}, text));
  if (event.status === "open") answer.push(element("p", {}, event.words));
  if (event.conditions.length) box.append(element("p", { class: "soft" }, `where ${event.conditions.join("; ")}`));
  if (answer.length && $("teaching").checked && event.status === "refuted") {
    const button = element("button", { onclick: () => button.replaceWith(...answer) }, "Show the answer");
    box.append(button);
  } else box.append(...answer);
  into.append(box);
}
function showNote(event, into) {
  into.append(element("p", { class: "note" }, event.text));
}
function showPlot(event, into) {
  const picture = curves({ ...event, label: `${event.name} and its derivative as stated` });
  if (picture) into.append(picture);
}

loadExamples().catch((error) => say(`The examples could not be loaded: ${error.message}`));
