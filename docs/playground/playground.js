// The page: texts to choose from, a worker that proves, and what it says.
const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and contents; texts are never taken for HTML. */
function element(name, attributes = {}, ...contents) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) key.startsWith("on") ? made.addEventListener(key.slice(2), value) : made.setAttribute(key, value);
  made.append(...contents);
  return made;
}

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

let worker = null, state = "none", waiting = null, timer = 0, started = 0;
function startWorker() {
  const at = (name) => new URL(name, location.href).href;
  // From a blob it has the Content-Security-Policy of this page.
  const source = `globalThis.PLAYGROUND = ${JSON.stringify(at("./"))}; await import(${JSON.stringify(at("worker.js"))});`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const made = new Worker(url, { type: "module" });
  made.onmessage = ({ data }) => made === worker && heard(data);
  made.onerror = (error) => made === worker && heard({ kind: "failed", text: error.message || "the worker could not be started" });
  worker = made;
  state = "loading";
}
function heard(event) {
  if (event.kind === "ready") {
    state = "ready";
    waiting === null ? say("Python is ready.") : examine();
  } else if (event.kind === "failed") {
    end(`Python could not be loaded: ${event.text}. If this copy of the site was built without the playground, "make playground docs" builds it.`);
    worker = null;
    state = "none";
  } else if (event.kind === "done") {
    end(`Done in ${event.since.toFixed(1)} s.`);
    replaceWorker();
  } else show(event);
}
function replaceWorker() {
  worker?.terminate();
  startWorker();
}
function prove() {
  if (location.protocol === "file:") return say("Opened from a disk the page may not load Python: run  python3 -m http.server -d site  and open http://localhost:8000/playground/");
  if (waiting !== null) return undefined;
  waiting = $("code").value;
  $("results").replaceChildren();
  $("prove").disabled = true;
  $("stop").disabled = false;
  if (state === "ready") return examine();
  say("Python is being loaded ...");
  if (state === "none") startWorker();
  return undefined;
}
function examine() {
  state = "busy";
  started = performance.now();
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
/** The formula; a parser of XML, so that nothing but elements comes of it, and of those MathML only. */
function mathematics(text) {
  const tree = new DOMParser().parseFromString(text.replace("<math", '<math xmlns="http://www.w3.org/1998/Math/MathML"'), "application/xml").documentElement;
  const only = (node) => node.namespaceURI === "http://www.w3.org/1998/Math/MathML" && [...node.children].every(only);
  return only(tree) ? document.importNode(tree, true) : document.createTextNode(tree.textContent);
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
  const [W, H, left, right, top, bottom] = [620, 260, 46, 10, 12, 24];
  const ys = event.curves.flatMap((curve) => curve.y).filter((y) => y !== null);
  if (!ys.length) return;
  const [x0, x1, y0, y1] = [event.x[0], event.x.at(-1), Math.min(...ys), Math.max(...ys)];
  const px = (x) => left + (W - left - right) * (x - x0) / (x1 - x0);
  const py = (y) => H - bottom - (H - top - bottom) * (y - y0) / (y1 - y0 || 1);
  const draw = (name, attributes, text = "") => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  };
  const picture = draw("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `${event.name} and its derivative as stated` });
  picture.append(draw("rect", { class: "frame", x: left, y: top, width: W - left - right, height: H - top - bottom }));
  if (y0 < 0 && y1 > 0) picture.append(draw("path", { class: "frame", d: `M${left} ${py(0)}H${W - right}` }));
  event.curves.forEach((curve, k) => {
    let path = "", pen = "M";
    curve.y.forEach((y, i) => { if (y === null) pen = "M"; else { path += `${pen}${px(event.x[i]).toFixed(1)} ${py(y).toFixed(1)}`; pen = "L"; } });
    picture.append(draw("path", { class: `curve-${k}`, d: path }), draw("text", { class: `label-${k}`, x: left + 10, y: top + 18 + 16 * k }, curve.label));
  });
  const tick = (v) => `${+v.toPrecision(3)}`;
  picture.append(draw("text", { x: 4, y: top + 8 }, tick(y1)), draw("text", { x: 4, y: H - bottom }, tick(y0)),
    draw("text", { x: left, y: H - 6 }, tick(x0)), draw("text", { x: W - 24, y: H - 6 }, tick(x1)));
  into.append(picture);
}

loadExamples().catch((error) => say(`The examples could not be loaded: ${error.message}`));
