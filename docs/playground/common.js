// What the pages share: elements, formulas, curves, and the worker in which Python runs.
export const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and contents; texts are never taken for HTML. */
export function element(name, attributes = {}, ...contents) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) key.startsWith("on") ? made.addEventListener(key.slice(2), value) : made.setAttribute(key, value);
  made.append(...contents);
  return made;
}

/** The formula; a parser of XML, so that nothing but elements comes of it, and of those MathML only. */
export function mathematics(text) {
  const tree = new DOMParser().parseFromString(text.replace("<math", '<math xmlns="http://www.w3.org/1998/Math/MathML"'), "application/xml").documentElement;
  const only = (node) => node.namespaceURI === "http://www.w3.org/1998/Math/MathML" && [...node.children].every(only);
  return only(tree) ? document.importNode(tree, true) : document.createTextNode(tree.textContent);
}

/** Python, which calls a function for each text that is posted, play.examine or step.step; "ready", and what it tells, are heard. */
export function startWorker(program, heard) {
  const at = (name) => new URL(name, location.href).href;
  // From a blob it has the Content-Security-Policy of this page.
  const source = `globalThis.PLAYGROUND = ${JSON.stringify(at("./"))}; globalThis.PROGRAM = ${JSON.stringify(program)}; await import(${JSON.stringify(at("worker.js"))});`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const made = new Worker(url, { type: "module" });
  made.onmessage = ({ data }) => heard(data, made);
  made.onerror = (error) => heard({ kind: "failed", text: error.message || "the worker could not be started" }, made);
  return made;
}
export const FROM_DISK = "Opened from a disk the page may not load Python: run  python3 -m http.server -d site  and open http://localhost:8000/playground/";
export const notLoaded = (text) => `Python could not be loaded: ${text}. If this copy of the site was built without the playground, "make playground docs" builds it.`;

/** Curves over x; null, if nothing of them is a number. */
export function curves({ x, curves: drawn, label }) {
  const [W, H, left, right, top, bottom] = [620, 260, 46, 10, 12, 24];
  const ys = drawn.flatMap((curve) => curve.y).filter((y) => y !== null);
  if (!ys.length) return null;
  const [x0, x1, y0, y1] = [x[0], x.at(-1), Math.min(...ys), Math.max(...ys)];
  const px = (x) => left + (W - left - right) * (x - x0) / (x1 - x0 || 1);
  const py = (y) => H - bottom - (H - top - bottom) * (y - y0) / (y1 - y0 || 1);
  const draw = (name, attributes, text = "") => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  };
  const picture = draw("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": label });
  picture.append(draw("rect", { class: "frame", x: left, y: top, width: W - left - right, height: H - top - bottom }));
  if (y0 < 0 && y1 > 0) picture.append(draw("path", { class: "frame", d: `M${left} ${py(0)}H${W - right}` }));
  drawn.forEach((curve, k) => {
    let path = "", pen = "M";
    curve.y.forEach((y, i) => { if (y === null) pen = "M"; else { path += `${pen}${px(x[i]).toFixed(1)} ${py(y).toFixed(1)}`; pen = "L"; } });
    picture.append(draw("path", { class: `curve-${k}`, d: path }), draw("text", { class: `label-${k}`, x: left + 10, y: top + 18 + 16 * k }, curve.label));
  });
  const tick = (v) => `${+v.toPrecision(3)}`;
  picture.append(draw("text", { x: 4, y: top + 8 }, tick(y1)), draw("text", { x: 4, y: H - bottom }, tick(y0)),
    draw("text", { x: left, y: H - 6 }, tick(x0)), draw("text", { x: W - 24, y: H - 6 }, tick(x1)));
  return picture;
}
