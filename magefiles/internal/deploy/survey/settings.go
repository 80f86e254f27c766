package survey

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/proxy"
)

// Setting describes one setting of an environment, explicit or by default, for display.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Texts for settings without a value.
const (
	ofImage = "the image's own"
	noneSet = "none"
)

// container returns the settings of the container. If one of them changes, a new container is needed (see SpecOf).
func container(e config.Environment) []Setting {
	var volumes, secrets, revision []string
	for _, v := range e.Volumes {
		text := v.Name + ":" + v.Target
		if v.ReadOnly {
			text += ":ro"
		}
		volumes = append(volumes, text)
	}
	for _, s := range e.Secrets {
		if len(s.Command) > 0 {
			secrets = append(secrets, s.Name+" from "+quoted(s.Command))
		} else {
			secrets = append(secrets, s.Name+" from the variable "+s.Variable)
		}
	}
	logging := e.Logging.Driver
	for _, name := range slices.Sorted(maps.Keys(e.Logging.Options)) {
		logging += fmt.Sprintf(" %s=%s", name, plain(e.Logging.Options[name]))
	}
	for kind, name := range map[string]string{"json:": e.Revision.JSON, "header:": e.Revision.Header} {
		if name != "" {
			revision = append(revision, kind+plain(name))
		}
	}
	memory, appPort := noneSet, "the only one that the image exposes"
	if e.MemLimit > 0 {
		memory = columns.Size(e.MemLimit)
	}
	if e.AppPort != 0 {
		appPort = strconv.Itoa(e.AppPort)
	}
	return []Setting{
		{Name: "command", Value: cmp.Or(quoted(e.Command), ofImage)},
		{Name: "user", Value: cmp.Or(e.User, ofImage)},
		{Name: "volumes", Value: cmp.Or(strings.Join(volumes, ", "), noneSet)},
		{Name: "logging", Value: logging},
		{Name: "mem_limit", Value: memory},
		{Name: "environment", Value: cmp.Or(strings.Join(e.Environment, ", "), noneSet)},
		{Name: "secrets", Value: cmp.Or(strings.Join(secrets, ", "), noneSet)},
		{Name: "secrets_on", Value: map[bool]string{false: "disk", true: "memory"}[e.Memory]},
		{Name: "start", Value: map[bool]string{false: "beside", true: "stop-first"}[e.StopFirst]},
		{Name: "stop_grace_period", Value: e.Grace.String()},
		{Name: "port", Value: strconv.Itoa(e.Port)},
		{Name: "app_port", Value: appPort},
		{Name: "domain", Value: cmp.Or(e.Domain, "every name")},
		{Name: "tls", Value: strconv.FormatBool(e.TLS)},
		{Name: "health", Value: e.Health},
		{Name: "revision", Value: cmp.Or(strings.Join(revision, ""), "false")},
	}
}

// way returns the other settings: how to reach a host, the proxy, and the duration of the watch.
func way(e config.Environment) []Setting {
	return []Setting{
		{Name: "proxy", Value: cmp.Or(e.Proxy, proxy.Image)},
		{Name: "socket", Value: e.Socket},
		{Name: "ssh_config", Value: cmp.Or(e.SSHConfig, "your own")},
		{Name: "watch", Value: fmt.Sprintf("%s, or two intervals of the image's HEALTHCHECK if that is longer (at most %s)", e.Watch, longestWatch)},
	}
}

// `settingsOf` returns the container's settings in the form of a host's record.
func settingsOf(e config.Environment) map[string]string {
	all := map[string]string{}
	for _, s := range container(e) {
		all[s.Name] = s.Value
	}
	return all
}

// differences describes which settings of a container will change.
func differences(now, wanted Version) (all []string) {
	if now.Spec == wanted.Spec {
		return nil
	}
	if now.Made == nil {
		return []string{"another configuration"}
	}
	for _, name := range slices.Sorted(maps.Keys(wanted.Made)) {
		if has := now.Made[name]; has != wanted.Made[name] {
			all = append(all, fmt.Sprintf("%s: %s → %s", name, cmp.Or(has, "not known"), wanted.Made[name]))
		}
	}
	if all == nil {
		return []string{"a variable of `environment` has a different value"}
	}
	return all
}

func quoted(words []string) string {
	var all []string
	for _, word := range words {
		all = append(all, strconv.Quote(word))
	}
	return strings.Join(all, " ")
}

// plain quotes a text if it contains a non-printable character.
func plain(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}
