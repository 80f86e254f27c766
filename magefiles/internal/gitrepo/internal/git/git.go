// Package git is how git is run: under which settings and in which language, with which credentials, what may ask the person,
// how long a remote may take, and what an error says. What is asked is known by the packages around it.
//
//	git.go          how it is run, and what its errors say
//	talk.go limit.go between.go    a run that talks to a remote, how long that may take, and what is at fault on the way
//	porcelain.go    the lines of a push
//	stale.go        gits that are noted while they are at work, and the locks that a killed one has left
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

// Git runs git at the top of one work tree.
type Git struct {
	Top    string         // absolute path of the work tree's top
	Prefix string         // path from Top to the folder that gitrepo.Open was given, with slashes; "" for the top itself
	Dir    string         // absolute path of the folder that git keeps for this work tree; nothing in it is ever committed
	Common string         // absolute path of the folder that git keeps for all work trees of the repository; Dir in the main one
	Pass   []string       // variables that may hold a credential, and that hooks get nevertheless: [tool.release] pass
	Runner command.Runner // starts git
	Limits Limits         // how long a remote may take
	notes  string         // folder of the notes of gits at work; "" where none are made
}

// Call is one run of git.
type Call struct {
	Args     []string
	Stdin    string
	Set      []string // variables as KEY=VALUE, in addition to the runner's environment
	Settings []string // of git, as key=value, in addition to ours

	// Own runs git as the person would: with the hooks, the settings and the language of theirs. Otherwise it only answers,
	// or does what it is told, whatever their settings are.
	Own bool

	Pass []string // variables that may hold a credential, and that a helper of the person reads

	Asks bool // it, or a hook or a helper of it, may ask the person something: it is lent the terminal where there is one

	Words *string // gets what git and its hooks said besides its output; nil is nobody

	Out io.Writer // gets what git writes, as it comes, in place of the caller; nil for what is not large

	Porcelain bool // what it writes is that of `git push --porcelain`, and of a hook
}

// neutral are the settings under which git answers us. Each of them could otherwise change what it says or does, or start
// something; none says how commits and tags are made.
var neutral = []string{
	"core.hooksPath=" + os.DevNull,
	"core.fsmonitor=false",      // a monitor that is wrong hides changes
	"core.useReplaceRefs=false", // what stands in for an object here is in no clone
	"core.safecrlf=false", "core.quotePath=false", "color.ui=false", "submodule.recurse=false", "diff.ignoreSubmodules=none",
	"diff.orderFile=" + os.DevNull,
}

// always are the settings of every run: git is not to go on working when we have its answer, and no index is to be put
// together from two files, since that of a commit that is refused is put back as one.
var always = []string{"gc.auto=0", "maintenance.auto=false", "core.splitIndex=false"}

