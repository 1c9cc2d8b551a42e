// The npm package jsonata, asked line by line: for each case its value and the nanoseconds of one evaluation.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [modules, millis, rounds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const jsonata = createRequire(modules + "/")("jsonata");

// The fastest of some rounds: what else the machine does makes others slower.
async function timed(run) {
  let best = Infinity;
  // The first is for the compiler of Node.
  for (let round = 0; round <= rounds; round++) {
    const began = performance.now();
    let [count, batch] = [0, 1];
    // The clock is read more seldom when a call is short.
    while (performance.now() - began < millis) {
      for (let i = 0; i < batch; i++) await run();
      count += batch;
      batch = Math.min(batch * 2, count, 64);
    }
    if (round > 0) best = Math.min(best, ((performance.now() - began) * 1e6) / count);
  }
  return best;
}

async function answer({ expr, data, bindings }) {
  try {
    const compiled = jsonata(expr);
    const value = await compiled.evaluate(data ?? undefined, bindings);
    const nanos = await timed(() => compiled.evaluate(data ?? undefined, bindings));
    // As text first: what a function of the case may have made is no JSON.
    return { value: JSON.parse(JSON.stringify(value ?? null, whole) ?? "null"), nanos };
  } catch (error) {
    return { error: String(error?.code ?? error) };
  }
}

// Half of a pair of surrogates is no text elsewhere.
const whole = (_, value) => (typeof value === "string" ? value.toWellFormed() : value);

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
