package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// call is one run of git.
type call struct {
	args     []string
	stdin    string
	set      []string // variables as KEY=VALUE, in addition to the runner's environment
	settings []string // of git, as key=value, in addition to ours

	// own runs git as the person would: with the hooks, the settings and the language of theirs. Otherwise it only answers,
	// or does what it is told, whatever their settings are.
	own bool

	pass []string // variables that may hold a credential, and that a helper of the person reads

	asks bool // it, or a hook or a helper of it, may ask the person something: it is lent the terminal where there is one

	words *string // gets what git and its hooks said besides its output; nil is nobody

	porcelain bool // what it writes is that of `git push --porcelain`, and of a hook
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

// call runs git at the top of the work tree, and returns what it wrote, without the final newlines. The error of a git that
// ended with another status than 0 has git's own words, and those of its hooks, as the detail.
func (r *Repo) call(ctx context.Context, c call) (string, error) {
	settings, set := always, slices.Concat(r.unasked(c), c.set)
	if !c.own {
		settings, set = slices.Concat(always, neutral), append(set, "LC_ALL=C")
	}
	var args []string
	for _, s := range slices.Concat(settings, c.settings) {
		args = append(args, "-c", s)
	}
	defer r.noted(c.args)()
	var out, said bytes.Buffer
	err := r.runner.Run(ctx, command.Cmd{
		Name:    "git",
		Args:    append(args, c.args...),
		Dir:     r.Top,
		Env:     r.given(c, set),
		Stdin:   strings.NewReader(c.stdin),
		Stdout:  &out,
		Stderr:  &said,
		Gentle:  true,
		Answers: true,
		Asks:    c.asks,
	})
	if c.words != nil {
		*c.words = strings.TrimSpace(said.String())
	}
	if err != nil && ctx.Err() == nil {
		for line := range strings.Lines(out.String()) {
			if c.own && (!c.porcelain || !goesWell(line)) {
				said.WriteString("\n" + strings.TrimSpace(line))
			}
		}
		err = operr.New("", "%w", err).WithDetail(strings.TrimSpace(said.String() + r.without(c, said.String())))
	}
	return strings.TrimRight(out.String(), "\n"), err
}

// answering are the variables by which a person's agents answer for them: for signatures.
var answering = []string{"SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_ASKPASS", "GPG_AGENT_INFO", "GPG_TTY"}

// passes are the credentials that a call gets. The hooks of a commit or a tag are code of the repository: they get none but the agents by
// which it is signed, and what its manifest passes. What may talk to a remote, and the hook of a push, get what the remote may ask for: others
// too, since a partial clone fetches what it lacks whenever it is asked.
func (r *Repo) passes(c call) []string {
	switch {
	case !c.own:
		return slices.Concat(command.Remote, c.pass)
	case c.porcelain:
		return slices.Concat(command.Remote, c.pass, r.Pass)
	}
	return slices.Concat(answering, r.Pass)
}

// given is the environment of a call.
func (r *Repo) given(c call, set []string) []string {
	env, _ := command.Withhold(r.environ(set), r.passes(c)...)
	if !r.lends(c) {
		env = command.Unset(env, "GPG_TTY") // the agent would ask there, behind our back
	}
	return env
}

// without is a line about what the hooks of a call were not given, where they name it; "" elsewhere.
func (r *Repo) without(c call, words string) string {
	if !c.own {
		return ""
	}
	_, withheld := command.Withhold(r.environ(nil), r.passes(c)...)
	if len(command.Named(words, withheld)) == 0 {
		return ""
	}
	return "\n" + command.Without(words, withheld, r.Pass)
}

// lends says whether a call is lent the terminal.
func (r *Repo) lends(c call) bool {
	at, ok := r.runner.(interface{ Lends() bool })
	return c.asks && ok && at.Lends()
}

// unasked are the variables under which a call without a terminal fails where it would ask. A program that a person has set to answer
// (SSH_ASKPASS) is still asked.
func (r *Repo) unasked(c call) []string {
	if r.lends(c) {
		return nil
	}
	set := []string{"GIT_TERMINAL_PROMPT=0"}
	if _, own := command.Getenv(r.environ(nil), "SSH_ASKPASS"); !own {
		set = append(set, "SSH_ASKPASS_REQUIRE=never")
	}
	return set
}

// environ is the runner's environment with variables set; nil where the runner does not tell its own.
func (r *Repo) environ(set []string) []string {
	runner, ok := r.runner.(interface{ Environ() []string })
	if !ok {
		return nil
	}
	return command.Setenv(runner.Environ(), set...)
}

// noOption refuses the name of a commit that git would take for an option: `checkout` and `reset` of git 2.39 cannot be told
// where options end, and its `revert` takes that in and reads on.
func noOption(commit string) error {
	if strings.HasPrefix(commit, "-") {
		return operr.New("name a commit by its hash", "%q cannot be the name of a commit: it begins with a dash, as options do", commit)
	}
	return nil
}

// git asks git something, or has it do something that no setting and no hook has a say in.
func (r *Repo) git(ctx context.Context, args ...string) (string, error) {
	return r.call(ctx, call{args: args})
}

// fed is git with a standard input.
func (r *Repo) fed(ctx context.Context, stdin string, args ...string) (string, error) {
	return r.call(ctx, call{args: args, stdin: stdin})
}

// run has git do something as the person would, with hooks and signatures.
func (r *Repo) run(ctx context.Context, stdin string, args ...string) error {
	_, err := r.call(ctx, call{args: args, stdin: stdin, own: true, asks: true})
	return err
}

// answer asks git a question that it answers by its exit status: 0 is yes, and 1 is no. Any other is an error.
func (r *Repo) answer(ctx context.Context, args ...string) (out string, yes bool, err error) {
	out, err = r.git(ctx, args...)
	if err != nil && ended(err) == 1 {
		return "", false, nil
	}
	return out, err == nil, err
}

// ended is the exit status that an error tells of; -1 where it is not one of a child.
func ended(err error) int {
	var exit *command.ExitError
	if errors.As(err, &exit) {
		return exit.Code
	}
	return -1
}

// see is the next step of an error that has git's own words, where they say what it is.
const see = "see what git says above"

// failed is the error of a git that did not do what it was asked for: a sentence, with git's words as the detail.
func failed(err error, format string, args ...any) error {
	return operr.New(see, format+": %w", append(args, err)...)
}

// refused is failed for what hooks have a say in. One that refuses without a word is looked for.
func (r *Repo) refused(ctx context.Context, err error, format string, args ...any) error {
	next := "see what git, or a hook of the repository, says above"
	if operr.DetailOf(err) == "" {
		next = "find out what keeps git from it: it ended without a word" + r.hooks(context.WithoutCancel(ctx))
	}
	return operr.New(next, format+": %w", append(args, err)...)
}

// hooks names those that git would run, for a sentence; "" where there are none.
func (r *Repo) hooks(ctx context.Context) string {
	dir, err := r.call(ctx, call{args: []string{"rev-parse", "--git-path", "hooks"}, own: true})
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
