package proxy_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/proxy"
	"github.com/foopack/foopack/magefiles/internal/proxy/proxytest"
)

var update = flag.Bool("update", false, "write the golden files")

var goldens = map[string]struct {
	port     uint16
	services map[string]proxy.Service
}{
	"nothing.json": {8080, nil},
	"alone.json":   {8080, map[string]proxy.Service{"app.staging": {Drain: time.Minute}}},
	"tls.json": {
		port: 443,
		services: map[string]proxy.Service{
			"app.production": {Domain: "app.example.org", TLS: proxy.ACME, Drain: time.Minute},
			"app.staging":    {Domain: "staging.example.org", TLS: proxy.Internal},
		},
	},
}

func TestGolden(t *testing.T) {
	for name, c := range goldens {
		got, err := proxy.Configuration(proxy.PlacesOf(c.port), c.services)
		require.NoError(t, err)
		file := filepath.Join("testdata", name)
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(want), got, name)
	}
}

// The real Caddy accepts each golden file.
func TestCaddyAcceptsGoldenFiles(t *testing.T) {
	program := proxytest.Program(t)
	for name := range goldens {
		x := exec.Command(program, "validate", "--config", filepath.Join("testdata", name))
		x.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_DATA_HOME="+t.TempDir())
		out, err := x.CombinedOutput()
		require.NoError(t, err, "%s: %s", name, out)
	}
}

func TestInvalidServices(t *testing.T) {
	for what, services := range map[string]map[string]proxy.Service{
		"cannot be the name of an environment":  {"a b": {}},
		"is not a domain":                       {"a": {Domain: "A.example.org:80"}},
		"is not a known source of certificates": {"a": {Domain: "a.example.org", TLS: "yes"}},
		"TLS needs a domain, but no domain is set": {
			"a": {TLS: proxy.ACME},
		},
		"has no domain":        {"a": {}, "b": {Domain: "b.example.org"}},
		"have the same domain": {"a": {Domain: "x.example.org"}, "b": {Domain: "x.example.org"}},
		"on the same port":     {"a": {Domain: "a.example.org", TLS: proxy.ACME}, "b": {Domain: "b.example.org"}},
	} {
		_, err := proxy.Configuration(proxy.PlacesOf(80), services)
		require.ErrorContains(t, err, what)
	}
	for _, domain := range []string{"-a", "a..b", "a b", "{env.X}", "a\nb", "*", "$(id)", "."} {
		_, err := proxy.Configuration(proxy.PlacesOf(80), map[string]proxy.Service{"a": {Domain: domain}})
		require.Error(t, err, "%q", domain)
	}
}

func TestPlacesAvoidThePublishedPort(t *testing.T) {
	for _, port := range []uint16{80, 2018, 2019, 2020, 2021, 2022, 65535} {
		p := proxy.PlacesOf(port)
		require.NotEqual(t, p.Inside, p.Admin)
		require.NotEqual(t, "127.0.0.1"+p.Listen, p.Inside)
		require.NotEqual(t, "127.0.0.1"+p.Listen, p.Admin)
	}
	text, err := json.Marshal(proxy.Service{})
	require.NoError(t, err)
	require.JSONEq(t, `{}`, string(text))
}
