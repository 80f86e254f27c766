package proof

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
)

// entryPoint emulates an image's entry point: it returns the output of a command and its exit status.
type entryPoint func(argv []string) (printed string, status int)

// runs emulates an entry point that runs its arguments. The check passes.
func runs(argv []string) (string, int) {
	switch argv[0] {
	case "echo":
		return strings.Join(argv[1:], " "), 0
	case "sh", "true":
		if len(argv) > 3 && argv[2] == failsAloud {
			return strings.Join(argv[3:], " "), 1
		}
		return "", 0
	case "false":
		return "", 1
	}
	return argv[0] + ": not found", 127
}

// buildKit returns a fake docker that acts like BuildKit on a check's Dockerfile. Each step's command starts with the entry point.
func buildKit(of []string, e entryPoint) func(context.Context, command.Cmd) error {
	return func(_ context.Context, c command.Cmd) error {
		text, err := io.ReadAll(c.Stdin)
		if err != nil {
			return err
		}
		n := 4
		for line := range strings.Lines(string(text)) {
			run, ok := strings.CutPrefix(strings.TrimSpace(line), "RUN ")
			if !ok {
				continue
			}
			var argv []string
			if err := json.Unmarshal([]byte(run), &argv); err != nil {
				return err
			}
			n++
			said, status := e(argv[len(of):])
			fmt.Fprintf(c.Stderr, "#%d [2/3] RUN %s\n#%d 0.101 starting\n", n, run, n)
			for l := range strings.Lines(said) {
				fmt.Fprintf(c.Stderr, "#%d 0.123 %s\n", n, strings.TrimSpace(l))
			}
			if status != 0 {
				fmt.Fprintf(c.Stderr, "#%d ERROR: process %q did not complete successfully: exit code: %d\n------\n > [2/3] RUN %s:\n%s------\n", n, argv, status, run, lines(said))
				return &command.ExitError{Name: "docker", Code: 1}
			}
			fmt.Fprintf(c.Stderr, "#%d DONE 0.2s\n", n)
		}
		return nil
	}
}

// `lines` terminates the text with a newline unless it is empty.
func lines(said string) string {
	if said == "" {
		return ""
	}
	return said + "\n"
}

