// CPython in WebAssembly with the library; it calls one function of Python, PROGRAM, for each text, and posts what that tells.
const [module, does] = globalThis.PROGRAM.split(".");
const here = globalThis.PLAYGROUND; // the folder of the page; this file may have been started from a blob
const read = async (name) => {
  const answer = await fetch(new URL(name, here));
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return answer.arrayBuffer();
};
const tell = (event) => postMessage(event);

async function load() {
  const { loadPyodide } = await import(new URL("pyodide/pyodide.mjs", here));
  const [python, library] = await Promise.all([loadPyodide({ indexURL: new URL("pyodide/", here).href }), read("nerva.zip")]);
  python.unpackArchive(library, "zip", { extractDir: "/library" });
  globalThis.fetchSymPy = () => { // when the prover first asks for it; a worker may wait for an answer
    const request = new XMLHttpRequest();
    request.open("GET", new URL("sympy.zip", here), false);
    request.responseType = "arraybuffer";
    request.send();
    if (request.status !== 200) throw new Error(`sympy.zip: ${request.status}`);
    python.unpackArchive(request.response, "zip", { extractDir: "/library" });
  };
  python.runPython("import sys; sys.path.insert(0, '/library'); import browser");
  python.pyimport(module);
  return python;
}

const ready = load();
ready.then(() => tell({ kind: "ready" }), (error) => tell({ kind: "failed", text: String(error.message ?? error).trim().split("\n").pop() }));
onmessage = async ({ data }) => {
  const python = await ready;
  python.pyimport(module)[does](data, (event) => tell(JSON.parse(event)));
};
