package engine_test

import (
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/engine/dockerdtest"
	"github.com/foopack/foopack/magefiles/internal/engine/enginetest"
)

func TestDockerd(t *testing.T) {
	e := dockerdtest.Start(t)
	program := dockerdtest.Build(t, "github.com/foopack/foopack/magefiles/internal/engine/enginetest/app")
	open, private := dockerdtest.StartRegistry(t, "", ""), dockerdtest.StartRegistry(t, "jane", "secret")
	app := dockerdtest.Image(t, program, "amd64", v1.Config{
		Entrypoint:   []string{"/app"},
		User:         "0",
		Labels:       map[string]string{"suite": "yes"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}},
		Healthcheck:  &v1.HealthConfig{Test: []string{"CMD", "/app", "check"}, Interval: time.Second},
	})
	foreign := dockerdtest.Image(t, []byte("another machine's"), "arm64", v1.Config{Entrypoint: []string{"/app"}})
	other := dockerdtest.Image(t, []byte("private"), "amd64", v1.Config{Entrypoint: []string{"/app"}})
	enginetest.Run(t, enginetest.Bench{
		Dial:    e.Dial,
		App:     open.Push(t, "suite/app", "amd64", "one", app),
		Again:   open.Push(t, "suite/app", "amd64", "two", app),
		Foreign: open.Push(t, "suite/app", "arm64", "", foreign),
		Private: private.Push(t, "suite/private", "amd64", "", other),
		Login:   engine.Login{Server: private.Host, User: "jane", Password: "secret"},
		Restart: func() {
			e.Stop()
			e.Run()
		},
	})
}
