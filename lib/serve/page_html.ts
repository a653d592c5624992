/**
 * The page at `/`, written by hand. It shows a file with the library itself,
 * in a worker of the browser; nothing is sent anywhere.
 *
 * @module
 */

/** The whole page. Its script is told apart by {@linkcode PAGE_SCRIPT}. */
export const PAGE_HEAD: string = String.raw`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="See what is in a Python pickle, in your browser. Nothing is uploaded, nothing is run.">
<title>Brine: what is in this pickle?</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect x='4' y='1' width='8' height='14' rx='4' fill='%234b7f3a'/%3E%3C/svg%3E">
<style>
:root {
  color-scheme: light dark;
  --ink: light-dark(#1c2420, #e4e9e5);
  --soft: light-dark(#55605a, #a3aea7);
  --line: light-dark(#cfd8d2, #3b4540);
  --paper: light-dark(#fbfcfa, #141816);
  --card: light-dark(#ffffff, #1c211e);
  --green: light-dark(#2f6a22, #8ccf7a);
  --amber: light-dark(#8a5a00, #f0bd5a);
  --red: light-dark(#a3201c, #ff9088);
  --blue: light-dark(#1a5a8a, #86c1ee);
  --focus: light-dark(#1a5a8a, #86c1ee);
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 68rem; padding: 1.5rem 1rem 4rem;
  font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
}
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 0; overflow-wrap: anywhere; }
#name:focus { outline: none; }
p { margin: .25rem 0 1rem; }
.soft { color: var(--soft); }
button, .button, select {
  font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line);
  border-radius: .4rem; padding: .35rem .8rem; cursor: pointer; min-height: 2.5rem;
}
button:hover { border-color: var(--ink); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
#drop {
  display: block; border: 2px dashed var(--line); border-radius: .8rem; background: var(--card);
  padding: 2rem 1rem; text-align: center; margin: 1rem 0 1.5rem;
}
#drop.over { border-color: var(--green); border-style: solid; }
#drop p { margin: .6rem 0 0; }
#drop.small { padding: .8rem 1rem; }
#status { min-height: 1.5rem; }
#status:empty { min-height: 0; margin: 0; }
#status.bad { color: var(--red); }
#result { border-top: 1px solid var(--line); padding-top: 1.2rem; }
#verdict {
  border-left: .4rem solid var(--line); background: var(--card); border-radius: .3rem;
  padding: .6rem .9rem; margin: .8rem 0;
}
#verdict strong { text-transform: uppercase; letter-spacing: .03em; }
#verdict.safe { border-color: var(--green); } #verdict.safe strong { color: var(--green); }
#verdict.unknown { border-color: var(--amber); } #verdict.unknown strong { color: var(--amber); }
#verdict.dangerous, #verdict.malformed { border-color: var(--red); }
#verdict.dangerous strong, #verdict.malformed strong { color: var(--red); }
#verdict ul { margin: .4rem 0 0; padding-left: 1.2rem; max-height: 14rem; overflow: auto; }
[role=tablist] { display: flex; flex-wrap: wrap; gap: .3rem; border-bottom: 1px solid var(--line); margin-top: 1rem; }
[role=tab] { border-bottom: none; border-radius: .4rem .4rem 0 0; background: none; }
[role=tab][aria-selected=true] { background: var(--card); font-weight: 600; border-color: var(--ink); }
[role=tabpanel] { background: var(--card); border: 1px solid var(--line); border-top: none; padding: .8rem; overflow: auto; }
[role=tabpanel] > .bar { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin-bottom: .6rem; }
pre, [role=tree], table { font: .875rem/1.55 ui-monospace, "DejaVu Sans Mono", monospace; }
pre { margin: 0; white-space: pre; overflow: auto; max-height: 70vh; }
[role=tree], [role=group] { list-style: none; margin: 0; padding: 0; }
[role=group] { padding-left: 1.3rem; border-left: 1px solid var(--line); margin-left: .45rem; }
[role=treeitem] { margin: 0; }
[role=treeitem]:focus { outline: none; }
[role=treeitem]:focus-visible > .row { outline: 3px solid var(--focus); outline-offset: -1px; border-radius: .2rem; }
.row { display: flex; gap: .5rem; padding: .12rem .3rem; align-items: baseline; cursor: default; }
[aria-expanded] > .row { cursor: pointer; }
.row::before { content: ""; width: .8rem; flex: none; text-align: center; color: var(--soft); }
[aria-expanded=false] > .row::before { content: "▸"; content: "▸" / ""; }
[aria-expanded=true] > .row::before { content: "▾"; content: "▾" / ""; }
.label { font-weight: 600; overflow-wrap: anywhere; }
.type { color: var(--soft); flex: none; }
.text { color: var(--blue); overflow-wrap: anywhere; min-width: 0; }
.more > .row { color: var(--blue); cursor: pointer; text-decoration: underline; }
.scroll { overflow: auto; margin: .2rem 0 .5rem 1.3rem; }
table { border-collapse: collapse; }
th, td { border: 1px solid var(--line); padding: .15rem .5rem; text-align: right; white-space: nowrap; }
th { background: var(--paper); }
footer { margin-top: 2.5rem; font-size: .9rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
[hidden] { display: none !important; }
.sample { color: var(--soft); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
[aria-expanded=true] > .row > .sample { display: none; }
@media (max-width: 40rem) {
  #drop.small p { display: none; }
  .row { display: block; padding-left: 1.5rem; text-indent: -1.2rem; }
  .row::before { display: inline-block; text-indent: 0; margin-right: .4rem; }
  .sample { display: block; text-indent: 0; }
  [role=group] { padding-left: .7rem; }
}
@media (prefers-reduced-motion: no-preference) { #drop { transition: border-color .15s; } }
</style>
</head>
<body>
<header>
  <h1>What is in this pickle?</h1>
  <p class="soft">Your browser opens it, right here. Nothing is uploaded, and nothing in the file is run.</p>
</header>
<main>
  <div id="drop">
    <input class="hidden" type="file" id="file" tabindex="-1" aria-hidden="true">
    <button type="button" id="choose">Choose a file</button>
    <p class="soft">or drop one here: <code>.pkl</code>, <code>.pickle</code>, <code>.joblib</code>, <code>.pt</code>, <code>.json</code>, also in gzip</p>
  </div>
  <p id="status" role="status" aria-live="polite"></p>
  <section id="result" aria-labelledby="name" hidden>
    <h2 id="name" tabindex="-1"></h2>
    <p id="facts" class="soft"></p>
    <div id="verdict" role="status"></div>
    <div role="tablist" aria-label="Views of the file">
      <button role="tab" id="tab-tree" aria-controls="panel-tree" aria-selected="true">Contents</button>
      <button role="tab" id="tab-json" aria-controls="panel-json" aria-selected="false" tabindex="-1">JSON</button>
      <button role="tab" id="tab-dis" aria-controls="panel-dis" aria-selected="false" tabindex="-1">Instructions</button>
    </div>
    <div role="tabpanel" id="panel-tree" aria-labelledby="tab-tree">
      <ul role="tree" id="tree" aria-label="Contents of the file"></ul>
    </div>
    <div role="tabpanel" id="panel-json" aria-labelledby="tab-json" hidden>
      <div class="bar">
        <label>Values that JSON lacks
          <select id="types">
            <option value="plain">as the nearest JSON</option>
            <option value="tagged">tagged, nothing lost</option>
          </select>
        </label>
        <button type="button" id="save-json">Download JSON</button>
      </div>
      <pre id="json" tabindex="0" role="region" aria-label="JSON"></pre>
    </div>
    <div role="tabpanel" id="panel-dis" aria-labelledby="tab-dis" hidden>
      <div class="bar"><button type="button" id="save-dis">Download instructions</button></div>
      <pre id="dis" tabindex="0" role="region" aria-label="Instructions of the pickle"></pre>
    </div>
  </section>
</main>
<footer class="soft">Brine reads Python's pickles without running them. The same address converts what is posted to it: <code id="curl">curl --data-binary @data.pkl</code></footer>
`;

