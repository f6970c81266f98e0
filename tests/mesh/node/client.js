// One of Slack's own clients for Node.js, unmodified: told what to do by lines of JSON on standard input, telling what
// happens by lines of JSON on standard output. Only its base URL says where Parley is.
//
//     node client.js web|rtm|socket|bolt|express PACKAGE        with PARLEY_API, PARLEY_TOKEN, PARLEY_APP_TOKEN,
//                                                               PARLEY_SIGNING_SECRET
//
// In:  {"id": 1, "call": METHOD, "arguments": {...}}    a Web API call
//      {"id": 2, "pages": METHOD, "arguments": {...}}   all of its pages, as the client turns them
//      {"id": 3, "send": TEXT, "channel": ID}           rtm only: a message over the socket
//      {"id": 4, "rtm": METHOD, "arguments": [...]}     rtm only: another method of the client
//      {"id": 5, "deaf": true}                          socket only: acknowledge nothing, or everything again
// Out: {"is": "state", "state": NAME}                   what the client says of its connection
//      {"is": "event", "type": TYPE, "event": {...}}    what it heard
//      {"is": "answer", "id": 1, "answer": {...}}, or "failure" with "error" and "data"
//      {"is": "request"}                                it asks the Web API, also when it tries a call again
//      {"is": "warning", "text": TEXT}                  what the client would log
const readline = require('node:readline');
const { answers } = require('./bolt_answers.js');

const [kind, name] = process.argv.slice(2);
const { PARLEY_API: slackApiUrl, PARLEY_TOKEN: token, PARLEY_APP_TOKEN: appToken } = process.env;
const { PARLEY_SIGNING_SECRET: signingSecret } = process.env;
const library = require(name);

const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const heard = (type, event) => tell({ is: 'event', type, event });
const warn = (...words) => tell({ is: 'warning', text: words.map(String).join(' ') });
const fail = (id, error) => {
  tell({ is: 'failure', id, error: String(error.stack ?? error), code: error.code ?? '', data: error.data ?? null });
};
// Standard output is ours, so what it logs comes as lines of ours; of the details only that it asks, first and again.
const debug = (text) => String(text).startsWith('http request url') && tell({ is: 'request' });
const logger = { debug, info() {}, warn, error: warn, setLevel() {}, getLevel: () => 'warn', setName() {} };

function listenTo(client, states) {
  for (const state of states) {
    client.on(state, () => tell({ is: 'state', state }));
  }
}

async function startWeb() {
  const web = new library.WebClient(token, { slackApiUrl, logger });
  web.on('rate_limited', (seconds) => heard('rate_limited', { seconds }));
  tell({ is: 'state', state: 'connected' });
  return { web };
}

async function startRtm() {
  const rtm = new library.RTMClient(token, { slackApiUrl, logger });
  listenTo(rtm, ['connecting', 'connected', 'ready', 'disconnected', 'reconnecting']);
  rtm.on('slack_event', heard);
  await rtm.start();
  return { web: rtm.webClient, rtm };
}

async function startSocket() {
  const client = { deaf: false };
  const socket = new library.SocketModeClient({ appToken, clientOptions: { slackApiUrl }, logger });
  listenTo(socket, ['connecting', 'connected', 'disconnected', 'reconnecting']);
  socket.on('slack_event', async ({ ack, type, body, retry_num: tries, retry_reason: reason }) => {
    heard(type, { ...body, tries, reason });
    if (!client.deaf) await ack().catch((error) => warn(`not acknowledged: ${error}`));
  });
  await socket.start();
  return client;
}

async function startBolt() {
  const app = new library.App({ token, appToken, socketMode: true, clientOptions: { slackApiUrl }, logger });
  answers(app, heard);
  app.error(async (error) => fail(0, error));
  // The framework's own socket, of whichever version: what it says of its connection is not passed on.
  listenTo(app.receiver.client, ['connecting', 'connected', 'disconnected', 'reconnecting']);
  await app.start();
  return { web: app.client };
}

async function startExpress() {
  const receiver = new library.ExpressReceiver({ signingSecret, logger });
  const app = new library.App({ token, receiver, clientOptions: { slackApiUrl }, logger });
  answers(app, heard);
  app.error(async (error) => fail(0, error));
  const server = await app.start({ port: 0, host: '127.0.0.1' });
  tell({ is: 'state', state: 'connected', port: server.address().port });
  return { web: app.client };
}

async function allPages(web, method, options) {
  const pages = [];
  for await (const page of web.paginate(method, options)) pages.push(page);
  return pages;
}

async function carryOut(client, order) {
  if (order.call) return client.web.apiCall(order.call, order.arguments ?? {});
  if (order.pages) return allPages(client.web, order.pages, order.arguments ?? {});
  if (order.send) return client.rtm.sendMessage(order.send, order.channel);
  if (order.rtm) return (await client.rtm[order.rtm](...order.arguments)) ?? {};
  client.deaf = order.deaf;
  return {};
}

async function obey(client, order) {
  try {
    tell({ is: 'answer', id: order.id, answer: await carryOut(client, order) });
  } catch (error) {
    fail(order.id, error);
  }
}

async function main() {
  const starts = { web: startWeb, rtm: startRtm, socket: startSocket, bolt: startBolt, express: startExpress };
  const client = await starts[kind]();
  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', (line) => obey(client, JSON.parse(line)));
  lines.on('close', () => process.exit(0));
}

main().catch((error) => {
  fail(0, error);
  process.exit(1);
});