// An entry point that does not run its arguments passes any check, so the check proves nothing.
func TestCheckMustHaveRun(t *testing.T) {
	long, short := []string{"sh", "-c", "python -c 'import lib'"}, []string{"true"}
	deaf := func([]string) (string, int) { return "", 0 }
	first := func(argv []string) (string, int) { return runs(argv[:1]) }
	const says = "cannot prove that the image of theapp ran its check on linux/amd64, because the entry point "
	const passes = "cannot prove that the image of theapp passes its check on linux/amd64, because the entry point [\"/entry.sh\"] also succeeds with a command that fails"
	for name, c := range map[string]struct {
		of    []string
		check []string
		does  entryPoint
		want  string // "" passes
	}{
		"none":                             {nil, long, runs, ""},
		"exec $@":                          {[]string{"/entry.sh"}, long, runs, ""},
		"exec $@, one word":                {[]string{"/entry.sh"}, short, runs, ""},
		"a login shell":                    {[]string{"bash", "-lc"}, long, first, says + `["bash","-lc"] also succeeds with another command`},
		"a login shell, in three words":    {[]string{"bash", "-l", "-c"}, long, first, says},
		"a login shell, one word":          {[]string{"bash", "-lc"}, short, first, ""},
		"env before a shell":               {[]string{"env", "--", "sh", "-c", "true"}, long, deaf, says},
		"a script that looks at nothing":   {[]string{"/entry.sh"}, long, deaf, says},
		"a script, one word":               {[]string{"/entry.sh"}, short, deaf, says},
		"a script that takes one argument": {[]string{"/entry.sh"}, long, first, says},
		"the first two arguments":          {[]string{"/entry.sh"}, long, func(argv []string) (string, int) { return runs(argv[:2]) }, says},
		"a trace of the command": {
			of:    []string{"/entry.sh"},
			check: long,
			does:  func(argv []string) (string, int) { return "+ : " + strings.Join(argv, " "), 0 },
			want:  says,
		},
		"a log's prefix": {
			of:    []string{"/entry.sh"},
			check: long,
			does:  func(argv []string) (string, int) { said, status := runs(argv); return "[app] " + said, status },
			want:  "",
		},
		"a program of its own": {
			of:    []string{"theapp"},
			check: []string{"check", "--all"},
			does: func(argv []string) (string, int) {
				if argv[0] == "check" {
					return "", 0
				}
				return "no command " + argv[0], 2
			},
			want: "",
		},
		"a script that goes on": {
			of:    []string{"/entry.sh"},
			check: long,
			does:  func(argv []string) (string, int) { said, _ := runs(argv); return said, 0 },
			want:  passes,
		},
		"a pipe, with a prefix": {
			of:    []string{"/entry.sh"},
			check: long,
			does:  func(argv []string) (string, int) { said, _ := runs(argv); return "[app] " + said, 0 },
			want:  passes,
		},
		"a script that goes on, one word": {
			of:    []string{"/entry.sh"},
			check: short,
			does:  func(argv []string) (string, int) { said, _ := runs(argv); return said, 0 },
			want:  says,
		},
		"one that says what it was given, and runs nothing": {
			of:    []string{"/entry.sh"},
			check: long,
			does:  func(argv []string) (string, int) { return "starting with " + strings.Join(argv[1:], " "), 0 },
			want:  passes,
		},
		"another program where there is none of that name": {
			of:    []string{"/entry.sh"},
			check: long,
			does: func(argv []string) (string, int) {
				if said, status := runs(argv); status != 127 {
					return said, status
				}
				return "welcome", 0
			},
			want: "",
		},
		"one that fails": {[]string{"/entry.sh"}, long, func([]string) (string, int) { return "no lib", 1 }, "the image of theapp failed its check `sh -c python -c 'import lib'` on linux/amd64"},
	} {
		t.Run(name, func(t *testing.T) {
			j := prover(t, buildKit(c.of, c.does))
			j.Check = c.check
			err := j.check(t.Context(), registry.Image{Platform: "linux/amd64", Entrypoint: c.of})
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

// A witness proves nothing unless its step failed. Its output alone is not enough, because the builder may have disappeared afterwards.
func TestLoudWitnessMustFail(t *testing.T) {
	w := witness{"sh", "-c", failsAloud, "witness-a", "witness-b"}
	const spoke = "#5 0.1 witness-a witness-b\n"
	step := `RUN ["sh","-c","echo","witness-a","witness-b"]:` + "\n"
	for _, c := range []struct {
		record, step string
		want         bool
	}{
		{spoke, step, true},
		{"#5 0.1 [app] witness-a witness-b\n", step, true},
		{spoke, "", false},
		{spoke, "RUN [\"sh\",\"-c\",\"check\"]:\nwitness-a witness-b\n", false},
		{"#5 0.1 witness-a\n", step, false},
		{"#5 0.1 + sh -c " + failsAloud + " witness-a witness-b\n", step, false},
		{"witness-a witness-b\n", step, false},
	} {
		require.Equal(t, c.want, w.proves(c.record, c.step), "%q %q", c.record, c.step)
	}
}

// If the build fails before its first step, the check did not fail: the cause is the builder or the registry. Transient failures are retried.
func TestCheckThatWasNotRun(t *testing.T) {
	const source = "ERROR: failed to solve: r.example/a: failed to resolve source metadata for r.example/a: "
	for said, c := range map[string]struct {
		tries int
		want  string // "" passes on the second try
	}{
		source + "unexpected status from HEAD request to https://r.example/v2/a: 502 Bad Gateway\n":     {2, ""},
		"ERROR: failed to solve: failed to do request: Head \"https://r.example\": EOF\n":               {2, ""},
		source + "unexpected status from HEAD request to https://r.example/v2/a: 403 Forbidden\n":       {1, "the check of theapp on linux/amd64 could not be run: the registry does not let the builder read the image"},
		"ERROR: failed to receive status: rpc error: code = Unavailable desc = closing transport\n":     {1, "the check of theapp on linux/amd64 could not be run: the builder is gone"},
		"ERROR: failed to solve: failed to extract layer sha256:0: write /x: no space left on device\n": {1, "the check of theapp on linux/amd64 could not be run: there is no disk space left for the build"},
	} {
		for _, of := range [][]string{nil, {"/entry.sh"}} {
			tries, kit := 0, buildKit(of, runs)
			j := prover(t, func(ctx context.Context, k command.Cmd) error {
				if !slices.Contains(k.Args, "build") {
					return imagetest.Say(0, "")(ctx, k)
				}
				if tries++; tries == 1 {
					return imagetest.Say(1, said)(ctx, k)
				}
				return kit(ctx, k)
			})
			err := j.check(t.Context(), registry.Image{Platform: "linux/amd64", Entrypoint: of})
			require.Equal(t, c.tries, tries, said)
			if c.want == "" {
				require.NoError(t, err, said)
				continue
			}
			require.ErrorContains(t, err, c.want)
		}
	}
}

// A check that passes needs a single build with one extra step. If the loud witness does not appear, there are two builds. A failed check does not
// run again.
func TestBuildsOfACheck(t *testing.T) {
	bare := func(argv []string) (string, int) { // an image without a shell
		if argv[0] == "sh" {
			return "sh: not found", 127
		}
		if argv[0] == "python" {
			return "", 0
		}
		return runs(argv)
	}
	python, long := []string{"python", "-m", "app"}, []string{"sh", "-c", "x", "y", "z"}
	for _, c := range []struct {
		of     []string
		check  []string
		does   entryPoint
		builds int
		passes bool
	}{
		{nil, long, runs, 1, true},
		{[]string{"/entry"}, long, runs, 1, true},
		{[]string{"/entry"}, long[:2], runs, 1, true},
		{[]string{"/entry"}, long[:1], runs, 1, true},
		{[]string{"/entry"}, python, bare, 2, true},
		{[]string{"/entry"}, python, func(argv []string) (string, int) { said, _ := bare(argv); return said, 0 }, 2, false},
		{[]string{"/entry"}, long, func([]string) (string, int) { return "no", 1 }, 1, false},
		{[]string{"/entry"}, long, func(argv []string) (string, int) { return runs(argv[:min(4, len(argv))]) }, 2, false},
		{
			of:    []string{"/entry"},
			check: long,
			does: func(argv []string) (string, int) { // prints its arguments without running them
				return strings.Join(argv, " "), map[bool]int{true: 1}[argv[2] == failsAloud]
			},
			builds: 2,
			passes: false,
		},
	} {
		builds, kit := 0, buildKit(c.of, c.does)
		j := prover(t, func(ctx context.Context, k command.Cmd) error {
			builds++
			return kit(ctx, k)
		})
		j.Check = c.check
		err := j.check(t.Context(), registry.Image{Platform: "linux/amd64", Entrypoint: c.of})
		require.Equal(t, c.passes, err == nil, "%v %v: %v", c.of, c.check, err)
		require.Equal(t, c.builds, builds, "%v %v", c.of, c.check)
	}
}

// Shell-form entry points are rejected without running them, for any SHELL, because they may be servers.
func TestShellForms(t *testing.T) {
	for _, c := range []struct {
		of   []string
		want bool
	}{
		{[]string{"/bin/sh", "-c", "serve"}, true},
		{[]string{"/bin/bash", "-o", "pipefail", "-c", "serve --port=80"}, true},
		{[]string{"bash", "-lc", "serve"}, true},
		{[]string{"bash", "-eo", "pipefail", "-lc", "exec serve"}, true},
		{[]string{"sh", "-c", `exec "$0" "$@"`}, false},
		{[]string{"sh", "-c", `exec ${1} --more`}, false},
		{[]string{"bash", "-lc"}, false},
		{[]string{"bash", "--norc", "/entry.sh"}, false},
		{[]string{"python", "-c", "serve()"}, false},
		{[]string{"/entry.sh", "-c", "serve"}, false},
		{nil, false},
	} {
		require.Equal(t, c.want, isShellForm(c.of), c.of)
	}
}

// If the entry point is a server, it does not exit. Without a time limit, the check would never end.
func TestTheCheckHasALimit(t *testing.T) {
	j := prover(t, func(ctx context.Context, _ command.Cmd) error {
		<-ctx.Done()
		return ctx.Err()
	})
	j.Limit = 20 * time.Millisecond
	err := j.check(t.Context(), registry.Image{Platform: "linux/amd64", Entrypoint: []string{"serve"}})
	require.EqualError(t, err, "in the image of theapp, `sh -c python -c 'import lib'` did not end on linux/amd64 within 20ms; no tag was moved")

	stopped := errors.New("stopped by a signal")
	ctx, stop := context.WithCancelCause(t.Context())
	stop(stopped)
	j.Limit = time.Hour
	require.ErrorIs(t, j.check(ctx, registry.Image{Platform: "linux/amd64", Entrypoint: []string{"serve"}}), stopped)
}
