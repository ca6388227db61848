// What the issuers are told at their start: clients, ports, and the youths as they are today.
import fs from 'node:fs';

export const settings = JSON.parse(fs.readFileSync(process.argv[2]));
