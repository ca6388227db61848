// A reader that knows nothing of this code base but one published AsyncAPI document: finds the channels that its service reads,
// subscribes, checks every record against the document, and prints what it understood, one JSON line per record.
// Usage: node stranger.mjs <document> <service> <records to read>. KAFKA_BOOTSTRAP; KAFKA_USERNAME and KAFKA_PASSWORD when it has a principal.
import { readFile } from "node:fs/promises";
import Ajv from "ajv";
import addFormats from "ajv-formats";
import { Kafka, logLevel } from "kafkajs";

const [file, service, wanted] = process.argv.slice(2);
const document = JSON.parse(await readFile(file, "utf8"));
const ajv = addFormats(new Ajv({ strict: false, allErrors: true, logger: false }));
ajv.addSchema({ components: document.components }, "catalogue"); // the rest of the document is no schema

const pointer = (reference) => reference.slice(2).split("/").map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
const found = (reference) => pointer(reference).reduce((node, part) => node[part], document);
const check = (reference) => ajv.getSchema(`catalogue${reference}`) ?? ajv.compile({ $ref: `catalogue${reference}` });

const channels = Object.values(document.operations)
  .filter((operation) => operation.action === "receive" && operation["x-service"] === service)
  .map((operation) => found(operation.channel.$ref));
const types = new Map(channels.flatMap((channel) => Object.values(channel.messages).map(({ $ref }) => [found($ref).name, $ref])));

const { KAFKA_BOOTSTRAP, KAFKA_USERNAME: username, KAFKA_PASSWORD: password } = process.env;
const kafka = new Kafka({
  clientId: service,
  brokers: [KAFKA_BOOTSTRAP],
  logLevel: logLevel.NOTHING,
  retry: { initialRetryTime: 200, maxRetryTime: 2000, retries: 20 },
  sasl: username ? { mechanism: "scram-sha-256", username, password } : undefined,
});
const consumer = kafka.consumer({ groupId: service });
await consumer.connect();
await consumer.subscribe({ topics: channels.map((channel) => channel.address), fromBeginning: true });

let read = 0;
await new Promise((resolve, reject) => {
  consumer.on(consumer.events.CRASH, ({ payload }) => payload.restart || reject(payload.error)); // a group that loads is tried again
  setTimeout(() => reject(new Error(`${read} of ${wanted} records in 60 s`)), 60_000).unref();
  consumer.run({
    eachMessage: async ({ topic, message }) => {
      const headers = Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, value.toString()]));
      const reference = types.get(headers.ce_type);
      const payload = JSON.parse(message.value.toString());
      const headersFit = reference ? check(`${reference}/headers`) : null;
      const payloadFits = reference ? check(found(reference).payload.$ref) : null;
      const wrong = reference ? [headersFit(headers), payloadFits(payload)].includes(false) : false;
      const errors = wrong ? [...(headersFit.errors ?? []), ...(payloadFits.errors ?? [])].map((error) => `${error.instancePath} ${error.message}`) : [];
      console.log(JSON.stringify({ topic, key: message.key.toString(), type: headers.ce_type, sequence: headers.ce_sequence, known: Boolean(reference), errors, fields: Object.keys(payload) }));
      read += 1;
      if (read >= Number(wanted)) resolve();
    },
  }).catch(reject);
});
await consumer.disconnect();
