// Command standin imitates pixi 0.77.0 in tests. Package pixitest installs it as `pixi`.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi/pixitest"
	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi/pixitest/transcripts"
)

func main() {
	exe, err := os.Executable()
	check(err)
	s := &standin{home: filepath.Dir(exe), args: os.Args[1:]}
	text, err := os.ReadFile(filepath.Join(s.home, pixitest.BehaviorFile))
	check(err)
	check(json.Unmarshal(text, &s.Behavior))
	s.dir, err = os.Getwd()
	check(err)
	s.record()
	os.Exit(s.main())
}

type standin struct {
	pixitest.Behavior
	home string // folder of the stand-in
	dir  string // working directory
	args []string
}

// If err is not nil, check exits with a status that pixi does not use.
func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "stand-in for pixi:", err)
		os.Exit(90)
	}
}

// record appends the call to the file that the test reads.
func (s *standin) record() {
	c := pixitest.Call{Args: s.args, Dir: s.dir}
	for _, kv := range os.Environ() {
		if strings.HasPrefix(kv, "PIXI_") || strings.HasPrefix(kv, "SOURCE_DATE_EPOCH=") || strings.HasPrefix(kv, "SETUPTOOLS_SCM_") || strings.HasPrefix(kv, "PBR_") {
			c.Env = append(c.Env, kv)
		}
	}
	line, err := json.Marshal(c)
	check(err)
	f, err := os.OpenFile(filepath.Join(s.home, pixitest.CallsFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	check(err)
	_, err = f.Write(append(line, '\n'))
	check(err)
	check(f.Close())
}

func (s *standin) main() int {
	if len(s.args) == 0 {
		return 2
	}
	if slices.Contains([]string{"run", "install"}, s.args[0]) {
		if v, ok := os.LookupEnv("PIXI_FROZEN"); ok && v != "true" && v != "false" {
			return s.say("frozen-1", "'1'", "'"+v+"'")
		}
	}
	if s.args[0] != "--version" {
		if _, err := os.Stat(filepath.Join(s.root(), s.manifestName(s.root()))); err != nil {
			return s.say("no-manifest", "<elsewhere>", s.dir)
		}
	}
	if s.Killed && slices.Contains([]string{"run", "install", "publish"}, s.args[0]) {
		check(syscall.Kill(os.Getpid(), syscall.SIGTERM))
		select {}
	}
	switch s.args[0] {
	case "--version":
		version := "0.77.0"
		if s.Version != "" {
			version = s.Version
		}
		return s.say("version", "0.77.0", version)
	case "task":
		return s.taskList()
	case "run":
		return s.run(s.args[1:])
	case "publish":
		return s.publish(s.args[1:])
	case "lock":
		return s.lock()
	case "install":
		return s.install()
	case "info":
		return s.say("info", "<workspace>", s.root())
	}
	fmt.Fprintf(os.Stderr, "error: unrecognized subcommand '%s'\n", s.args[0])
	return 2
}

// say prints a recorded output with some words replaced.
func (s *standin) say(name string, oldnew ...string) int {
	t := transcripts.Read(name)
	r := strings.NewReplacer(oldnew...)
	fmt.Fprint(os.Stdout, r.Replace(t.Stdout))
	fmt.Fprint(os.Stderr, r.Replace(t.Stderr))
	return t.Exit
}

// lock writes a lock file, unless it should only check whether it is up to date. With --check but without --dry-run, pixi writes the file too.
func (s *standin) lock() int {
	if s.LockSays != "" {
		return s.say(s.LockSays)
	}
	dry := slices.Contains(s.args, "--dry-run")
	if !dry {
		check(os.WriteFile(filepath.Join(s.root(), "pixi.lock"), []byte("version: 7\n"), 0o644))
	}
	if s.StaleLock && slices.Contains(s.args, "--check") {
		return s.say("locked-stale")
	}
	if dry {
		return s.say("lock-check")
	}
	fmt.Fprintln(os.Stderr, "✔ Updated lock file")
	return 0
}