// Call runs git at the top of the work tree, and returns what it wrote, without the final newlines. The error of a git that
// ended with another status than 0 has git's own words, and those of its hooks, as the detail.
func (r *Git) Call(ctx context.Context, c Call) (string, error) {
	settings, set := always, slices.Concat(r.unasked(c), c.Set)
	if !c.Own {
		settings, set = slices.Concat(always, neutral), append(set, "LC_ALL=C")
	}
	var args []string
	for _, s := range slices.Concat(settings, c.Settings) {
		args = append(args, "-c", s)
	}
	defer r.noted(c.Args)()
	var out, said bytes.Buffer
	var to io.Writer = &out
	if c.Out != nil {
		to = c.Out
	}
	err := r.Runner.Run(ctx, command.Cmd{
		Name:    "git",
		Args:    append(args, c.Args...),
		Dir:     r.Top,
		Env:     r.given(c, set),
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
		words := command.Redact(said.String(), command.Secrets(r.Environ(nil))...) // what a hook writes to the output is as it wrote it
		err = operr.New("", "%w", err).WithDetail(strings.TrimSpace(words + r.without(c, words)))
	}
	return strings.TrimRight(out.String(), "\n"), err
}

// answering are the variables by which a person's agents answer for them: for signatures.
var answering = []string{"SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_ASKPASS", "GPG_AGENT_INFO", "GPG_TTY"}

// passes are the credentials that a call gets. The hooks of a commit or a tag are code of the repository: they get none but the agents by
// which it is signed, and what its manifest passes. What may talk to a remote, and the hook of a push, get what the remote may ask for: others
// too, since a partial clone fetches what it lacks whenever it is asked.
func (r *Git) passes(c Call) []string {
	switch {
	case !c.Own:
		return slices.Concat(command.Remote, c.Pass)
	case c.Porcelain:
		return slices.Concat(command.Remote, c.Pass, r.Pass)
	}
	return slices.Concat(answering, r.Pass)
}

// given is the environment of a call.
func (r *Git) given(c Call, set []string) []string {
	env, _ := command.Withhold(r.Environ(set), r.passes(c)...)
	if !r.lends(c) {
		env = command.Unset(env, "GPG_TTY") // the agent would ask there, behind our back
	}
	return env
}

// without is a line about what the hooks of a call were not given, where they name it; "" elsewhere.
func (r *Git) without(c Call, words string) string {
	if !c.Own {
		return ""
	}
	_, withheld := command.Withhold(r.Environ(nil), r.passes(c)...)
	if len(command.Named(words, withheld)) == 0 {
		return ""
	}
	return "\n" + command.Without(words, withheld, r.Pass)
}

// lends reports whether a call is lent the terminal.
func (r *Git) lends(c Call) bool {
	at, ok := r.Runner.(interface{ Lends() bool })
	return c.Asks && ok && at.Lends()
}

// unasked are the variables under which a call without a terminal fails where it would ask. A program that a person has set to answer
// (SSH_ASKPASS) is still asked.
func (r *Git) unasked(c Call) []string {
	if r.lends(c) {
		return nil
	}
	set := []string{"GIT_TERMINAL_PROMPT=0"}
	if _, own := command.Getenv(r.Environ(nil), "SSH_ASKPASS"); !own {
		set = append(set, "SSH_ASKPASS_REQUIRE=never")
	}
	return set
}

// Environ is the runner's environment with variables set; nil where the runner does not tell its own.
func (r *Git) Environ(set []string) []string {
	runner, ok := r.Runner.(interface{ Environ() []string })
	if !ok {
		return nil
	}
	return command.Setenv(runner.Environ(), set...)
}

// NoOption refuses the name of a commit that git would take for an option: `checkout` and `reset` of git 2.39 cannot be told
// where options end, and its `revert` takes that in and reads on.
func NoOption(commit string) error {
	if strings.HasPrefix(commit, "-") {
		return operr.New("name a commit by its hash", "%q cannot be the name of a commit: it begins with a dash, as options do", commit)
	}
	return nil
}

// Ask asks git something, or has it do something that no setting and no hook has a say in.
func (r *Git) Ask(ctx context.Context, args ...string) (string, error) {
	return r.Call(ctx, Call{Args: args})
}

// Feed is Ask with a standard input.
func (r *Git) Feed(ctx context.Context, stdin string, args ...string) (string, error) {
	return r.Call(ctx, Call{Args: args, Stdin: stdin})
}

// Run has git do something as the person would, with hooks and signatures.
func (r *Git) Run(ctx context.Context, stdin string, args ...string) error {
	_, err := r.Call(ctx, Call{Args: args, Stdin: stdin, Own: true, Asks: true})
	return err
}

// Answer asks git a question that it answers by its exit status: 0 is yes, and 1 is no. Any other is an error.
func (r *Git) Answer(ctx context.Context, args ...string) (out string, yes bool, err error) {
	out, err = r.Ask(ctx, args...)
	if err != nil && Ended(err) == 1 {
		return "", false, nil
	}
	return out, err == nil, err
}

// Ended is the exit status that an error tells of; -1 where it is not one of a child.
func Ended(err error) int {
	var exit *command.ExitError
	if errors.As(err, &exit) {
		return exit.Code
	}
	return -1
}

// Offline has git fetch nothing for a question about commits.
var Offline = []string{"GIT_NO_LAZY_FETCH=1"}

// AsCommitted are the settings of a clone of ours. They stay in it, for what runs git there: a file has the bytes of the
// commit, or those that the repository's own attributes ask for.
var AsCommitted = []string{"core.autocrlf=false", "core.eol=lf", "core.attributesFile=" + os.DevNull}

// Short is the abbreviated name of a commit, for people.
func Short(commit string) string { return commit[:min(len(commit), 12)] }

// Dated are the variables by which git dates what it makes; none for the present, and where the person says the date.
func (r *Git) Dated(t time.Time) []string {
	if _, said := command.Getenv(r.Environ(nil), "GIT_COMMITTER_DATE"); said || t.IsZero() {
		return nil
	}
	return []string{fmt.Sprintf("GIT_COMMITTER_DATE=@%d +0000", t.Unix())}
}

// See is the next step of an error that has git's own words, where they say what it is.
const See = "see what git says above"

// Failed is the error of a git that did not do what it was asked for: a sentence, with git's words as the detail. One that was stopped
// has said nothing that could be seen.
func Failed(err error, format string, args ...any) error {
	next := See
	if command.WasStopped(err) {
		next = ""
	}
	return operr.New(next, format+": %w", append(args, err)...)
}

// Refused is Failed for what hooks have a say in. One that refuses without a word is looked for.
func (r *Git) Refused(ctx context.Context, err error, format string, args ...any) error {
	if command.WasStopped(err) {
		return Failed(err, format, args...)
	}
	next := "see what git, or a hook of the repository, says above"
	if operr.DetailOf(err) == "" {
		next = "find out what keeps git from it: it ended without a word" + r.hooks(context.WithoutCancel(ctx))
	}
	return operr.New(next, format+": %w", append(args, err)...)
}

// hooks names those that git would run, for a sentence; "" where there are none.
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
	return ", and there are the hooks " + strings.Join(names, ", ") + " in " + dir
}

// silent is in the chain of an error, and not in its text.
type silent struct{ error }

func (silent) Error() string { return "" }

func (s silent) Unwrap() error { return s.error }

// Silent is an error that is in the chain of another one, and not in its text.
func Silent(err error) error { return silent{error: err} }
