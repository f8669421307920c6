// Fills and churns a heap, with `keepHeapSmall` of the module given or without; writes its peak in MiB.
const [module] = process.argv.slice(2);
if (module !== undefined) (await import(module)).keepHeapSmall();
const living = new Map();
for (let i = 0; i < 200_000; i++) living.set(`key ${i}`, { i });
const passing = [];
let peak = 0;
for (let i = 0; i < 4_000_000; i++) {
  passing[i % 200_000] = { i, text: `value ${i}` };
  if (i % 50_000 === 0) peak = Math.max(peak, process.memoryUsage().heapTotal);
}
if (living.size !== passing.length) throw new Error('the heap does not hold what it is to hold');
console.log(Math.round(peak / 2 ** 20));
