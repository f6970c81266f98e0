// A bot that answers over Socket Mode, with @slack/web-api and @slack/socket-mode.
const { WebClient } = require('@slack/web-api');
const { SocketModeClient } = require('@slack/socket-mode');

const { SLACK_API_URL: slackApiUrl, SLACK_BOT_TOKEN, SLACK_APP_TOKEN: appToken } = process.env;
const web = new WebClient(SLACK_BOT_TOKEN, { slackApiUrl });
const socket = new SocketModeClient({ appToken, clientOptions: { slackApiUrl } });

socket.on('message', async ({ ack, event }) => {
  await ack();
  if (event.text === 'ping') {
    await web.chat.postMessage({ channel: event.channel, text: 'pong' });
  }
});

socket.start();
