// One of Slack's own clients for Node.js, unmodified: told what to do by lines of JSON on standard input, telling what
// happens by lines of JSON on standard output. Only its base URL says where Parley is.
//
//     node client.js web|rtm|socket|bolt PACKAGE        with PARLEY_API, PARLEY_TOKEN, PARLEY_APP_TOKEN
//
// In:  {"id": 1, "call": METHOD, "arguments": {...}}    a Web API call; `upload` names a file to send along
//      {"id": 2, "send": TEXT, "channel": ID}           rtm only: a message over the socket
// Out: {"is": "state", "state": NAME}                   what the client says of its connection
//      {"is": "event", "type": TYPE, "event": {...}}    what it heard
//      {"is": "answer", "id": 1, "answer": {...}}, or "failure" with "error" and "data"
const readline = require('node:readline');

const [kind, name] = process.argv.slice(2);
const { PARLEY_API: slackApiUrl, PARLEY_TOKEN: token, PARLEY_APP_TOKEN: appToken } = process.env;
const library = require(name);

const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const heard = (type, event) => tell({ is: 'event', type, event });
// Its logs are no part of what is tested, and standard output is ours.
const quiet = { debug() {}, info() {}, warn() {}, error() {}, setLevel() {}, getLevel: () => 'error', setName() {} };

function listenTo(client, states) {
  for (const state of states) {
    client.on(state, () => tell({ is: 'state', state }));
  }
}

async function startWeb() {
  const web = new library.WebClient(token, { slackApiUrl, logger: quiet });
  tell({ is: 'state', state: 'connected' });
  return { web };
}

async function startRtm() {
  const rtm = new library.RTMClient(token, { slackApiUrl, logger: quiet });
  listenTo(rtm, ['connecting', 'connected', 'ready', 'disconnected', 'reconnecting']);
  rtm.on('slack_event', heard);
  await rtm.start();
  return { web: rtm.webClient, send: (text, channel) => rtm.sendMessage(text, channel) };
}

async function startSocket() {
  const socket = new library.SocketModeClient({ appToken, clientOptions: { slackApiUrl }, logger: quiet });
  listenTo(socket, ['connecting', 'connected', 'disconnected', 'reconnecting']);
  socket.on('slack_event', async ({ ack, type, body, retry_num: tries }) => {
    heard(type, { ...body, tries });
    await ack();
  });
  await socket.start();
  return {};
}

async function startBolt() {
  const app = new library.App({ token, appToken, socketMode: true, clientOptions: { slackApiUrl }, logger: quiet });
  app.message('ping', async ({ message, say }) => {
    heard('message', message);
    await say(`pong to ${message.text}`);
  });
  app.event('app_mention', async ({ event, say }) => {
    heard('app_mention', event);
    await say({ text: `yes, <@${event.user}>`, thread_ts: event.ts });
  });
  app.command('/echo', async ({ command, ack }) => {
    heard('command', command);
    await ack({ response_type: 'in_channel', text: `echo: ${command.text}` });
  });
  await app.start();
  tell({ is: 'state', state: 'connected' });
  return { web: app.client };
}

async function obey(client, order) {
  try {
    const answer = order.call
      ? await client.web.apiCall(order.call, order.arguments ?? {})
      : await client.send(order.send, order.channel);
    tell({ is: 'answer', id: order.id, answer });
  } catch (error) {
    tell({ is: 'failure', id: order.id, error: String(error), data: error.data ?? null });
  }
}

async function main() {
  const starts = { web: startWeb, rtm: startRtm, socket: startSocket, bolt: startBolt };
  const client = await starts[kind]();
  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', (line) => obey(client, JSON.parse(line)));
  lines.on('close', () => process.exit(0));
}

main().catch((error) => {
  tell({ is: 'failure', id: 0, error: String(error.stack ?? error), data: null });
  process.exit(1);
});
