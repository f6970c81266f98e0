// What the tests' app on Slack's framework answers: listeners as its guide begins.
const plain = (text) => ({ type: 'plain_text', text });

const BUTTON = {
  type: 'actions',
  block_id: 'b',
  elements: [{ type: 'button', action_id: 'approve', value: '42', text: plain('Approve') }],
};
const MODAL = {
  type: 'modal',
  callback_id: 'ticket',
  title: plain('Ticket'),
  submit: plain('Send'),
  blocks: [
    {
      type: 'input',
      block_id: 'words',
      label: plain('Words'),
      element: { type: 'plain_text_input', action_id: 'typed' },
    },
  ],
};

function answers(app, heard) {
  app.message(async ({ message }) => heard('message', message));
  app.message(/^ping/, async ({ message, say }) => {
    await say(`pong to ${message.text}`);
  });
  app.event('app_mention', async ({ event, say }) => {
    heard('app_mention', event);
    await say({ text: `yes, <@${event.user}>`, thread_ts: event.ts });
  });
  app.command(/^\/echo/, async ({ command, ack, respond }) => {
    heard('command', command);
    await ack({ response_type: 'in_channel', text: `echo: ${command.text}` });
    const text = `approve ${command.text}?`;
    await respond({ response_type: 'in_channel', text, blocks: [BUTTON] });
  });
  app.action('approve', async ({ ack, action, body, client, respond }) => {
    await ack();
    heard('action', action);
    await client.views.open({ trigger_id: body.trigger_id, view: MODAL });
    await respond({ replace_original: true, text: `approved ${action.value}` });
  });
  app.view('ticket', async ({ ack, view }) => {
    const typed = view.state.values.words.typed.value;
    heard('view', { typed });
    await (typed === 'too short' ? ack({ response_action: 'errors', errors: { words: 'Say more' } }) : ack());
  });
}

module.exports = { answers };
