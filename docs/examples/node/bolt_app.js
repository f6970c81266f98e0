// A bot that answers messages and a command, and sends a file, with @slack/bolt over Socket Mode.
const { App } = require('@slack/bolt');

const app = new App({
  token: process.env.SLACK_BOT_TOKEN,
  appToken: process.env.SLACK_APP_TOKEN,
  socketMode: true,
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL },
});

app.message('ping', ({ say }) => say('pong'));

app.message('report', ({ message, client }) =>
  client.filesUploadV2({ channel_id: message.channel, filename: 'report.txt', content: 'All is well.\n' }),
);

app.command('/echo', ({ ack, command }) => ack({ response_type: 'in_channel', text: command.text }));

app.start();
