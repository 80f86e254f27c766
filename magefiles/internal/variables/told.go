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

// Colors reports whether to write escape sequences to a terminal. It returns false if NO_COLOR is set, in CI, or if the terminal does not support
// them (TERM=dumb, as in Emacs).
func (v Variables) Colors() bool {
	_, plain := v("NO_COLOR")
	return !plain && v.Getenv("CI") == "" && v.Getenv("TERM") != "dumb"
}

// lastSecond is the last second of the year 9999. Formats of dates need years with four digits.
const lastSecond = 253402300799

// Epoch returns SOURCE_DATE_EPOCH; the zero time if it is not set.
func (v Variables) Epoch() (time.Time, error) {
	text := v.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Time{}, nil
	}
	const next = "set SOURCE_DATE_EPOCH to whole seconds since 1970, or unset it"
	seconds, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	switch {
	case err != nil || seconds < 0:
		return time.Time{}, operr.NewUsage(next, "SOURCE_DATE_EPOCH=%q is not a time", text)
	case seconds > lastSecond:
		return time.Time{}, operr.NewUsage(next, "SOURCE_DATE_EPOCH=%q is after the year 9999: expected seconds, not milliseconds", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// Today returns the date for a changelog in UTC, as 2006-01-02. The date comes from SOURCE_DATE_EPOCH if that is set, otherwise from the clock.
func (v Variables) Today(clock time.Time) string {
	if t, err := v.Epoch(); err == nil && !t.IsZero() {
		clock = t
	}
	return clock.UTC().Format(time.DateOnly)
}

// Defaults for the time after which a silent child is reported, and after which it is ended. PIPELINE_SILENCE overrides the latter.
const (
	tellSilence = 5 * time.Minute
	endSilence  = time.Hour
)

// Silence returns the policy for silent children. PIPELINE_SILENCE is the time after which a silent child is ended, as a duration such as "90m", or
// "off".
func (v Variables) Silence() (command.Silence, error) {
	s := command.Silence{Tell: tellSilence, End: endSilence, Set: "PIPELINE_SILENCE=2h"}
	most := v.Getenv("PIPELINE_SILENCE")
	switch d, err := time.ParseDuration(most); {
	case most == "off":
		s.End = 0
	case most != "" && (err != nil || d <= 0):
		return s, operr.NewUsage("set PIPELINE_SILENCE to the time for which a child process may print nothing, such as 90m, or to off", "PIPELINE_SILENCE=%s is not a duration", most)
	case most != "":
		s.End, s.Tell = d, min(tellSilence, d/2)
	}
	return s, nil
}

// Patience returns how long a connection may be idle: PIPELINE_PATIENCE, a duration such as "30s". Zero means each client's own limit.
func (v Variables) Patience() (time.Duration, error) {
	most := v.Getenv("PIPELINE_PATIENCE")
	if most == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(most)
	if err != nil || d <= 0 {
		return 0, operr.NewUsage("set PIPELINE_PATIENCE to the time for which a connection may be idle, such as 30s", "PIPELINE_PATIENCE=%s is not a duration", most)
	}
	return d, nil
}

// The toolchains that PIPELINE_TOOLCHAIN names.
const (
	Pixi     = "pixi"
	Embedded = "embedded"
)

// Toolchain returns the toolchain that PIPELINE_TOOLCHAIN names; "" for none.
func (v Variables) Toolchain() (string, error) {
	choice := v.Getenv("PIPELINE_TOOLCHAIN")
	if choice != "" && choice != Pixi && choice != Embedded {
		return "", operr.NewUsage("set PIPELINE_TOOLCHAIN to pixi or embedded, or leave it unset", "PIPELINE_TOOLCHAIN=%s is not the name of a toolchain", choice)
	}
	return choice, nil
}

// Pythons returns the folders in which uv, pyenv and CI runners keep Pythons, and the Python that a job has chosen. home is the person's home folder;
// "" if there is none.
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
