package main

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// install creates an environment with an interpreter and the dependencies that are in a local channel. Tests cannot access other channels.
func (s *standin) install() int {
	if s.StaleLock {
		return s.say("locked-stale")
	}
	prefix := filepath.Join(s.root(), ".pixi", "envs", "default")
	if s.Python != "" {
		bin := filepath.Join(prefix, "bin")
		check(os.MkdirAll(bin, 0o755))
		check(os.WriteFile(filepath.Join(bin, "python"), []byte("#!/bin/sh\nexec "+s.Python+" \"$@\"\n"), 0o755))
	} else {
		_, err := command.Output(context.Background(), command.NewSystem(os.Environ(), nil), command.Cmd{
			Name: "python3",
			Args: []string{"-m", "venv", "--without-pip", prefix},
		})
		check(err)
		if code := s.link(prefix); code != 0 {
			return code
		}
	}
	fmt.Fprintln(os.Stderr, "✔ The default environment has been installed.")
	return 0
}

// link installs the dependencies into an environment.
func (s *standin) link(prefix string) int {
	t, above := s.tables(s.root())
	channels, _ := t.get(append(above, "workspace", "channels")...).([]any)
	downloads, err := os.MkdirTemp("", "standin-")
	check(err)
	defer os.RemoveAll(downloads)
	for _, name := range t.under(append(above, "dependencies")...) {
		version := strings.TrimPrefix(t.text(append(above, "dependencies", name)...), "==")
		var file string
		var err error                // error from the last local channel; without a local channel, nothing is installed
		for _, c := range channels { // use the first channel that has the package, as pixi does
			address, _ := c.(string)
			if !strings.HasPrefix(address, "http://127.0.0.1:") && !strings.HasPrefix(address, "http://localhost:") {
				continue
			}
			if file, err = fetch(address, name, version, downloads); err == nil {
				break
			}
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "Error:   × failed to solve requirements of environment 'default'\n  ╰─▶ No candidates were found for %s ==%s: %v\n", name, version, err)
			return 1
		}
		if file != "" {
			unpack(file, prefix)
		}
	}
	return 0
}

func fetch(address, name, version, dir string) (file string, err error) {
	client, err := prefixdev.New(prefixdev.Options{Server: strings.TrimSuffix(address, path.Base(address))})
	check(err)
	c, err := client.Channel(path.Base(address))
	check(err)
	return channel.Fetch(context.Background(), c, name, version, dir)
}

// unpack copies the site-packages of a noarch package to the environment.
func unpack(file, prefix string) {
	site, err := filepath.Glob(filepath.Join(prefix, "lib", "python*", "site-packages"))
	check(err)
	a, err := condapkg.Open(file)
	check(err)
	defer a.Close()
	check(a.Walk(func(h *tar.Header, r io.Reader) error {
		rel, ok := strings.CutPrefix(h.Name, "site-packages/")
		if !ok || h.Typeflag != tar.TypeReg {
			return nil
		}
		data, err := io.ReadAll(r)
		check(err)
		to := filepath.Join(site[0], rel)
		check(os.MkdirAll(filepath.Dir(to), 0o755))
		return os.WriteFile(to, data, 0o644)
	}))
}
