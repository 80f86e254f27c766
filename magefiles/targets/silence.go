package targets

import (
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// How long a child may say nothing before a person is told, and before it is ended, unless PIPELINE_SILENCE says otherwise.
const (
	tellSilence = 5 * time.Minute
	endSilence  = time.Hour
)

// watch has children watched that say nothing. most is how long one may, as a duration such as "90m"; "off" is for ever, "" the default.
func (a *app) watch(most string) error {
	a.silence = command.Silence{Tell: tellSilence, End: endSilence, Set: "PIPELINE_SILENCE=2h", Say: func(text string) { a.view.Say("  ▸ %s", text) }}
	switch d, err := time.ParseDuration(most); {
	case most == "off":
		a.silence.End = 0
	case most != "" && (err != nil || d <= 0):
		return operr.NewUsage("say how long a child may say nothing, such as 90m, or off", "PIPELINE_SILENCE=%s is no duration", most)
	case most != "":
		a.silence.End, a.silence.Tell = d, min(tellSilence, d/2)
	}
	a.runner.Watch(a.silence)
	if a.view.Color {
		a.runner.Hear(a.view.Heard)
	}
	return nil
}

// patience is how long nothing may move on a connection, as a duration such as "30s"; "" leaves it to each client.
func patience(most string) (time.Duration, error) {
	if most == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(most)
	if err != nil || d <= 0 {
		return 0, operr.NewUsage("say how long nothing may move on a connection, such as 30s", "PIPELINE_PATIENCE=%s is no duration", most)
	}
	return d, nil
}
