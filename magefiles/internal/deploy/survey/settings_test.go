package survey

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
)

// A plan names every setting that requires a new container, by its key in the table.
func TestPlanNamesChangedSettings(t *testing.T) {
	var zero config.Environment
	others := config.Environment{
		Name:        "other",
		Hosts:       []string{"b"},
		Port:        1,
		AppPort:     2,
		Domain:      "a.example.org",
		TLS:         true,
		Health:      "/live",
		Revision:    config.Revision{Header: "Version"},
		Gate:        time.Second,
		Watch:       time.Second,
		Drain:       time.Second,
		Grace:       time.Second,
		Canary:      1,
		Batch:       config.Batch{Percent: 25},
		Pause:       time.Second,
		After:       "test",
		By:          config.CI,
		Keep:        7,
		Disk:        7,
		Environment: []string{"GREETING"},
		Secrets:     []config.Secret{{Name: "KEY", Command: []string{"show", "a b"}}},
		Memory:      true,
		Volumes:     []config.Volume{{Name: "data", Target: "/data", ReadOnly: true}},
		MemLimit:    512e6,
		User:        "1000",
		Command:     []string{"serve", "it's \"$HOME\"", "-x\n"},
		Logging:     config.Logging{Driver: "local", Options: map[string]string{"max-size": "1m\x1b"}},
		StopFirst:   true,
		Proxy:       "registry.example.org/caddy:2",
		Socket:      "/run/other.sock",
		SSHConfig:   "ssh/config",
	}
	from := reflect.ValueOf(others)
	for n := range from.NumField() {
		one := zero
		reflect.ValueOf(&one).Elem().Field(n).Set(from.Field(n))
		field := from.Type().Field(n).Name
		require.NotEqual(t, zero, one, "%s: give it a value here", field)
		now, wanted := Version{Spec: SpecOf(zero, nil), Made: settingsOf(zero)}, Version{Spec: SpecOf(one, nil), Made: settingsOf(one)}
		if field == "Name" { // a different name is a different environment
			continue
		}
		if now.Spec == wanted.Spec {
			require.Empty(t, differences(now, wanted), field)
			continue
		}
		require.Len(t, differences(now, wanted), 1, field)
		require.NotContains(t, differences(now, wanted)[0], "\n", field)
		require.Contains(t, differences(now, wanted)[0], " → ", field)
	}
	require.Equal(t, []string{"another configuration"}, differences(Version{Spec: "x"}, Version{Made: settingsOf(zero)}), "an older version remembers none")
	values := Version{Spec: SpecOf(zero, []string{"A=1"}), Made: settingsOf(zero)}
	require.Equal(t, []string{"a variable of `environment` has a different value"}, differences(Version{Spec: SpecOf(zero, nil), Made: settingsOf(zero)}, values))
	for _, want := range []Setting{
		{Name: "command", Value: `"serve" "it's \"$HOME\"" "-x\n"`},
		{Name: "user", Value: "1000"},
		{Name: "volumes", Value: "data:/data:ro"},
		{Name: "logging", Value: `local max-size="1m\x1b"`},
	} {
		require.Contains(t, container(others), want)
	}
	require.Equal(t, []Setting{{Name: "proxy", Value: "registry.example.org/caddy:2"}, {Name: "socket", Value: "/run/other.sock"}, {Name: "ssh_config", Value: "ssh/config"}}, way(others)[:3])
}
