// Holds bundles (one JSON text a line on standard input) against FHIR R4 by FHIR.js (npm package `fhir`), which
// brings the structure definitions of R4 and its required value sets: another reader than `fhir.resources`.
// Prints the number of bundles without an error, then every error.
const { createInterface } = require("node:readline");
const { Fhir } = require(require.resolve("fhir/fhir", { paths: [process.argv[2]] }));

const fhir = new Fhir();
const errors = [];
let valid = 0;
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const found = fhir.validate(JSON.parse(line), { errorOnUnexpected: true });
  valid += found.valid ? 1 : 0;
  for (const message of found.messages) {
    if (!["info", "warning"].includes(message.severity)) errors.push(`${message.location}: ${message.message}`);
  }
});
lines.on("close", () => console.log([valid, ...errors].join("\n")));
