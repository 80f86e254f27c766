// Package git runs git. It controls the settings, the locale and the credentials of each run, whether git may prompt the user, timeouts for
// remotes, and error messages. Its callers choose the git commands.
//
//	git.go          running git, and its errors
//	talk.go limit.go between.go    running git with a remote: timeouts, and problems with proxies and certificates
//	porcelain.go    parsing the output of a push
//	stale.go        records of running git processes, and removing the locks of killed ones
package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Git runs git commands at the top of a work tree.
type Git struct {
	Top     string         // absolute path of the work tree's top
	Prefix  string         // path from Top to gitrepo.Open's dir, with slashes; "" for Top itself
	Dir     string         // absolute path of this work tree's git folder
	Common  string         // absolute path of the git folder that all work trees of the repository share; equals Dir in the main work tree
	Pass    []string       // names of credential variables that hooks may see ([tool.release] pass)
	Runner  command.Runner // starts git
	Limits  Limits         // timeouts for remotes
	records string         // folder for records of running git processes; "" for none
}

// Call is a git command to run.
type Call struct {
	Args     []string
	Stdin    string
	Set      []string // environment variables (KEY=VALUE) to add to the runner's environment
	Settings []string // git settings (key=value) to add to ours

	// Own applies the user's hooks, settings and locale, as if the user ran git. Otherwise the result does not depend on the user's settings.
	Own bool

	Pass []string // names of credential variables that the user's helpers read

	Asks bool // whether git, a hook or a helper may prompt the user, if there is a terminal

	Words *string // if not nil, receives the stderr of git and its hooks

	Out io.Writer // if not nil, receives the output while git runs; otherwise Call returns the output, which must be small

	Porcelain bool // the output is in the format of `git push --porcelain`, possibly mixed with a hook's output
}

// neutral has settings for commands whose output we parse. Without them, a user's setting could change git's output or start a program. The settings
// for commits and tags are not overridden.
var neutral = []string{
	"core.hooksPath=" + os.DevNull,
	"core.fsmonitor=false",      // a faulty monitor hides changes
	"core.useReplaceRefs=false", // other clones do not have the replacement objects
	"core.safecrlf=false", "core.quotePath=false", "color.ui=false", "submodule.recurse=false", "diff.ignoreSubmodules=none",
	"diff.orderFile=" + os.DevNull,
}

// always has settings that apply to every run. Git must not start background maintenance. The index must be a single file, because a refused commit
// restores it as one file.
var always = []string{"gc.auto=0", "maintenance.auto=false", "core.splitIndex=false"}

// Call runs git at the top of the work tree and returns its output without trailing newlines. If git fails, the error's detail contains the messages
// of git and its hooks.
func (r *Git) Call(ctx context.Context, c Call) (string, error) {
	settings, set := always, slices.Concat(r.disablePrompts(c), c.Set)
	if !c.Own {
		settings, set = slices.Concat(always, neutral), append(set, "LC_ALL=C")
	}
	var args []string
	for _, s := range slices.Concat(settings, c.Settings) {
		args = append(args, "-c", s)
	}
	defer r.recordCall(c.Args)()
	var out, said bytes.Buffer
	var to io.Writer = &out
	if c.Out != nil {
		to = c.Out
	}
	err := r.Runner.Run(ctx, command.Cmd{
		Name:    "git",
		Args:    append(args, c.Args...),
		Dir:     r.Top,
		Env:     r.environOf(c, set),
		Stdin:   strings.NewReader(c.Stdin),
		Stdout:  to,
		Stderr:  &said,
		Gentle:  true,
		Answers: true,
		Asks:    c.Asks,
	})
	if c.Words != nil {
		*c.Words = strings.TrimSpace(said.String())
	}
	if err != nil && ctx.Err() == nil {
		for line := range strings.Lines(out.String()) {
			if c.Own && (!c.Porcelain || !GoesWell(line)) {
				said.WriteString("\n" + strings.TrimSpace(line))
			}
		}
		words := command.Redact(said.String(), command.Secrets(r.Environ(nil))...) // the stdout of a hook is not redacted yet
		err = operr.New("", "%w", err).WithDetail(strings.TrimSpace(words + r.explainWithheld(c, words)))
	}
	return strings.TrimRight(out.String(), "\n"), err
}

// answering lists the variables of agents that unlock the user's signing keys.
var answering = []string{"SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_ASKPASS", "GPG_AGENT_INFO", "GPG_TTY"}

// passes returns the names of the credential variables that a call may see. The hooks of a commit or a tag run repository code, so they get only the
// signing agents and the variables that the manifest passes. A call that may contact a remote, and a push hook, get the credentials for remotes. This
// includes read-only calls, because a partial clone may fetch missing objects at any time.
func (r *Git) passes(c Call) []string {
	switch {
	case !c.Own:
		return slices.Concat(command.Remote, c.Pass)
	case c.Porcelain:
		return slices.Concat(command.Remote, c.Pass, r.Pass)
	}
	return slices.Concat(answering, r.Pass)
}

// environOf returns the environment of a call.
func (r *Git) environOf(c Call, set []string) []string {
	env, _ := command.Withhold(r.Environ(set), r.passes(c)...)
	if !r.lends(c) {
		env = command.Unset(env, "GPG_TTY") // otherwise the GPG agent would prompt there, which we could not detect
	}
	return env
}

// explainWithheld returns a line about the variables that were withheld from hooks, if the hooks' output mentions one of them, and "" otherwise.
func (r *Git) explainWithheld(c Call, words string) string {
	if !c.Own {
		return ""
	}
	_, withheld := command.Withhold(r.Environ(nil), r.passes(c)...)
	if len(command.FindNames(words, withheld)) == 0 {
		return ""
	}
	return "\n" + command.DescribeWithheld(words, withheld, r.Pass)
}

