import { assert, assertEquals } from "@std/assert";
import serve from "../../lib/serve/mod.ts";
import { dumps } from "../../lib/pickle/mod.ts";
import { Browser } from "./browser.ts";
import { CHROMIUM, has } from "./support.ts";

const TREE = `[...document.querySelectorAll("[role=treeitem] > .row")]
  .filter((row) => row.checkVisibility())
  .map((row) => row.innerText.replace(/\\s+/g, " ").trim())`;

Deno.test({
  name: "the page shows files, and nothing leaves it",
  ignore: !await has(CHROMIUM),
  async fn() {
    await using server = Deno.serve(
      { port: 0, onListen() {} },
      serve.fetch,
    );
    const { port } = server.addr as Deno.NetAddr;
    const folder = await Deno.makeTempDir();
    await using browser = await Browser.start(CHROMIUM);
    try {
      const home = `http://localhost:${port}/`;
      await browser.open(home);
      await Deno.writeFile(
        `${folder}/evil.pkl`,
        new TextEncoder().encode("cos\nsystem\n(S'<img src=x>'\ntR."),
      );
      await Deno.writeFile(
        `${folder}/rows.pkl`,
        dumps({
          rows: Array.from({ length: 250 }, (_, id) => ({ id })),
          ok: true,
        }),
      );
      await Deno.writeFile(`${folder}/cut.pkl`, Uint8Array.of(0x80, 4, 0x4e));

      await browser.choose("#file", `${folder}/rows.pkl`);
      await browser.until(`document.querySelector("#verdict.safe")`);
      assertEquals(
        await browser.evaluate(TREE),
        [
          'dict (2) "rows": list (250), "ok": True',
          '"rows" list (250) dict (1), dict (1), dict (1), dict (1), dict (1), dict (1), …',
          '"ok" bool True',
        ].map((line, index) => index === 0 ? "dict (2)" : line),
      );

      // By keyboard alone.
      await browser.evaluate(
        `document.querySelector("#tree [tabindex='0']").focus()`,
      );
      await browser.press("ArrowDown");
      await browser.press("ArrowRight");
      await browser.until(
        `document.querySelectorAll("[role=treeitem]").length === 104`,
      );
      await browser.press("End");
      await browser.press("ArrowUp");
      assertEquals(
        await browser.evaluate(`document.activeElement.innerText.trim()`),
        "Show 100 of 150 more",
      );
      await browser.press("Enter");
      await browser.until(
        `document.querySelectorAll("[role=treeitem]").length === 204`,
      );
      assertEquals(
        await browser.evaluate(
          `document.activeElement.innerText.trim().split(/\\s/)[0]`,
        ),
        "100",
      );

      await browser.evaluate(`document.querySelector("#tab-json").click()`);
      await browser.until(
        `document.querySelector("#json").textContent.includes('"id": 249')`,
      );
      await browser.evaluate(`document.querySelector("#tab-dis").click()`);
      await browser.until(
        `document.querySelector("#dis").textContent.includes("EMPTY_DICT")`,
      );

      await browser.choose("#file", `${folder}/evil.pkl`);
      await browser.until(`document.querySelector("#verdict.dangerous")`);
      const verdict = await browser.evaluate(
        `document.querySelector("#verdict").textContent`,
      );
      assert(String(verdict).includes("os.system"), String(verdict));
      assertEquals(await browser.evaluate(`document.images.length`), 0);

      await browser.choose("#file", `${folder}/cut.pkl`);
      await browser.until(`document.querySelector("#verdict.malformed")`);
      assertEquals(
        await browser.evaluate(`document.querySelector("#status").className`),
        "bad",
      );

      const others = browser.requests.filter((request) =>
        request !== `GET ${home}` && request !== `GET ${home}brine.js` &&
        !request.startsWith("GET data:") && !request.startsWith("GET blob:")
      );
      assertEquals(others, []);
      assertEquals(browser.errors, []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
