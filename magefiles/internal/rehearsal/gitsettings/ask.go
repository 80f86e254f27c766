package gitsettings

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Ask runs git in an environment, without its credentials: git only accesses folders, and the code that it runs (hooks, filters, monitors) belongs
// to the repository or the user. Only [RunAsOwner] passes on the credentials for remotes, for the user's own repository. Errors have git's own
// message.
func Ask(ctx context.Context, runner command.Runner, env []string, dir string, args ...string) (string, error) {
	return ask(ctx, runner, env, nil, dir, args...)
}

// RunAsOwner runs git in the user's own repository. If that is a partial clone, git may fetch missing objects. Hooks are disabled.
func RunAsOwner(ctx context.Context, runner command.Runner, env []string, dir string, args ...string) (string, error) {
	args = append([]string{"-c", "core.hooksPath=" + os.DevNull, "-c", "core.fsmonitor=false"}, args...)
	return ask(ctx, runner, env, command.Remote, dir, args...)
}

func ask(ctx context.Context, runner command.Runner, env, pass []string, dir string, args ...string) (string, error) {
	env, _ = command.Withhold(env, pass...)
	out, err := command.Output(ctx, runner, command.Cmd{Name: "git", Args: args, Dir: dir, Env: env, Gentle: true})
	var exit *command.ExitError
	if errors.As(err, &exit) {
		err = operr.New("correct the error that git printed", "git %s: %w", verb(args), err).WithDetail(exit.Tail)
	}
	return out, err
}

// verb returns git's subcommand, skipping options.
func verb(args []string) string {
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "-c" || args[i] == "-C":
			i++
		case args[i] != "" && args[i][0] != '-':
			return args[i]
		}
	}
	return ""
}

// AllowProtocol is a variable that restricts git's protocols. It would keep git from the embedded remote, which is a folder.
const AllowProtocol = "GIT_ALLOW_PROTOCOL"

// WithoutConfig removes git configuration from an environment. The settings are in the rehearsal's file.
func WithoutConfig(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return strings.HasPrefix(name, "GIT_CONFIG") || name == AllowProtocol
	})
}

// Dated returns variables that date the rehearsal's commits one second after the rehearsed commit. Packages are dated by their commit, so this makes
// repeated rehearsals of a commit build the same bytes. It returns nothing if the user sets a date, or the commit has none.
func Dated(env []string, commit time.Time) []string {
	if _, said := command.Getenv(env, "GIT_COMMITTER_DATE"); said || commit.IsZero() {
		return nil
	}
	at := fmt.Sprintf("@%d +0000", commit.Unix()+1)
	return []string{"GIT_COMMITTER_DATE=" + at, "GIT_AUTHOR_DATE=" + at}
}

// UsualBranch returns the branch from which a repository's releases are usually made, as recorded in the clone: the remote's HEAD, or `main` if the
// remote has it, or the given branch.
func UsualBranch(ctx context.Context, runner command.Runner, env []string, top, remote, branch string) string {
	usual, err := Ask(ctx, runner, env, top, "symbolic-ref", "--quiet", "--short", "refs/remotes/"+remote+"/HEAD")
	if err == nil {
		return strings.TrimPrefix(usual, remote+"/")
	}
	if _, err := Ask(ctx, runner, env, top, "rev-parse", "--quiet", "--verify", "refs/remotes/"+remote+"/main"); err == nil {
		return "main"
	}
	return branch
}
