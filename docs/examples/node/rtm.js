// A bot that answers over RTM, with @slack/rtm-api.
const { RTMClient } = require('@slack/rtm-api');

const rtm = new RTMClient(process.env.SLACK_BOT_TOKEN, { slackApiUrl: process.env.SLACK_API_URL });

rtm.on('message', async (event) => {
  if (event.text === 'ping') {
    await rtm.sendMessage('pong', event.channel);
  }
});

rtm.start();
