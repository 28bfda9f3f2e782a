// Runs a surfpool validator until standard input is closed: `node start.cjs ADDON SLOT_MS [PROGRAM_ID=FILE ...]`.
// Prints one line with its addresses after the programs are deployed.

const [addon, slotMs, ...programs] = process.argv.slice(2);
const { Surfnet } = require(addon);

const surfnet = Surfnet.startWithConfig({
  offline: true,
  blockProductionMode: "clock",
  slotTimeMs: Number(slotMs),
});
for (const each of programs) {
  const [programId, soPath] = each.split("=", 2);
  surfnet.deploy({ programId, soPath });
}
console.log(JSON.stringify({ url: surfnet.rpcUrl, ws_url: surfnet.wsUrl }));

setInterval(() => surfnet.drainEvents(), 100); // events are queued until they are read
process.stdin.on("end", () => {
  surfnet.stop();
  process.exit(0);
});
process.stdin.resume();
