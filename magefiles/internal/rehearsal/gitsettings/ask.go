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

// Ask runs git in an environment, without the credentials in it: all that it talks to is a folder, and what it calls (hooks, filters,
// monitors) is code of the repository, or of the person. Those by which a remote lets git in stay for the person's own
// repository alone, see [AsOwner].
// Git's own words are in the error.
func Ask(ctx context.Context, runner command.Runner, env []string, dir string, args ...string) (string, error) {
	return ask(ctx, runner, env, nil, dir, args...)
}

// AsOwner asks git in the person's own repository, which may be a partial clone: git fetches then what it lacks. No hook is run.
func AsOwner(ctx context.Context, runner command.Runner, env []string, dir string, args ...string) (string, error) {
	args = append([]string{"-c", "core.hooksPath=" + os.DevNull, "-c", "core.fsmonitor=false"}, args...)
	return ask(ctx, runner, env, command.Remote, dir, args...)
}

func ask(ctx context.Context, runner command.Runner, env, pass []string, dir string, args ...string) (string, error) {
	env, _ = command.Withhold(env, pass...)
	out, err := command.Output(ctx, runner, command.Cmd{Name: "git", Args: args, Dir: dir, Env: env, Gentle: true})
	var exit *command.ExitError
	if errors.As(err, &exit) {
		err = operr.New("see what git says above", "git %s: %w", verb(args), err).WithDetail(exit.Tail)
	}
	return out, err
}

// verb is what git was asked to do, without the options in front of it.
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

// AllowProtocol says which kinds of remotes git may talk to, and keeps it from the embedded one, a folder.
const AllowProtocol = "GIT_ALLOW_PROTOCOL"

// WithoutConfig takes the configuration that a person's environment carries out of one. What it says is in the file.
func WithoutConfig(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return strings.HasPrefix(name, "GIT_CONFIG") || name == AllowProtocol
	})
}

// Dated are the variables by which what a rehearsal commits has the second after its commit: packages bear the time of the commit that they are
// built of, and the same commit rehearsed again gives the same bytes. There are none where a person says another time, or the commit has none.
func Dated(env []string, commit time.Time) []string {
	if _, said := command.Getenv(env, "GIT_COMMITTER_DATE"); said || commit.IsZero() {
		return nil
	}
	at := fmt.Sprintf("@%d +0000", commit.Unix()+1)
	return []string{"GIT_COMMITTER_DATE=" + at, "GIT_AUTHOR_DATE=" + at}
}

// UsualBranch is the branch that a repository's releases are usually made from, by what the clone knows of a remote: its HEAD, or else `main` where the
// remote has one, or else the branch at hand.
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
