package variables

import (
	"cmp"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/pythons"
)

// Colors reports whether whoever looks at a terminal of ours wants escape sequences: not where NO_COLOR is set, in a CI, and on a
// terminal that says that it has none (TERM=dumb, as in a shell of Emacs).
func (v Variables) Colors() bool {
	_, plain := v("NO_COLOR")
	return !plain && v.Getenv("CI") == "" && v.Getenv("TERM") != "dumb"
}

// lastSecond is the last one whose year has four digits, as every format of a date wants it.
const lastSecond = 253402300799

// Epoch is SOURCE_DATE_EPOCH; the zero time where it is not set.
func (v Variables) Epoch() (time.Time, error) {
	text := v.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Time{}, nil
	}
	const next = "set it to whole seconds since 1970, or leave it unset"
	seconds, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	switch {
	case err != nil || seconds < 0:
		return time.Time{}, operr.NewUsage(next, "SOURCE_DATE_EPOCH=%q is not a time", text)
	case seconds > lastSecond:
		return time.Time{}, operr.NewUsage(next, "SOURCE_DATE_EPOCH=%q is after the year 9999: seconds are meant, and not parts of one", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// Today is the date that a changelog bears, as 2006-01-02: SOURCE_DATE_EPOCH's, or the clock's, in UTC.
func (v Variables) Today(clock time.Time) string {
	if t, err := v.Epoch(); err == nil && !t.IsZero() {
		clock = t
	}
	return clock.UTC().Format(time.DateOnly)
}

// How long a child may say nothing before a person is told, and before it is ended, unless PIPELINE_SILENCE says otherwise.
const (
	tellSilence = 5 * time.Minute
	endSilence  = time.Hour
)

// Silence is what is done about children that say nothing: PIPELINE_SILENCE is how long one may, as a duration such as "90m", or "off".
func (v Variables) Silence() (command.Silence, error) {
	s := command.Silence{Tell: tellSilence, End: endSilence, Set: "PIPELINE_SILENCE=2h"}
	most := v.Getenv("PIPELINE_SILENCE")
	switch d, err := time.ParseDuration(most); {
	case most == "off":
		s.End = 0
	case most != "" && (err != nil || d <= 0):
		return s, operr.NewUsage("say how long a child may say nothing, such as 90m, or off", "PIPELINE_SILENCE=%s is no duration", most)
	case most != "":
		s.End, s.Tell = d, min(tellSilence, d/2)
	}
	return s, nil
}

// Patience is how long nothing may move on a connection: PIPELINE_PATIENCE, a duration such as "30s". Zero leaves it to each client.
func (v Variables) Patience() (time.Duration, error) {
	most := v.Getenv("PIPELINE_PATIENCE")
	if most == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(most)
	if err != nil || d <= 0 {
		return 0, operr.NewUsage("say how long nothing may move on a connection, such as 30s", "PIPELINE_PATIENCE=%s is no duration", most)
	}
	return d, nil
}

// The toolchains that PIPELINE_TOOLCHAIN names.
const (
	Pixi     = "pixi"
	Embedded = "embedded"
)

// Toolchain is the one that is asked for; "" where none is.
func (v Variables) Toolchain() (string, error) {
	choice := v.Getenv("PIPELINE_TOOLCHAIN")
	if choice != "" && choice != Pixi && choice != Embedded {
		return "", operr.NewUsage("set PIPELINE_TOOLCHAIN to pixi or embedded, or leave it unset", "PIPELINE_TOOLCHAIN=%s names no toolchain", choice)
	}
	return choice, nil
}

// Pythons are where uv, pyenv and the runners of a CI keep Pythons, and the one that a job has chosen. home is the person's folder; "" where there is none.
func (v Variables) Pythons(home string) pythons.Places {
	p := pythons.Places{
		UV:     v.Getenv("UV_PYTHON_INSTALL_DIR"),
		Tools:  []string{v.Getenv("RUNNER_TOOL_CACHE"), v.Getenv("AGENT_TOOLSDIRECTORY")},
		Chosen: v.Getenv("pythonLocation"),
	}
	data := v.Getenv("XDG_DATA_HOME")
	if home != "" {
		p.Pyenv = filepath.Join(home, ".pyenv", "versions")
		data = cmp.Or(data, filepath.Join(home, ".local", "share"))
	}
	if p.UV == "" && data != "" {
		p.UV = filepath.Join(data, "uv", "python")
	}
	return p
}
