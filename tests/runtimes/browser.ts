/** A headless Chromium, driven by its DevTools protocol. */

interface Answer {
  id?: number;
  method?: string;
  // deno-lint-ignore no-explicit-any
  params?: any;
  // deno-lint-ignore no-explicit-any
  result?: any;
  error?: { message: string };
}

/** A browser with one page. */
export class Browser implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #socket: WebSocket;
  readonly #folder: string;
  // deno-lint-ignore no-explicit-any
  readonly #calls = new Map<number, PromiseWithResolvers<any>>();
  #session: string | undefined;
  #serial = 0;
  /** What the page and its workers have asked for, since the last `open`. */
  readonly requests: string[] = [];
  /** What went wrong in the page. */
  readonly errors: string[] = [];
  #loaded: PromiseWithResolvers<void> | undefined;

  private constructor(
    process: Deno.ChildProcess,
    socket: WebSocket,
    folder: string,
  ) {
    this.#process = process;
    this.#socket = socket;
    this.#folder = folder;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
  }

  /** Starts it. */
  static async start(
    program: string,
    flags: readonly string[] = [],
  ): Promise<Browser> {
    const folder = await Deno.makeTempDir();
    const process = new Deno.Command(program, {
      args: [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
        "--remote-debugging-port=0",
        `--user-data-dir=${folder}`,
        ...flags,
        "about:blank",
      ],
      stdout: "null",
      stderr: "null",
    }).spawn();
    let address = "";
    for (let i = 0; i < 200 && address === ""; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      try {
        const text = await Deno.readTextFile(`${folder}/DevToolsActivePort`);
        const [port, path] = text.split("\n");
        if (path) address = `ws://127.0.0.1:${port}${path}`;
      } catch {
        // It is not up yet.
      }
    }
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    const browser = new Browser(process, socket, folder);
    const { targetId } = await browser.#call("Target.createTarget", {
      url: "about:blank",
    });
    const { sessionId } = await browser.#call("Target.attachToTarget", {
      targetId,
      flatten: true,
    });
    browser.#session = sessionId;
    await browser.#call("Page.enable");
    await browser.#call("Runtime.enable");
    await browser.#call("Network.enable");
    await browser.#call("Log.enable");
    await browser.#call("Target.setAutoAttach", {
      autoAttach: true,
      waitForDebuggerOnStart: false,
      flatten: true,
    });
    return browser;
  }

  #take(answer: Answer): void {
    const { id, method, params, result, error } = answer;
    if (id !== undefined) {
      const call = this.#calls.get(id);
      this.#calls.delete(id);
      if (error === undefined) call?.resolve(result);
      else call?.reject(new Error(error.message));
      return;
    }
    switch (method) {
      case "Page.loadEventFired":
        this.#loaded?.resolve();
        break;
      case "Network.requestWillBeSent":
        this.requests.push(`${params.request.method} ${params.request.url}`);
        break;
      case "Runtime.exceptionThrown":
        this.errors.push(JSON.stringify(params.exceptionDetails));
        break;
      case "Log.entryAdded":
        if (params.entry.level === "error") this.errors.push(params.entry.text);
        break;
    }
  }

  // deno-lint-ignore no-explicit-any
  #call(method: string, params: Record<string, unknown> = {}): Promise<any> {
    const id = ++this.#serial;
    const call = Promise.withResolvers();
    this.#calls.set(id, call);
    this.#socket.send(JSON.stringify({
      id,
      method,
      params,
      ...(this.#session === undefined ? {} : { sessionId: this.#session }),
    }));
    return call.promise;
  }

  /** Opens an address, and waits until it is there. */
  async open(url: string): Promise<void> {
    this.requests.length = this.errors.length = 0;
    this.#loaded = Promise.withResolvers();
    await this.#call("Page.navigate", { url });
    await this.#loaded.promise;
  }

  /** Runs an expression in the page and gives its value. */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.#call("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) {
      throw new Error(JSON.stringify(exceptionDetails));
    }
    return result.value;
  }

  /** Waits until an expression is true. */
  async until(expression: string): Promise<void> {
    for (let i = 0; i < 600; i++) {
      if (await this.evaluate(`Boolean(${expression})`)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`never: ${expression}`);
  }

  /** Gives a file to a file input. */
  async choose(selector: string, path: string): Promise<void> {
    const { root } = await this.#call("DOM.getDocument");
    const { nodeId } = await this.#call("DOM.querySelector", {
      nodeId: root.nodeId,
      selector,
    });
    await this.#call("DOM.setFileInputFiles", { nodeId, files: [path] });
  }

  /** Presses a key. */
  async press(key: string): Promise<void> {
    for (const type of ["keyDown", "keyUp"]) {
      await this.#call("Input.dispatchKeyEvent", { type, key, code: key });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.onclose = resolve);
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await closed;
    await Deno.remove(this.#folder, { recursive: true }).catch(() => {});
  }
}