/** The script of the page; the library itself is the worker `brine.js`. */
export const PAGE_SCRIPT: string = String.raw`
"use strict";
const $ = (id) => document.getElementById(id);
let worker, calls, serial = 0, views = {}, fileName = "";

function start() {
  if (worker) worker.terminate();
  worker = new Worker("brine.js", { type: "module" });
  calls = new Map();
  worker.onmessage = ({ data: { id, result, error } }) => {
    const call = calls.get(id);
    calls.delete(id);
    if (error === undefined) call.resolve(result);
    else call.reject(new Error(error));
  };
  worker.onerror = (event) => {
    for (const call of calls.values()) call.reject(new Error(event.message || "the worker stopped"));
    calls.clear();
  };
}

function call(method, params) {
  const id = ++serial;
  return new Promise((resolve, reject) => {
    calls.set(id, { resolve, reject });
    worker.postMessage({ id, method, params });
  });
}

// What is seen anyway is only said.
function say(text, { bad, aside } = {}) {
  $("status").textContent = text;
  $("status").className = bad ? "bad" : aside ? "hidden" : "";
}

async function open(file) {
  start();
  const mine = worker;
  fileName = file.name;
  views = {};
  $("result").hidden = true;
  say("Reading " + file.name + " …");
  try {
    const opened = await call("open", { file });
    if (worker !== mine) return;
    show(opened);
    const report = await call("scan", {});
    if (worker === mine) showVerdict(report);
  } catch (error) {
    if (worker !== mine) return;
    say(error.message, { bad: true });
  }
}

function show({ name, facts, roots, pickle, problem }) {
  $("drop").classList.add("small");
  $("name").textContent = name;
  $("facts").textContent = facts;
  $("verdict").className = "";
  $("verdict").textContent = pickle ? "Checking whether Python could be harmed by it …" : "JSON is data and harms nobody.";
  $("tree").replaceChildren(...roots.map((node) => item(node, 1)));
  const first = $("tree").firstElementChild;
  if (first) { first.tabIndex = 0; if (roots.length === 1 && roots[0].count) expand(first, true); }
  $("tab-dis").hidden = !pickle;
  $("result").hidden = false;
  select("tree");
  document.title = name + " – Brine";
  say(problem || name + " is open.", { bad: problem, aside: !problem });
  $("name").focus();
}

const MEANING = {
  safe: "nothing but data.",
  unknown: "it uses names that nobody vouches for. Load it in Python only if you trust where it comes from.",
  dangerous: "do not load this in Python. It would run code.",
  malformed: "it is damaged, or no pickle. Python runs what comes before the damage.",
};

function showVerdict(report) {
  const box = $("verdict");
  if (!report) return;
  box.className = report.verdict;
  const strong = document.createElement("strong");
  strong.textContent = report.verdict;
  box.replaceChildren(strong, ": " + MEANING[report.verdict]);
  const list = document.createElement("ul");
  for (const { text } of report.findings) {
    const li = document.createElement("li");
    li.textContent = text;
    list.append(li);
  }
  if (report.findings.length) box.append(list);
}

let rows = 0;
function item(node, level, place) {
  const li = document.createElement("li");
  li.setAttribute("role", "treeitem");
  li.setAttribute("aria-level", level);
  li.tabIndex = -1;
  li.node = node;
  const row = document.createElement("div");
  row.className = "row";
  // Else a reader would say all that is in it.
  row.id = "row-" + ++rows;
  li.setAttribute("aria-labelledby", row.id);
  if (place) {
    li.setAttribute("aria-posinset", place.at);
    li.setAttribute("aria-setsize", place.of);
  }
  const add = (name, text) => {
    const span = document.createElement("bdi");
    span.className = name;
    span.textContent = text;
    row.append(span, " ");
  };
  if (node.label !== undefined) add("label", node.label);
  add("type", node.type + (node.count ? " (" + node.count.toLocaleString() + ")" : ""));
  if (node.text !== undefined) add("text", node.text);
  if (node.sample !== undefined) add("sample", node.sample);
  li.append(row);
  if (node.count) li.setAttribute("aria-expanded", "false");
  if (node.table) li.append(tableOf(node.table));
  return li;
}

function tableOf({ header, rows }) {
  const box = document.createElement("div");
  box.className = "scroll";
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "Some of its cells");
  const table = box.appendChild(document.createElement("table"));
  const line = (cells, tag) => {
    const tr = table.insertRow();
    cells.forEach((cell, index) => {
      const td = document.createElement(cell === "" ? "td" : index === 0 && header ? "th" : tag);
      td.textContent = cell;
      tr.append(td);
    });
  };
  if (header) line(header, "th");
  for (const row of rows) line(row, "td");
  return box;
}

async function expand(li, open) {
  if (!li.hasAttribute("aria-expanded")) return;
  let group = li.querySelector(":scope > [role=group]");
  if (open && !group) {
    group = document.createElement("ul");
    group.setAttribute("role", "group");
    li.append(group);
    await fill(li, group, 0);
  }
  li.setAttribute("aria-expanded", String(open));
  if (group) group.hidden = !open;
}

const PAGE = 100;
async function fill(li, group, from) {
  const parts = await call("parts", { id: li.node.id, from, to: from + PAGE });
  const level = Number(li.getAttribute("aria-level")) + 1;
  const added = parts.map((part, index) =>
    item(part, level, { at: from + index + 1, of: li.node.count }));
  group.append(...added);
  const left = li.node.count - from - parts.length;
  if (left > 0 && parts.length) {
    const more = document.createElement("li");
    more.setAttribute("role", "treeitem");
    more.setAttribute("aria-level", level);
    more.className = "more";
    more.tabIndex = -1;
    more.innerHTML = "<div class=row></div>";
    more.firstChild.textContent = "Show " + Math.min(PAGE, left).toLocaleString() + " of " + left.toLocaleString() + " more";
    more.act = async () => {
      const before = more.previousElementSibling;
      more.remove();
      await fill(li, group, from + parts.length);
      focusItem(before.nextElementSibling || before);
    };
    group.append(more);
  }
}

function focusItem(li) {
  if (!li) return;
  for (const other of $("tree").querySelectorAll("[tabindex='0']")) other.tabIndex = -1;
  li.tabIndex = 0;
  li.focus();
}

function visible() {
  return [...$("tree").querySelectorAll("[role=treeitem]")].filter((li) => !li.parentElement.closest("[hidden]"));
}

$("tree").addEventListener("click", (event) => {
  const row = event.target.closest(".row");
  if (!row || String(getSelection())) return;
  const li = row.parentElement;
  focusItem(li);
  if (li.act) li.act();
  else expand(li, li.getAttribute("aria-expanded") === "false");
});

$("tree").addEventListener("keydown", (event) => {
  const li = event.target.closest("[role=treeitem]");
  if (!li || event.target.closest(".scroll") || event.ctrlKey || event.metaKey || event.altKey) return;
  const open = li.getAttribute("aria-expanded");
  const all = visible();
  const at = all.indexOf(li);
  switch (event.key) {
    case "ArrowDown": focusItem(all[at + 1]); break;
    case "ArrowUp": focusItem(all[at - 1]); break;
    case "Home": focusItem(all[0]); break;
    case "End": focusItem(all[all.length - 1]); break;
    case "ArrowRight":
      if (open === "false") expand(li, true);
      else if (open === "true") focusItem(li.querySelector("[role=treeitem]"));
      break;
    case "ArrowLeft":
      if (open === "true") expand(li, false);
      else focusItem(li.parentElement.closest("[role=treeitem]"));
      break;
    case "Enter": case " ":
      if (li.act) li.act();
      else expand(li, open === "false");
      break;
    default: return;
  }
  event.preventDefault();
});

const TABS = ["tree", "json", "dis"];
function select(name, focus) {
  for (const tab of TABS) {
    const on = tab === name;
    $("tab-" + tab).setAttribute("aria-selected", String(on));
    $("tab-" + tab).tabIndex = on ? 0 : -1;
    $("panel-" + tab).hidden = !on;
  }
  if (focus) $("tab-" + name).focus();
  if (name !== "tree") load(name);
}
for (const tab of TABS) $("tab-" + tab).addEventListener("click", () => select(tab));
document.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
  const tabs = TABS.filter((tab) => !$("tab-" + tab).hidden);
  const at = tabs.findIndex((tab) => $("tab-" + tab) === event.target);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (event.key === "Home") select(tabs[0], true);
  else if (event.key === "End") select(tabs[tabs.length - 1], true);
  else if (step) select(tabs[(at + step + tabs.length) % tabs.length], true);
  else return;
  event.preventDefault();
});

async function load(name) {
  const key = name === "json" ? "json-" + $("types").value : name;
  if (!views[key]) {
    $(name).textContent = "Working …";
    try {
      views[key] = await call(name, { types: $("types").value });
    } catch (error) {
      $(name).textContent = error.message;
      return;
    }
  }
  $(name).textContent = views[key].preview;
  return views[key];
}
$("types").addEventListener("change", () => load("json"));

async function save(name, ending) {
  const view = await load(name);
  if (!view) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(view.blob);
  link.download = fileName.replace(/(\.gz)?$/, "").replace(/\.[^.]*$/, "") + ending;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
$("save-json").addEventListener("click", () => save("json", ".json"));
$("save-dis").addEventListener("click", () => save("dis", ".txt"));

$("curl").textContent += " " + location.origin + location.pathname;

$("choose").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => { if ($("file").files[0]) open($("file").files[0]); $("file").value = ""; });
addEventListener("dragover", (event) => { event.preventDefault(); $("drop").classList.add("over"); });
addEventListener("dragleave", (event) => { if (!event.relatedTarget) $("drop").classList.remove("over"); });
addEventListener("drop", (event) => {
  event.preventDefault();
  $("drop").classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (file) open(file);
});
addEventListener("paste", (event) => { const [file] = event.clipboardData.files; if (file) open(file); });
`;
