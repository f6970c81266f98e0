// A bot that answers over Socket Mode, with slack-go.
package main

import (
	"log"
	"os"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"
)

func main() {
	api := slack.New(os.Getenv("SLACK_BOT_TOKEN"), slack.OptionAPIURL(os.Getenv("SLACK_API_URL")),
		slack.OptionAppLevelToken(os.Getenv("SLACK_APP_TOKEN")))
	client := socketmode.New(api)
	go answer(api, client)
	log.Fatal(client.Run())
}

// answer answers every "ping" with "pong".
func answer(api *slack.Client, client *socketmode.Client) {
	for received := range client.Events {
		payload, isEvent := received.Data.(slackevents.EventsAPIEvent)
		if !isEvent {
			continue
		}
		client.Ack(*received.Request)
		message, isMessage := payload.InnerEvent.Data.(*slackevents.MessageEvent)
		if isMessage && message.Text == "ping" {
			if _, _, err := api.PostMessage(message.Channel, slack.MsgOptionText("pong", false)); err != nil {
				log.Print(err)
			}
		}
	}
}