// lends reports whether a call may use the terminal.
func (r *Git) lends(c Call) bool {
	at, ok := r.Runner.(interface{ Lends() bool })
	return c.Asks && ok && at.Lends()
}

// disablePrompts returns variables that make git fail instead of prompting, if the call has no terminal. A program in SSH_ASKPASS that the user has
// set is still used.
func (r *Git) disablePrompts(c Call) []string {
	if r.lends(c) {
		return nil
	}
	set := []string{"GIT_TERMINAL_PROMPT=0"}
	if _, own := command.Getenv(r.Environ(nil), "SSH_ASKPASS"); !own {
		set = append(set, "SSH_ASKPASS_REQUIRE=never")
	}
	return set
}

// Environ returns the runner's environment with variables set, or nil if the runner does not expose its environment.
func (r *Git) Environ(set []string) []string {
	runner, ok := r.Runner.(interface{ Environ() []string })
	if !ok {
		return nil
	}
	return command.Setenv(runner.Environ(), set...)
}

// NoOption returns an error for a commit name that git would parse as an option. In git 2.39, `checkout` and `reset` do not support --end-of-options,
// and `revert` ignores it.
func NoOption(commit string) error {
	if strings.HasPrefix(commit, "-") {
		return operr.New("name a commit by its hash", "%q cannot be the name of a commit, because it begins with a dash, like an option", commit)
	}
	return nil
}

// Ask runs a git command that is not affected by settings or hooks, and returns its output.
func (r *Git) Ask(ctx context.Context, args ...string) (string, error) {
	return r.Call(ctx, Call{Args: args})
}

// Feed is like Ask, with standard input.
func (r *Git) Feed(ctx context.Context, stdin string, args ...string) (string, error) {
	return r.Call(ctx, Call{Args: args, Stdin: stdin})
}

// Run runs a git command as the user would, with hooks and signing.
func (r *Git) Run(ctx context.Context, stdin string, args ...string) error {
	_, err := r.Call(ctx, Call{Args: args, Stdin: stdin, Own: true, Asks: true})
	return err
}

// Answer runs a git command that uses exit status 0 for yes and 1 for no. Any other status is an error.
func (r *Git) Answer(ctx context.Context, args ...string) (out string, yes bool, err error) {
	out, err = r.Ask(ctx, args...)
	if err != nil && Ended(err) == 1 {
		return "", false, nil
	}
	return out, err == nil, err
}

// Ended returns the exit status of a failed command, or -1 if the error has another cause.
func Ended(err error) int {
	var exit *command.ExitError
	if errors.As(err, &exit) {
		return exit.Code
	}
	return -1
}

// Offline keeps git from fetching missing objects of a partial clone.
var Offline = []string{"GIT_NO_LAZY_FETCH=1"}

// AsCommitted holds settings for our clones. They are saved in the clone, so they apply to every later git command there. They ensure that
// checked-out files have the committed contents, changed only by the repository's own attributes.
var AsCommitted = []string{"core.autocrlf=false", "core.eol=lf", "core.attributesFile=" + os.DevNull}

// Short returns the abbreviated hash of a commit, for display.
func Short(commit string) string { return commit[:min(len(commit), 12)] }

// Dated returns variables that set the committer date. It returns nil if t is zero, or if the user has set a date.
func (r *Git) Dated(t time.Time) []string {
	if _, said := command.Getenv(r.Environ(nil), "GIT_COMMITTER_DATE"); said || t.IsZero() {
		return nil
	}
	return []string{fmt.Sprintf("GIT_COMMITTER_DATE=@%d +0000", t.Unix())}
}

// See is the next step of errors for which git's own message explains the cause.
const See = "read git's message above"

// Failure returns an error for a git command that failed. The error's detail is git's message. If git was stopped, it printed none, so the error has
// no next step.
func Failure(err error, format string, args ...any) error {
	next := See
	if command.WasStopped(err) {
		next = ""
	}
	return operr.New(next, format+": %w", append(args, err)...)
}

// Refusal is like Failure, for commands that run hooks. If git printed nothing, the next step lists the hooks.
func (r *Git) Refusal(ctx context.Context, err error, format string, args ...any) error {
	if command.WasStopped(err) {
		return Failure(err, format, args...)
	}
	next := "read the message of git or of a hook above"
	if operr.DetailOf(err) == "" {
		next = "find out why git failed without a message" + r.hooks(context.WithoutCancel(ctx))
	}
	return operr.New(next, format+": %w", append(args, err)...)
}

// hooks returns a phrase that lists the hooks that git would run, or "" if there are none.
func (r *Git) hooks(ctx context.Context) string {
	dir, err := r.Call(ctx, Call{Args: []string{"rev-parse", "--git-path", "hooks"}, Own: true})
	if err != nil {
		return ""
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(r.Top, dir)
	}
	entries, err := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		if st, statErr := os.Stat(filepath.Join(dir, e.Name())); statErr == nil && st.Mode()&0o111 != 0 && !strings.HasSuffix(e.Name(), ".sample") {
			names = append(names, e.Name())
		}
	}
	if err != nil || names == nil {
		return ""
	}
	return ", perhaps in one of the hooks " + strings.Join(names, ", ") + " in " + dir
}

// silent wraps an error and hides its text.
type silent struct{ error }

func (silent) Error() string { return "" }

func (s silent) Unwrap() error { return s.error }

// Silent returns an error that wraps err without showing its text.
func Silent(err error) error { return silent{error: err} }
