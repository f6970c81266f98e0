// A bot that answers over RTM, with slack-go.
package main

import (
	"os"

	"github.com/slack-go/slack"
)

func main() {
	api := slack.New(os.Getenv("SLACK_BOT_TOKEN"), slack.OptionAPIURL(os.Getenv("SLACK_API_URL")))
	rtm := api.NewRTM()
	go rtm.ManageConnection()
	for received := range rtm.IncomingEvents {
		message, isMessage := received.Data.(*slack.MessageEvent)
		if isMessage && message.Text == "ping" {
			rtm.SendMessage(rtm.NewOutgoingMessage("pong", message.Channel))
		}
	}
}
